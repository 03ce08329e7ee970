"""Delivery of one message to many: who is tried next, who is tried again, and the outcomes.

A slow client blocks nobody. A recipient that must be tried again waits in a queue, and the others
are served meanwhile.
"""

from __future__ import annotations

import time
from itertools import chain, count
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from ..aws import Endpoint
from .addresses import Address, address_of, escaped
from .engines.base import Answer, Engine, Request, Timeouts
from .pace import Sample, pace
from .reports import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed
from .retries import Pending, RetryPolicy, RetryQueue
from .signing import EXPIRED_CODES, CannotSign, MessageSigner

#: An engine is never asked to wait longer than this for something to happen.
MAX_WAIT = 1.0

#: While others are due to be tried again, one in so many is a new one, so that slow clients do not
#: delay the rest.
NEW_EVERY = 4

#: While the account is throttled, so many refusals of one recipient do not count as tries.
FREE_RETRIES = 2

#: How often one recipient is tried with other credentials because its own had expired.
MAX_RENEWALS = 2

#: HTTP libraries drop these from a path.
INVALID_IDS = {"", ".", ".."}


class Delivery:
    """Sends a request with this method and body to each recipient, and yields the outcomes.

    Times are time.monotonic()'s.
    """

    def __init__(
        self, method: str, body: bytes, engine: Engine, policy: RetryPolicy, deadline: float
    ) -> None:
        self._method = method
        self._body = body
        self._success = SENT if method == "POST" else CLOSED
        self._engine = engine
        self._policy = policy
        self._deadline = deadline
        self._pace = pace()
        self._signer = MessageSigner(method, body)
        #: The recipients that have not been tried; None when there are no more.
        self._source: Optional[Iterator[Recipient]] = None
        self._addresses: Dict[Endpoint, Address] = {}
        self._in_flight = 0
        self._retries = RetryQueue()
        #: Counts the choices between a retry and a new recipient.
        self._round = count(1)

    def run(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Yield each recipient with its outcome, as soon as it is known.

        A recipient is taken when there is room for its request. All must have ordinary endpoints.
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
        return self._source is not None or bool(self._retries or self._in_flight)

    def _start_all(self, now: float) -> Iterator[Result]:
        """Start as many as there is room for and the pace allows."""
        if self._source is None and self._retries.next_due_at > now:
            return
        room = self._engine.capacity - self._in_flight
        for reserved in range(self._pace.reserve(room, now), 0, -1):
            pending = self._next(now)
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
        is_turn_of_new = next(self._round) % NEW_EVERY == 0
        pending = self._new(now) if is_turn_of_new else None
        return pending or self._retries.pop()

    def _new(self, now: float) -> Optional[Pending]:
        for recipient in self._source or ():
            return Pending(recipient, self._address(recipient), now)
        self._source = None
        return None

    def _address(self, recipient: Recipient) -> Address:
        endpoint: Any = recipient.endpoint
        if endpoint not in self._addresses:
            self._addresses[endpoint] = address_of(endpoint)
        return self._addresses[endpoint]

    def _start(self, pending: Pending, now: float) -> Optional[Outcome]:
        """Start its request, or return why that cannot be done."""
        connection_id, address = pending.recipient.connection_id, pending.address
        if connection_id in INVALID_IDS:
            return failed("Not a connection id")
        try:
            signer = self._signer.for_address(address, now)
        except CannotSign as problem:
            return failed(str(problem))
        pending.keys = self._signer.keys
        name = escaped(connection_id)
        headers = signer.headers(address.canonical_path + name.replace("%", "%25"))
        request = Request(self._method, address, address.path + name, headers, self._body)
        pending.sent_at = now
        self._engine.start(pending, request, self._timeouts(now))
        self._in_flight += 1
        return None

    def _timeouts(self, now: float) -> Timeouts:
        usual, left = self._policy.timeouts, self._deadline - now
        if left > sum(usual):
            return usual
        return Timeouts(min(usual.connect, left), min(usual.read, left))

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
        self._pace.note([self._sample(*each) for each in answers if each[1].status], now)
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
        if 200 <= answer.status < 300:
            return self._success
        # API Gateway sends some 410s without an error type.
        if answer.status == 410 or answer.code == "GoneException":
            return GONE
        if answer.code in EXPIRED_CODES and self._may_renew(pending, answer, now):
            self._retries.add(pending, due_at=now)
        elif answer.is_transient and self._may_retry(pending, answer, now):
            self._retries.add(pending, due_at=now + self._policy.delay_after(pending.tries))
        else:
            return failed(answer.code)
        return None

    def _may_renew(self, pending: Pending, answer: Answer, now: float) -> bool:
        """Count a refusal of expired credentials; return whether there are others to try."""
        pending.renewals += 1
        is_new = self._signer.renew(pending.keys, answer.code, now)
        return is_new and pending.renewals <= MAX_RENEWALS

    def _may_retry(self, pending: Pending, answer: Answer, now: float) -> bool:
        """Count a try; return whether the policy allows another one."""
        pending.tries += 1
        pending.free_retries += answer.status == 429 and self._has_free_retry(pending)
        is_in_time = now - pending.first_tried_at < self._policy.within and now < self._deadline
        return is_in_time and pending.tries - pending.free_retries < self._policy.tries

    def _give_up(self) -> Iterator[Result]:
        """Fail all that are not in flight. A request that is in flight has its own timeouts."""
        waiting = [pending.recipient for pending in self._retries.clear()]
        source, self._source = self._source or iter(()), None
        for recipient in chain(waiting, source):
            yield recipient, failed("Out of time")
