"""Delivery of one message to many: who is tried next, who is tried again, and the outcomes.

A slow client blocks nobody. A recipient that must be tried again waits in a queue, and the others
are served meanwhile.
"""

from __future__ import annotations

import math
import time
from itertools import chain, count
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from ..aws import Endpoint
from .addresses import Address, address_of
from .credentials import REFUSED_CODES, CannotSign
from .exchanges import NO_ROOM, NO_ROOM_SECONDS, Answer, Timeouts
from .pace import Sample, pace
from .reports import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed
from .retries import (
    CROWD,
    HANDLER_SECONDS,
    HUNG_DELAY,
    LEAST_WAIT,
    MAX_RENEWALS,
    TIMEOUTS,
    Pending,
    RetryPolicy,
    RetryQueue,
    Unreachable,
)
from .signing import MessageSigner
from .sockets.engine import Engine

#: An engine is never asked to wait longer than this for something to happen.
MAX_WAIT = 1.0

#: While others are due to be tried again, one in so many is a new one, so that slow clients do not
#: delay the rest.
NEW_EVERY = 4

#: While only those that have hung are due, one in so many is one of them: it may hang again, and
#: keep a connection from the rest.
HUNG_EVERY = 16

#: While the account is throttled, so many refusals of one recipient do not count as tries.
FREE_RETRIES = 2

#: Seconds after which a recipient is looked at again whose place cannot be reached at the moment.
HELD_SECONDS = 1.0

#: Seconds before the end of a handler's time in which nothing can be gained any more.
LAST_MOMENT = 0.1

#: HTTP libraries drop these from a path.
INVALID_IDS = {"", ".", ".."}


class Addresses(Dict[Endpoint, Optional[Address]]):
    """The address of each endpoint, found once."""

    def __missing__(self, endpoint: Endpoint) -> Optional[Address]:
        self[endpoint] = address_of(endpoint)
        return self[endpoint]


