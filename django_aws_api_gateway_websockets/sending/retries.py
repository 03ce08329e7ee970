"""Retries: how often and how long one recipient is tried, and those that wait for their next try.

Times are time.monotonic()'s, durations are seconds.
"""

from __future__ import annotations

import heapq
import math
import random
from itertools import count
from typing import Any, Dict, Hashable, List, NamedTuple, Tuple

from .addresses import Address
from .exchanges import Timeouts
from .reports import Recipient

#: Seconds between two tries, at most (before they are randomised).
MAX_DELAY = 2.0

#: API Gateway waits 29 seconds for a handler. Whoever is tried within the first so many seconds of
#: a message is waited for until then, or for LEAST_WAIT seconds, so that clients that hang do not
#: take the call past the 29.
HANDLER_SECONDS, LEAST_WAIT = 28.0, 1.0

#: Seconds before one who has hung is tried again, while there are others that have not been tried:
#: it may hang again, and keep a connection from them.
HUNG_DELAY = 3.0

#: How often one recipient is tried with other credentials because its own were refused.
MAX_RENEWALS = 2

#: So many recipients that could not be connected in time show that a place cannot be reached.
SEVERAL = 8

#: So many recipients that got no answer in time, and nobody else one, show that all will hang.
CROWD = 100


class RetryPolicy(NamedTuple):
    """How often and how long one recipient is tried."""

    #: To have a connection, and to have the answer on it.
    connect: float = 5
    read: float = 10
    #: A few tries that the throttling of the account costs do not count.
    tries: int = 5
    #: From the first try to the last answer. API Gateway waits 29 seconds for a handler.
    within: float = 25
    #: All of the recipients together, from the beginning to the last answer.
    whole: float = math.inf
    #: Before the second try. Before each further one it is doubled, up to MAX_DELAY.
    delay: float = 0.1

    def timeouts(self, left: float) -> Timeouts:
        """Return the time limits of a try, if there are so many seconds left."""
        whole = self.connect + self.read
        return Timeouts(min(self.connect, left), min(self.read, left), min(whole, left))

    def delay_after(self, tries: int) -> float:
        """Return the delay after so many tries, randomised."""
        delay: float = min(self.delay * 2 ** (tries - 1), MAX_DELAY)
        return delay * random.uniform(0.5, 1.5)  # noqa: S311


#: Botocore's names for answers and connections that did not come in time.
TIMEOUTS = {"ConnectTimeoutError", "ReadTimeoutError"}

SEND_POLICY = RetryPolicy()

#: Somebody may be waiting for a logout.
CLOSE_POLICY = RetryPolicy(connect=3, read=3, tries=1, within=3, whole=3)


class Pending:
    """The message for one recipient, until its outcome is known."""

    __slots__ = (
        "address",
        "failure",
        "first_tried_at",
        "free_retries",
        "keys",
        "recipient",
        "renewals",
        "sent_at",
        "tries",
    )

    def __init__(self, recipient: Recipient, address: Address, now: float) -> None:
        self.recipient = recipient
        self.address = address
        self.tries = 0
        #: Those of the tries that were refused because the account was throttled.
        self.free_retries = 0
        #: How often its credentials were refused.
        self.renewals = 0
        self.first_tried_at = self.sent_at = now
        #: The error code of its latest try, or what broke it.
        self.failure = ""
        #: The credentials that signed its latest request.
        self.keys: Any = None


#: When it is due, its place in the order, and the message.
Entry = Tuple[float, int, Pending]


class RetryQueue:
    """The messages that wait for their next try. The one that is due first comes first."""

    def __init__(self) -> None:
        self._heap: List[Entry] = []
        #: Those that no answer has come for in time. They may hang again.
        self._hung: List[Entry] = []
        #: Of messages that are due at the same time, the one that was added first comes first.
        self._sequence = count()

    def __bool__(self) -> bool:
        return bool(self._heap or self._hung)

    @property
    def next_due_at(self) -> float:
        """The time at which the first one is due; infinity if none waits."""
        return min(_due_at(self._heap), _due_at(self._hung))

    def has_only_hung(self, now: float) -> bool:
        """True if of those that are due none but those that have hung are."""
        return _due_at(self._heap) > now

    def add(self, pending: Pending, due_at: float) -> None:
        heap = self._hung if pending.failure in TIMEOUTS else self._heap
        heapq.heappush(heap, (due_at, next(self._sequence), pending))

    def pop(self) -> Pending:
        """Remove and return the first one."""
        is_hung = _due_at(self._hung) < _due_at(self._heap)
        return heapq.heappop(self._hung if is_hung else self._heap)[2]

    def clear(self) -> List[Pending]:
        """Remove and return all."""
        waiting = [pending for _, _, pending in [*self._heap, *self._hung]]
        self._heap.clear()
        self._hung.clear()
        return waiting


def _due_at(heap: List[Entry]) -> float:
    return heap[0][0] if heap else math.inf


class Unreachable:
    """The places that nobody could be connected to in time, since the latest answer of theirs."""

    def __init__(self, within: float) -> None:
        self._within = within
        #: Since when, and how many recipients. It has nothing as long as all is well.
        self._noted: Dict[Hashable, Tuple[float, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._noted)

    def note(self, place: Hashable, since: float) -> None:
        """Note a recipient of this place, who was first tried at that time."""
        earliest, number = self._noted.get(place, (since, 0))
        self._noted[place] = (min(earliest, since), number + 1)

    def forget(self, place: Hashable) -> None:
        """Note that the place has answered."""
        self._noted.pop(place, None)

    def is_in_doubt(self, place: Hashable) -> bool:
        """True if it should be tried by those alone who have been tried already."""
        return self._noted.get(place, (0, 0))[1] >= SEVERAL

    def is_given_up(self, place: Hashable, now: float) -> bool:
        """True if it has been in doubt for as long as one recipient is tried."""
        since, number = self._noted.get(place, (now, 0))
        return number >= SEVERAL and now - since >= self._within
