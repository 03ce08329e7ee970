"""What carries requests: the interface of the HTTP libraries, and those that this process keeps.

A courier has connections to any number of endpoints and is used by one broadcast at a time. It is
kept afterwards, so that the next one, or a single message, finds the connections warm.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Protocol, Tuple

from .addresses import Address
from .answers import Answer

#: Couriers that wait for work, each with its connections; more broadcasts at the same time make
#: more of them, which are closed afterwards.
KEPT = 4


class Request(NamedTuple):
    """One request to ``@connections``."""

    method: str
    address: Address
    #: The path, escaped, as it goes on the wire.
    path: str
    headers: Dict[str, str]
    body: bytes


class Timeouts(NamedTuple):
    """Seconds to get a connection, and to get an answer on it."""

    connect: float
    read: float


class Courier(Protocol):
    """Carries requests, many at a time, for one thread."""

    #: How many requests may be under way at once.
    capacity: int

    def start(self, ticket: Any, request: Request, timeouts: Timeouts) -> None:
        """Begin with a request. It never raises for what the network does."""
        ...

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        """Return the answers that are there, with their tickets; wait for the first one."""
        ...

    def close(self) -> None:
        """Drop everything that is under way, and the connections."""
        ...


class Pool:
    """The couriers of one process that wait for work, last in, first out."""

    def __init__(self) -> None:
        # Not guarded: each of a list's operations is one, and its couriers are alike.
        self._idle: List[Courier] = []

    @contextmanager
    def lend(self, make: Callable[[], Courier]) -> Iterator[Courier]:
        """Lend a courier. After an exception its requests are dropped with it."""
        try:
            courier = self._idle.pop()
        except IndexError:
            courier = make()
        try:
            yield courier
        except BaseException:
            courier.close()
            raise
        if len(self._idle) < KEPT:
            self._idle.append(courier)
        else:
            courier.close()


def pool(*made_with: Any) -> Pool:
    """Return this process's pool of the couriers that are made with this.

    A forked child has pools of its own. Those of its parent stay untouched in it: to close them
    would tell the other end of connections that the parent uses.
    """
    return _pool(os.getpid(), *made_with)


@lru_cache(maxsize=None)
def _pool(pid: int, *made_with: Any) -> Pool:
    return Pool()