class Delivery:
    """Sends the signer's request to each recipient, and yields the outcomes.

    Times are time.monotonic()'s.
    """

    def __init__(
        self,
        signer: MessageSigner,
        engine: Engine,
        policy: RetryPolicy,
        deadline: float,
        began_at: Optional[float] = None,
    ) -> None:
        self._signer = signer
        self._success = SENT if signer.method == "POST" else CLOSED
        self._engine = engine
        self._policy = policy
        self._usual_timeouts = policy.timeouts(math.inf)
        self._deadline = deadline
        self._pace = pace()
        #: The recipients that have not been tried; None when there are no more.
        self._source: Optional[Iterator[Recipient]] = None
        self._addresses = Addresses()
        #: The recipients that only boto3 can reach.
        self.for_boto3: List[Recipient] = []
        self._in_flight = 0
        self._retries = RetryQueue()
        self._unreachable = Unreachable(policy.within)
        #: Until when those who hang are waited for; infinity if others take longer anyway.
        self._handler_until = (began_at or time.monotonic()) + HANDLER_SECONDS
        #: Since when no answer has come to any request, how many recipients have hung since, and
        #: what the latest of them waited for.
        self._silent_since = math.inf
        self._hung, self._hung_by = 0, ""
        #: Counts the choices between a retry and a new recipient.
        self._round = count(1)

    def run(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Yield each recipient with its outcome, as soon as it is known.

        A recipient is taken when there is room for its request. Those that only boto3 can reach
        are put into ``for_boto3`` instead.
        """
        self._source = iter(recipients)
        while self._is_busy:
            now = time.monotonic()
            if now >= self._deadline:
                yield from self._give_up("Out of time")
            elif self._hung >= CROWD and now - self._silent_since >= self._policy.within:
                yield from self._give_up(self._hung_by)
            else:
                yield from self._start_all(now)
            if self._is_busy:
                yield from self._settle_all(self._engine.wait(self._pause(now)))

    @property
    def _is_busy(self) -> bool:
        return self._source is not None or bool(self._retries or self._in_flight)

    def _start_all(self, now: float) -> Iterator[Result]:
        """Start as many as there is room for and the pace allows."""
        if self._source is None and self._retries.next_due_at > now:
            return
        room = self._engine.capacity - self._in_flight
        self._silent_since = min(self._silent_since, now)
        for reserved in range(self._pace.reserve(room, now), 0, -1):
            # The engine may have refused the one before.
            pending = None if self._engine.has_refused else self._next(now)
            if pending is None:
                self._pace.give_back(reserved)
                return
            problem = self._start(pending, now)
            if problem:
                yield pending.recipient, problem

    def _next(self, now: float) -> Optional[Pending]:
        """Return a retry that is due, or a new one, in turns; None if there is neither."""
        if self._retries.next_due_at > now:
            return self._new(now)
        turn = next(self._round)
        is_turn_of_new = turn % NEW_EVERY == 0
        if self._retries.has_only_hung(now):
            is_turn_of_new = turn % HUNG_EVERY != 0
        pending = self._new(now) if is_turn_of_new else None
        return pending or self._retries.pop()

    def _new(self, now: float) -> Optional[Pending]:
        if self._source is None:
            return None
        for recipient in self._source:
            address = self._addresses[recipient.endpoint]
            if address is not None:
                return Pending(recipient, address, now)
            self.for_boto3.append(recipient)
        self._source = None
        return None

    def _look_ahead(self, source: Iterator[Recipient]) -> None:
        """Find out, when the time of a handler is over, whether others take longer anyway."""
        following = next(source, None)
        if following is None:
            self._source = None
        else:
            self._source = chain([following], source)
            self._handler_until = math.inf

    def _start(self, pending: Pending, now: float) -> Optional[Outcome]:
        """Start its request, or return why that cannot be done."""
        connection_id, address = pending.recipient.connection_id, pending.address
        if connection_id in INVALID_IDS:
            return failed("Not a connection id")
        if (
            self._unreachable
            and not pending.tries
            and self._unreachable.is_in_doubt(address.place)
        ):
            return self._hold(pending, now)
        try:
            signer = self._signer.for_address(address, now)
        except CannotSign as problem:
            return failed(str(problem))
        pending.keys = self._signer.keys
        pending.sent_at = now
        timeouts = self._timeouts(pending, now)
        if timeouts.whole <= 0:  # It has waited for its turn for too long.
            return failed(pending.failure or "Out of time")
        self._engine.start(pending, address.place, signer.request(connection_id), timeouts)
        self._in_flight += 1
        return None

    def _hold(self, pending: Pending, now: float) -> Optional[Outcome]:
        """Let those try its place who have tried it before, or return that it is given up."""
        self._pace.give_back(1)
        if self._unreachable.is_given_up(pending.address.place, now):
            return failed("ConnectTimeoutError")
        self._retries.add(pending, due_at=now + HELD_SECONDS)
        return None

    def _timeouts(self, pending: Pending, now: float) -> Timeouts:
        left = min(pending.first_tried_at + self._policy.within, self._deadline) - now
        if now < self._handler_until:
            left = min(left, max(self._handler_until - now, LEAST_WAIT))
        elif self._source is None and pending.failure in TIMEOUTS:
            left = 0  # It would take the call past the time of a handler.
        is_usual = left >= self._usual_timeouts.whole
        return self._usual_timeouts if is_usual else self._policy.timeouts(left)

    def _pause(self, now: float) -> float:
        """Return after how many seconds there is something to do even without an answer."""
        until = now + MAX_WAIT
        if now < self._deadline:
            until = min(until, self._deadline)
        if self._in_flight < self._engine.capacity:
            next_at = self._retries.next_due_at if self._source is None else now
            until = min(until, max(next_at, now + self._pace.delay(now)))
        return until - now

    def _settle_all(self, answers: List[Tuple[Pending, Answer]]) -> Iterator[Result]:
        now = time.monotonic()
        self._in_flight -= len(answers)
        if self._source is not None and self._is_last_moment(now):
            self._look_ahead(self._source)
        samples = [self._sample(*each) for each in answers if each[1].status]
        self._pace.note(samples, now)
        if samples:
            self._silent_since, self._hung = now if self._in_flight else math.inf, 0
        for pending, answer in answers:
            outcome = self._settle(pending, answer, now)
            if outcome:
                yield pending.recipient, outcome

    def _sample(self, pending: Pending, answer: Answer) -> Sample:
        """Return what the pace can learn from an answer.

        The repeated refusals of one slow client tell nothing about the account.
        """
        is_telling = answer.status < 500 and (not pending.tries or self._has_free_retry(pending))
        return Sample(pending.sent_at, answer.status == 429, is_telling)

    def _has_free_retry(self, pending: Pending) -> bool:
        return self._pace.is_throttled and pending.free_retries < FREE_RETRIES

    def _settle(self, pending: Pending, answer: Answer, now: float) -> Optional[Outcome]:
        """Return the outcome, or None if the recipient will be tried again."""
        if answer.status and self._unreachable:
            self._unreachable.forget(pending.address.place)
        if 200 <= answer.status < 300:
            return self._success
        # API Gateway sends some 410s without an error type.
        if answer.status == 410 or answer.code == "GoneException":
            return GONE
        self._note_failure(pending, answer)
        if answer is NO_ROOM and self._is_in_time(pending, answer, now):
            self._retries.add(pending, due_at=now + NO_ROOM_SECONDS)
        elif answer.code in REFUSED_CODES and self._may_renew(pending, answer, now):
            self._retries.add(pending, due_at=now)
        elif answer.is_transient and self._may_retry(pending, answer, now):
            self._retries.add(pending, due_at=now + self._delay(pending))
        else:
            return failed(answer.code)
        return None

    def _delay(self, pending: Pending) -> float:
        """Return the delay before the next try. Whoever has hung lets new recipients go first."""
        delay = self._policy.delay_after(pending.tries)
        is_behind_others = self._source is not None and pending.failure in TIMEOUTS
        return max(delay, HUNG_DELAY) if is_behind_others else delay

    def _note_failure(self, pending: Pending, answer: Answer) -> None:
        pending.failure = answer.code
        if answer.code in TIMEOUTS and not pending.tries:
            self._hung, self._hung_by = self._hung + 1, answer.code
            if answer.code == "ConnectTimeoutError":
                self._unreachable.note(pending.address.place, pending.first_tried_at)

    def _may_renew(self, pending: Pending, answer: Answer, now: float) -> bool:
        """Count a refusal of credentials; return whether there are others to try."""
        pending.renewals += 1
        is_new = self._signer.renew(pending.keys, answer.code, now)
        return is_new and pending.renewals <= MAX_RENEWALS

    def _may_retry(self, pending: Pending, answer: Answer, now: float) -> bool:
        """Count a try; return whether the policy allows another one."""
        pending.tries += 1
        pending.free_retries += answer.status == 429 and self._has_free_retry(pending)
        has_tries = pending.tries - pending.free_retries < self._policy.tries
        return has_tries and self._is_in_time(pending, answer, now)

    def _is_in_time(self, pending: Pending, answer: Answer, now: float) -> bool:
        # When all have been tried, those that hang are not waited for past the time of a handler.
        is_last = self._source is None and not answer.status and self._is_last_moment(now)
        is_due = now - pending.first_tried_at < self._policy.within and now < self._deadline
        return is_due and not is_last

    def _is_last_moment(self, now: float) -> bool:
        """True if the time of a handler is over, or will be before a try can gain anything."""
        return now + LAST_MOMENT >= self._handler_until

    def _give_up(self, reason: str) -> Iterator[Result]:
        """Fail all that are not in flight. A request that is in flight has its own timeouts."""
        waiting = [pending.recipient for pending in self._retries.clear()]
        source, self._source = self._source or iter(()), None
        for recipient in chain(waiting, source):
            yield recipient, failed(reason)
