"""One message on its way to many: who is tried next, who again, and what became of each.

No worker waits for a slow client: who has to be tried again stands in line with a time, and the
others go on meanwhile.
"""

from __future__ import annotations

import heapq
import random
import time
from itertools import chain, count
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from botocore.exceptions import BotoCoreError

from ..aws import Endpoint
from .addresses import Address, address_of, escaped
from .answers import Answer
from .couriers import Courier, Request, Timeouts
from .outcomes import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed
from .pace import pace
from .seals import EXPIRED, Seal

#: No courier waits longer for something to happen.
LONGEST_WAIT = 1.0

#: What a path would lose.
NO_IDS = {"", ".", ".."}


class Patience(NamedTuple):
    """How long one recipient is tried. All but ``tries`` are seconds."""

    timeouts: Timeouts = Timeouts(connect=5, read=10)
    #: Those that the account's throttling costs do not count.
    tries: int = 5
    #: From its first try; what is under way then may still succeed.
    within: float = 30
    #: Before the second try; doubled before each further one, and randomised.
    delay: float = 0.1


#: For a logout, for which somebody waits.
URGENT = Patience(Timeouts(connect=3, read=3), tries=1)


class Parcel:
    """The message for one recipient."""

    __slots__ = ("address", "keys", "recipient", "since", "tries")

    def __init__(self, recipient: Recipient, address: Address, now: float) -> None:
        self.recipient = recipient
        self.address = address
        self.tries = 0
        self.since = now
        #: The credentials that it was signed with last.
        self.keys: Any = None


class Delivery:
    """Sends one method and body to each recipient; ``run`` tells what became of them."""

    def __init__(
        self, method: str, body: bytes, courier: Courier, patience: Patience, deadline: float
    ) -> None:
        self._method = method
        self._body = body
        self._done = SENT if method == "POST" else CLOSED
        self._courier = courier
        self._patience = patience
        #: By time.monotonic(), as all times here.
        self._deadline = deadline
        self._pace = pace()
        self._seal = Seal(method, body)
        self._source: Optional[Iterator[Recipient]] = None
        self._addresses: Dict[Endpoint, Address] = {}
        self._flying = 0
        self._lot = count()
        self._waiting: List[Tuple[float, int, Parcel]] = []

    def run(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Yield each recipient with its outcome, in the order in which they become known.

        Recipients are taken as they can be served. They must have an ordinary endpoint.
        """
        self._source = iter(recipients)
        while self._is_busy:
            now = time.monotonic()
            if now >= self._deadline:
                yield from self._give_up()
            else:
                yield from self._start_all(now)
            answers = self._courier.wait(self._pause(now))
            if answers:
                yield from self._settle_all(answers)

    @property
    def _is_busy(self) -> bool:
        return self._source is not None or bool(self._waiting or self._flying)

    def _start_all(self, now: float) -> Iterator[Result]:
        """Start as many as there is room for, those first that are tried again."""
        is_due = bool(self._waiting) and self._waiting[0][0] <= now
        if not (is_due or self._takes_new):
            return
        room = self._courier.capacity - self._flying
        if self._source is None:
            room = min(room, len(self._waiting))
        for _ in range(self._pace.take(room, now)):
            parcel = self._next(now)
            if parcel is None:
                return
            problem = self._start(parcel, now)
            if problem:
                yield parcel.recipient, problem

    @property
    def _takes_new(self) -> bool:
        """False while those that the account's throttling turned away stand in line."""
        is_jammed = self._pace.is_throttled and len(self._waiting) >= self._courier.capacity
        return self._source is not None and not is_jammed

    def _next(self, now: float) -> Optional[Parcel]:
        if self._waiting and self._waiting[0][0] <= now:
            return heapq.heappop(self._waiting)[2]
        if self._source is None or not self._takes_new:
            return None
        for recipient in self._source:
            return Parcel(recipient, self._address(recipient), now)
        self._source = None
        return None

    def _address(self, recipient: Recipient) -> Address:
        endpoint: Any = recipient.endpoint
        if endpoint not in self._addresses:
            self._addresses[endpoint] = address_of(endpoint)
        return self._addresses[endpoint]

    def _start(self, parcel: Parcel, now: float) -> Optional[Outcome]:
        """Send it off, or return why not."""
        connection_id, address = parcel.recipient.connection_id, parcel.address
        if connection_id in NO_IDS:
            return failed("Not a connection id")
        try:
            signer = self._seal.signer(address, now)
        except BotoCoreError as error:
            return failed(type(error).__name__)
        parcel.keys = self._seal.keys
        name = escaped(connection_id)
        headers = signer.headers(address.canonical_path + name.replace("%", "%25"))
        request = Request(self._method, address, address.path + name, headers, self._body)
        self._courier.start(parcel, request, self._timeouts(now))
        self._flying += 1
        return None

    def _timeouts(self, now: float) -> Timeouts:
        usual, left = self._patience.timeouts, self._deadline - now
        if left > sum(usual):
            return usual
        return Timeouts(min(usual.connect, left), min(usual.read, left))

    def _pause(self, now: float) -> float:
        """The seconds after which there is something to do, if no answer comes before."""
        until = min(now + LONGEST_WAIT, max(self._deadline, now))
        if self._flying < self._courier.capacity and (self._waiting or self._takes_new):
            start = now if self._takes_new else self._waiting[0][0]
            until = min(until, max(start, now + self._pace.delay(now)))
        return until - now

    def _settle_all(self, answers: List[Tuple[Parcel, Answer]]) -> Iterator[Result]:
        now = time.monotonic()
        self._flying -= len(answers)
        refused = sum(answer.status == 429 for _, answer in answers)
        self._pace.note(len(answers), refused, now)
        for parcel, answer in answers:
            outcome = self._settle(parcel, answer, now)
            if outcome:
                yield parcel.recipient, outcome

    def _settle(self, parcel: Parcel, answer: Answer, now: float) -> Optional[Outcome]:
        """Return what became of it, or None if it is tried again."""
        if 200 <= answer.status < 300:
            return self._done
        # API Gateway sends some 410s without an error type.
        if answer.status == 410 or answer.code == "GoneException":
            return GONE
        if answer.code in EXPIRED and self._seal.renew(parcel.keys, now):
            self._wait(parcel, now)
        elif answer.is_passing and self._has_patience(parcel, answer, now):
            delay = self._patience.delay * 2 ** max(parcel.tries - 1, 0)
            self._wait(parcel, now + delay * random.uniform(0.5, 1.5))  # noqa: S311
        else:
            return failed(answer.code)
        return None

    def _has_patience(self, parcel: Parcel, answer: Answer, now: float) -> bool:
        if answer.status != 429 or not self._pace.is_throttled:
            parcel.tries += 1
        is_in_time = now - parcel.since < self._patience.within and now < self._deadline
        return is_in_time and parcel.tries < self._patience.tries

    def _wait(self, parcel: Parcel, due: float) -> None:
        heapq.heappush(self._waiting, (due, next(self._lot), parcel))

    def _give_up(self) -> Iterator[Result]:
        """Fail all that have not been started; what is under way has its own timeouts."""
        left = [parcel.recipient for _, _, parcel in self._waiting]
        self._waiting.clear()
        source, self._source = self._source or iter(()), None
        for recipient in chain(left, source):
            yield recipient, failed("Out of time")
