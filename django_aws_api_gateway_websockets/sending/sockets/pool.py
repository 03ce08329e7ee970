"""Pool: the idle connections of a process, and how many connections it may have at all.

It has no lock: each of its steps is atomic, and a bound that is missed by one does no harm.
"""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, Deque, Dict, Iterable, List, Optional, Protocol, Set
from weakref import ReferenceType, ref

from ...processes import per_process
from .connections import Connection, Key

resource: Any
try:
    import resource
except ImportError:  # Windows
    resource = None

#: Seconds after which an idle connection is not used again, and soon closed. A NAT gateway forgets
#: it after 350 seconds, and a load balancer closes it after 60.
IDLE_SECONDS = 20.0

#: Connections of a process: one for so many file descriptors that it may have (RLIMIT_NOFILE), and
#: never more than MAX_CONNECTIONS.
DESCRIPTORS_EACH, MAX_CONNECTIONS = 4, 1024

#: Where the system does not tell how many descriptors there may be (Windows).
UNKNOWN_DESCRIPTORS = 2048


class Holder(Protocol):
    """Whoever holds connections."""

    #: True if it was refused one.
    is_waiting: bool

    def __len__(self) -> int:
        """Return the number of connections that it holds."""
        ...


class Pool:
    """The connections of one process, over all broadcasts and gateways together."""

    def __init__(self) -> None:
        self._idle: Dict[Key, Deque[Connection]] = {}
        #: Weak references: an exception may come before a holder can leave.
        self._holders: Set[ReferenceType[Holder]] = set()
        self._timer: Optional[threading.Timer] = None
        atexit.register(self._close_at_exit, os.getpid())

    def join(self, holder: Holder) -> None:
        self._holders.add(ref(holder, self._holders.discard))

    def leave(self, holder: Holder) -> None:
        self._holders.discard(ref(holder))

    def take(self, key: Key) -> Optional[Connection]:
        """Remove and return an idle connection that can be used; the last one in comes first."""
        idle = self._idle.get(key, ())
        oldest = time.monotonic() - IDLE_SECONDS
        while idle:
            with suppress(IndexError):  # Another thread was faster.
                connection = idle.pop()
                if connection.is_usable(oldest):
                    return connection
                connection.close()
        return None

    def put(self, connections: Iterable[Connection]) -> None:
        """Keep connections that are idle, for a while."""
        for connection in connections:
            self._idle.setdefault(connection.key, deque()).append(connection)
        while self._number() > limit() and self._close_oldest():
            pass
        self._close_later()

    def may_open(self, holder: Holder) -> bool:
        """Return True if a holder may open one more connection.

        It may always have one. Otherwise an idle one that leads elsewhere makes room.
        """
        is_allowed = len(holder) == 0 or self._number() < limit() or self._close_oldest()
        holder.is_waiting = not is_allowed
        return is_allowed

    def share(self, wanted: int) -> int:
        """Return how many connections a holder may have, of those that it wants.

        Those that use more than one share equally as long as one of them waits.
        """
        if len(self._holders) < 2:
            return wanted
        holders = self._present()
        if not any(holder.is_waiting for holder in holders):
            return wanted
        crowd = sum(holder.is_waiting or len(holder) > 1 for holder in holders)
        return max(1, min(wanted, limit() // crowd))

    def _present(self) -> List[Holder]:
        found = [reference() for reference in list(self._holders)]
        return [holder for holder in found if holder is not None]

    def _number(self) -> int:
        held = sum(map(len, self._present()))
        return held + sum(map(len, list(self._idle.values())))

    def _idle_longest(self) -> Optional[Deque[Connection]]:
        """Return the connections of which the first has idled longest, or None."""
        with suppress(IndexError, ValueError):  # There is none, or another thread was faster.
            places = [idle for idle in list(self._idle.values()) if idle]
            return min(places, key=lambda idle: idle[0].idle_since)
        return None

    def _close_oldest(self) -> bool:
        """Close the connection that has idled longest; return False if there is none."""
        idle = self._idle_longest()
        with suppress(IndexError):
            if idle:
                idle.popleft().close()
                return True
        return False

    def _close_later(self) -> None:
        """Let a thread close what idles too long, in case that nothing more is sent."""
        is_ticking = self._timer is not None and self._timer.is_alive()
        if is_ticking or not self._idle_longest():
            return
        timer = threading.Timer(IDLE_SECONDS / 2, self._close_expired)
        timer.name, timer.daemon = "websocket-idle", True
        # To start it lets other threads run, which may make another one. The last one counts.
        self._timer = timer
        with suppress(RuntimeError):  # The process may have no more threads, or it is ending.
            timer.start()

    def _close_expired(self) -> None:
        if threading.current_thread() is not self._timer:
            return
        self._timer = None
        oldest = time.monotonic() - IDLE_SECONDS
        for idle in list(self._idle.values()):
            with suppress(IndexError):
                while idle[0].idle_since <= oldest:
                    idle.popleft().close()
        self._close_later()

    def _close_at_exit(self, owner: int) -> None:
        while os.getpid() == owner and self._close_oldest():
            pass


@per_process
def pool() -> Pool:
    """Return the pool of this process, which all of its threads share."""
    return Pool()


def limit() -> int:
    """Return how many connections this process may have."""
    return int(max(1, min(MAX_CONNECTIONS, descriptors() // DESCRIPTORS_EACH)))


def descriptors() -> float:
    """Return how many file descriptors this process may have."""
    if resource is None:
        return UNKNOWN_DESCRIPTORS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft
