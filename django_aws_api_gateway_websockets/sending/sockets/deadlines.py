"""Deadlines of connections. Times are time.monotonic()'s."""

from __future__ import annotations

import heapq
import math
from itertools import count
from typing import Dict, Iterator, List, Tuple

from .connections import Connection


class Deadlines:
    """Finds the connections of one engine whose deadline has passed.

    A connection has a new deadline for each request, and hardly ever meets one. So only one time
    is kept for it, which is its deadline or an earlier one.
    """

    def __init__(self) -> None:
        self._heap: List[Tuple[float, int, Connection]] = []
        self._noted: Dict[Connection, float] = {}
        self._sequence = count()

    @property
    def next(self) -> float:
        """The time at which a deadline may have passed; infinity if there is none."""
        return self._heap[0][0] if self._heap else math.inf

    def note(self, connection: Connection) -> None:
        """Note that a connection has another deadline."""
        deadline = connection.deadline
        if deadline < self._noted.get(connection, math.inf):
            self._noted[connection] = deadline
            heapq.heappush(self._heap, (deadline, next(self._sequence), connection))

    def passed(self, now: float) -> Iterator[Connection]:
        """Yield each connection whose deadline has passed."""
        while self._heap and self._heap[0][0] <= now:
            _, _, connection = heapq.heappop(self._heap)
            self._noted.pop(connection, None)
            if connection.deadline <= now:
                yield connection
            else:
                self.note(connection)
