"""What is executed, and what a signal's receivers are told, within a block."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List

from django.db import connection
from django.dispatch import Signal


@contextmanager
def executed() -> Iterator[List[str]]:
    """The SQL of each statement, as the very object that was executed.

    Equal SQL is easy. If it is the same object each time, nobody has written it again.
    """
    statements: List[str] = []

    def note(execute: Any, sql: str, *arguments: Any) -> Any:
        statements.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield statements


def marking(batches: int, rows: int) -> List[str]:
    """The statements by which so many rows, in so many batches, are marked as gone.

    A database that can tell which rows are locked is asked first. MariaDB takes them one by one.
    """
    asks = connection.features.has_select_for_update_skip_locked
    statements = ["SELECT", "UPDATE"] if asks else ["UPDATE"]
    return statements * (rows if connection.vendor == "mysql" else batches)


def verbs(queries: Any) -> List[str]:
    """The first word of each statement on the sessions."""
    return [query["sql"].split()[0] for query in queries if "websocketsession" in query["sql"]]


@contextmanager
def heard(signal: Signal, sender: Any) -> Iterator[List[Dict[str, Any]]]:
    """The arguments of each call of a receiver."""
    calls: List[Dict[str, Any]] = []

    def hear(**options: Any) -> None:
        calls.append(options)

    signal.connect(hear, sender=sender)
    try:
        yield calls
    finally:
        signal.disconnect(hear, sender=sender)
