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
