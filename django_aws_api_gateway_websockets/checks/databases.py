"""Checks of a database before ``migrate`` changes it: whether another release has left it so.

Django runs them in ``migrate`` and in ``check --database``, for the databases that these name.
"""

from __future__ import annotations

from typing import Any, Iterator, Sequence

from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..adoption import halfway, later
from ..adoption.tables import Tables
from .messages import check_message

PAGE = "coming-from-later.html#the-database"


def check_databases(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that what is in these databases can be migrated."""
    if not databases:
        return []
    found = [message for alias in databases for message in _check(connections[alias])]
    return [*found, *_check_dependents()]


def _check(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    try:
        tables = Tables(connection)
        missing, left = halfway.missing_migration(tables), later.find(tables)
    except (Error, ImproperlyConfigured):
        return  # It cannot be reached, and whatever needs it will say so.
    if missing:
        sentence = halfway.sentence(missing)
        yield check_message("E031", sentence, halfway.HINT, "deploy.html#upgrading")
    if left:
        yield check_message("E030", later.sentence(left), later.hint(connection), PAGE)


def _check_dependents() -> Iterator[CheckMessage]:
    for migration, parent in later.dependents():
        yield check_message(
            "E032",
            f"The migration {migration} depends on {parent}, which only 3.x and 4.x have.",
            later.HINT_FOR_DEPENDENTS,
            PAGE,
        )
