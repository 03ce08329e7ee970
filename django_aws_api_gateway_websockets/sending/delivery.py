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

from ..aws import Endpoint
from .addresses import Address, address_of, escaped
from .engines.base import Answer, Engine, Request, Timeouts
from .pace import Sample, pace
from .reports import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed
from .signing import EXPIRED_CODES, CannotSign, MessageSigner

#: No engine waits longer for something to happen.
LONGEST_WAIT = 1.0

#: Seconds between two tries, at most (before they are randomised).
LONGEST_DELAY = 2.0

#: One in so many is new while others wait to be tried again: slow clients hold up nobody.
NEW_ONES = 4

#: So many refusals of one recipient, while the account is throttled, are put down to that.
EXCUSED = 2

#: How often one recipient is tried with other credentials because those it had were expired.
RENEWALS = 2

#: What a path would lose.
NO_IDS = {"", ".", ".."}


class Patience(NamedTuple):
    """How long one recipient is tried. All but ``tries`` are seconds."""

    timeouts: Timeouts = Timeouts(connect=5, read=10)
    #: Some that the account's throttling costs do not count.
    tries: int = 5
    #: From its first try; what is under way then may still succeed.
    within: float = 30
    #: Before the second try; doubled before each further one, up to two, and randomised.
    delay: float = 0.1


#: For a logout, for which somebody waits.
URGENT = Patience(Timeouts(connect=3, read=3), tries=1)


class Parcel:
    """The message for one recipient."""

    __slots__ = ("address", "excused", "keys", "left", "recipient", "renewals", "since", "tries")

    def __init__(self, recipient: Recipient, address: Address, now: float) -> None:
        self.recipient = recipient
        self.address = address
        #: Tries, and those of them that are put down to the account.
        self.tries = self.excused = 0
        #: How often its credentials had expired.
        self.renewals = 0
        #: When it was tried first, and last.
        self.since = self.left = now
        #: The credentials that it was signed with last.
        self.keys: Any = None


class Delivery:
    """Sends one method and body to each recipient; ``run`` tells what became of them."""

    def __init__(
        self, method: str, body: bytes, engine: Engine, patience: Patience, deadline: float
    ) -> None:
        self._method = method
        self._body = body
        self._done = SENT if method == "POST" else CLOSED
        self._engine = engine
        self._patience = patience
        #: By time.monotonic(), as all times here.
        self._deadline = deadline
        self._pace = pace()
        self._signer = MessageSigner(method, body)
        self._source: Optional[Iterator[Recipient]] = None
        self._addresses: Dict[Endpoint, Address] = {}
        self._flying = 0
        self._lot = count()
        self._turn = count(1)
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
            if self._is_busy:
                yield from self._settle_all(self._engine.wait(self._pause(now)))

    @property
    def _is_busy(self) -> bool:
        return self._source is not None or bool(self._waiting or self._flying)

    def _start_all(self, now: float) -> Iterator[Result]:
        """Start as many as there is room for and the pace allows."""
        if self._source is None and not self._is_due(now):
            return
        room = self._engine.capacity - self._flying
        for left in range(self._pace.reserve(room, now), 0, -1):
            parcel = self._next(now)
            if parcel is None:
                self._pace.give_back(left)
                return
            problem = self._start(parcel, now)
            if problem:
                yield parcel.recipient, problem

    def _is_due(self, now: float) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= now

    def _next(self, now: float) -> Optional[Parcel]:
        """Return one that is due to be tried again, or a new one; they take turns."""
        if self._is_due(now):
            is_new_ones_turn = next(self._turn) % NEW_ONES == 0
            parcel = self._new(now) if is_new_ones_turn else None
            return parcel or heapq.heappop(self._waiting)[2]
        return self._new(now)

    def _new(self, now: float) -> Optional[Parcel]:
        for recipient in self._source or ():
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
            signer = self._signer.for_address(address, now)
        except CannotSign as problem:
            return failed(str(problem))
        parcel.keys = self._signer.keys
        name = escaped(connection_id)
        headers = signer.headers(address.canonical_path + name.replace("%", "%25"))
        request = Request(self._method, address, address.path + name, headers, self._body)
        parcel.left = now
        self._engine.start(parcel, request, self._timeouts(now))
        self._flying += 1
        return None

    def _timeouts(self, now: float) -> Timeouts:
        usual, left = self._patience.timeouts, self._deadline - now
        if left > sum(usual):
            return usual
        return Timeouts(min(usual.connect, left), min(usual.read, left))

    def _pause(self, now: float) -> float:
        """The seconds after which there is something to do, if no answer comes before."""
        until = now + LONGEST_WAIT
        if now < self._deadline:
            until = min(until, self._deadline)
        if self._flying < self._engine.capacity and self._is_waited_for:
            start = now if self._source is not None else self._waiting[0][0]
            until = min(until, max(start, now + self._pace.delay(now)))
        return until - now

    @property
    def _is_waited_for(self) -> bool:
        return self._source is not None or bool(self._waiting)

    def _settle_all(self, answers: List[Tuple[Parcel, Answer]]) -> Iterator[Result]:
        now = time.monotonic()
        self._flying -= len(answers)
        self._pace.note([self._sample(*each) for each in answers if each[1].status], now)
        for parcel, answer in answers:
            outcome = self._settle(parcel, answer, now)
            if outcome:
                yield parcel.recipient, outcome

    def _sample(self, parcel: Parcel, answer: Answer) -> Sample:
        """What the pace may learn from it: not from one slow client time after time."""
        tells = answer.status < 500 and (not parcel.tries or self._is_excused(parcel))
        return Sample(parcel.left, answer.status == 429, tells)

    def _is_excused(self, parcel: Parcel) -> bool:
        return self._pace.is_throttled and parcel.excused < EXCUSED

    def _settle(self, parcel: Parcel, answer: Answer, now: float) -> Optional[Outcome]:
        """Return what became of it, or None if it is tried again."""
        if 200 <= answer.status < 300:
            return self._done
        # API Gateway sends some 410s without an error type.
        if answer.status == 410 or answer.code == "GoneException":
            return GONE
        if answer.code in EXPIRED_CODES and self._has_new_keys(parcel, answer, now):
            self._wait(parcel, now)
        elif answer.is_transient and self._has_patience(parcel, answer, now):
            delay = min(self._patience.delay * 2 ** (parcel.tries - 1), LONGEST_DELAY)
            self._wait(parcel, now + delay * random.uniform(0.5, 1.5))  # noqa: S311
        else:
            return failed(answer.code)
        return None

    def _has_new_keys(self, parcel: Parcel, answer: Answer, now: float) -> bool:
        parcel.renewals += 1
        is_new = self._signer.renew(parcel.keys, answer.code, now)
        return is_new and parcel.renewals <= RENEWALS

    def _has_patience(self, parcel: Parcel, answer: Answer, now: float) -> bool:
        parcel.tries += 1
        parcel.excused += answer.status == 429 and self._is_excused(parcel)
        is_in_time = now - parcel.since < self._patience.within and now < self._deadline
        return is_in_time and parcel.tries - parcel.excused < self._patience.tries

    def _wait(self, parcel: Parcel, due: float) -> None:
        heapq.heappush(self._waiting, (due, next(self._lot), parcel))

    def _give_up(self) -> Iterator[Result]:
        """Fail all that have not been started; what is under way has its own timeouts."""
        left = [parcel.recipient for _, _, parcel in self._waiting]
        self._waiting.clear()
        source, self._source = self._source or iter(()), None
        for recipient in chain(left, source):
            yield recipient, failed("Out of time")
