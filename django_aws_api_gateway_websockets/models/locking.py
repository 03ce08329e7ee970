"""Locking of rows that others may be writing to, and connections that have been dropped.

Knows the databases, and no model.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator, Sequence, TypeVar

from django.db import InterfaceError, OperationalError, connections
from django.db.models import QuerySet

Answer = TypeVar("Answer")

#: Rows that are locked and written together.
LOCKED_AT_ONCE = 500


def unlocked(rows: QuerySet[Any, Any], keys: Sequence[int]) -> Iterator[list[int]]:
    """Lock the rows of these keys that nobody else has locked; yield their keys in batches.

    Call it in a transaction, and write to the rows by their keys before the next batch. A database
    without SKIP LOCKED locks nothing, and all keys are yielded. SQLite is one of these: in it a
    transaction that reads first could not wait to write.
    """
    connection = connections[rows.db]
    # MariaDB reads a table that it takes for small as a whole, instead of looking up many keys.
    # It then locks other rows, or waits for them. A single key it always looks up.
    size = 1 if connection.vendor == "mysql" else LOCKED_AT_ONCE
    for start in range(0, len(keys), size):
        batch = list(keys[start : start + size])
        if connection.features.has_select_for_update_skip_locked:
            free = rows.filter(pk__in=batch).select_for_update(skip_locked=True)
            batch = list(free.values_list("pk", flat=True))
        if batch:
            yield batch


def reconnected(using: str, run: Callable[[], Answer]) -> Answer:
    """Return ``run()``, called again on a new connection if the database has dropped this one.

    While messages are sent the connection idles, and the server, a pooler or a NAT gateway may
    drop it. In a transaction the error is raised, because the transaction is lost.
    """
    try:
        return run()
    except (OperationalError, InterfaceError):
        connection = connections[using]
        if connection.in_atomic_block or (connection.connection and connection.is_usable()):
            raise
        connection.close()
    return run()
