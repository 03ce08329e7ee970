"""Checks of a database before ``migrate`` changes it: whether another release has left it so.

Django runs them in ``migrate`` and in ``check --database``, for the databases that these name.
"""

from __future__ import annotations

from typing import Any, Iterator, Sequence

from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..adoption import halfway
from .messages import check_message


def check_databases(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that what is in these databases can be migrated."""
    return [message for alias in databases or () for message in _check(connections[alias])]


def _check(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    try:
        missing = halfway.missing_migration(connection)
    except (Error, ImproperlyConfigured):
        return  # It cannot be reached, and whatever needs it will say so.
    if missing:
        yield check_message(
            "E031", halfway.sentence(missing), halfway.HINT, "deploy.html#upgrading"
        )
