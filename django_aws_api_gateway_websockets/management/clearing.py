"""Clearing of sessions that are over, in small steps. Knows the database, not AWS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Callable

from django.db import connections, transaction
from django.utils import timezone

from ..models import WebSocketSession, WebSocketSessionQuerySet
from ..models.broadcasts import CONNECTION_LIFETIME
from ..sending import BATCH_SIZE

#: A connection begins up to half a minute after its row, and the clock that wrote it may differ.
LEEWAY = timedelta(minutes=10)

#: Without USE_TZ the row has local time, which leaps by an hour in spring.
LEAP = timedelta(hours=1)


def expired() -> WebSocketSessionQuerySet:
    """The sessions that count as connected, and are older than a connection can be."""
    return _sessions().filter(connected=True, created_on__lt=_cutoff(timezone.now()))


def closed() -> WebSocketSessionQuerySet:
    """The sessions whose connection is known to have ended."""
    return _sessions().filter(connected=False)


def close_expired() -> int:
    """Mark the expired sessions as closed; return how many. There is nobody left to tell."""
    now = timezone.now()
    return _in_batches(expired(), lambda rows: rows.update(connected=False, updated_on=now))


def delete_closed() -> int:
    """Delete the closed sessions; return how many.

    If a project has signals or cascades on sessions, Django sees to them as ever.
    """
    return _in_batches(closed(), _delete)


def _sessions() -> WebSocketSessionQuerySet:
    return WebSocketSession.objects.on_primary()


def _cutoff(now: datetime) -> datetime:
    return now - CONNECTION_LIFETIME - LEEWAY - (LEAP if timezone.is_naive(now) else timedelta())


def _delete(rows: WebSocketSessionQuerySet) -> int:
    _, by_model = rows.delete()
    return by_model.get(WebSocketSession._meta.label, 0)


def _in_batches(
    rows: WebSocketSessionQuerySet, write: Callable[[WebSocketSessionQuerySet], int]
) -> int:
    """Write to these rows, each batch in a transaction of its own; return how many.

    A row that somebody else is writing at the moment is left for the next run.
    """
    written, keys = 0, _first_keys(rows)
    while keys:
        with transaction.atomic(rows.db):
            for some in _statements(rows.db, keys):
                # The condition stays: what has ceased to meet it meanwhile is not written to.
                written += write(rows.filter(pk__in=_lock(rows, some)))
        keys = _first_keys(rows.filter(pk__gt=keys[-1]))
    return written


def _first_keys(rows: WebSocketSessionQuerySet) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE])


def _statements(database: str, keys: list[int]) -> list[list[int]]:
    """The keys, by the statement that is to take them."""
    # Where MariaDB believes a table to be small, it reads it all rather than look up many keys,
    # and then locks, or waits for, rows that are not concerned. One key it always looks up.
    if connections[database].vendor == "mysql":
        return [[key] for key in keys]
    return [keys]


def _lock(rows: WebSocketSessionQuerySet, keys: list[int]) -> list[int]:
    """The keys that are free, now locked; all of them where a database has no SKIP LOCKED.

    SQLite is among those, and there a transaction that reads first could not wait to write.
    """
    if not connections[rows.db].features.has_select_for_update_skip_locked:
        return keys
    free = rows.filter(pk__in=keys).select_for_update(skip_locked=True)
    return list(free.values_list("pk", flat=True))
