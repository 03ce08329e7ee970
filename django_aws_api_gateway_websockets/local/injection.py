"""Answers that a test asked for instead of the true ones. Thread-safe."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import InjectedFault


@dataclass
class Fault:
    """What the next calls of one operation are answered with."""

    operation: str
    status: int
    error_type: str
    times: int
    after: bool  #: the call is carried out first
    connection_id: str | None  #: None for any

    def error(self) -> InjectedFault:
        return InjectedFault(self.status, self.error_type)


class Faults:
    """The faults that are still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def take(self, operation: str, connection_id: str | None = None) -> Fault | None:
        """The fault for this call, if one is due; it counts as used."""
        with self._lock:
            fault = next(
                (fault for fault in self._faults if _applies(fault, operation, connection_id)),
                None,
            )
            if fault is not None:
                fault.times -= 1
                self._faults = [fault for fault in self._faults if fault.times > 0]
            return fault


def _applies(fault: Fault, operation: str, connection_id: str | None) -> bool:
    return fault.operation == operation and fault.connection_id in (None, connection_id)
