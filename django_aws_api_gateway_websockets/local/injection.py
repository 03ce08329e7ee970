"""Injection of faults: the errors that a test asked for in place of answers. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import InjectedFault


@dataclass
class Fault:
    """The error that the next calls of one operation are answered with."""

    operation: str
    status: int
    error_type: str
    times: int
    after: bool  #: the call is carried out first
    connection_id: str | None  #: None for any

    def applies_to(self, operation: str, connection_id: str | None) -> bool:
        return self.operation == operation and self.connection_id in (None, connection_id)


class FaultInjection:
    """The faults that no call has met yet, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    @contextmanager
    def around(self, operation: str, connection_id: str | None = None) -> Iterator[None]:
        """Carry out a call in the block; its fault, if it has one, comes before or after.

        Raises InjectedFault. A call that fails of itself keeps its own error.
        """
        fault = self._pop(operation, connection_id)
        if fault is not None and not fault.after:
            raise InjectedFault(fault.status, fault.error_type)
        yield
        if fault is not None:
            raise InjectedFault(fault.status, fault.error_type)

    def _pop(self, operation: str, connection_id: str | None) -> Fault | None:
        """The first fault that applies to this call, which uses it once, or None."""
        with self._lock:
            for fault in self._faults:
                if fault.applies_to(operation, connection_id):
                    fault.times -= 1
                    self._faults = [fault for fault in self._faults if fault.times > 0]
                    return fault
            return None
