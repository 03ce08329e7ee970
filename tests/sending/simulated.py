"""An AWS in simulated time: an engine whose clock moves only while it is waited for.

So hours of throttling take a moment, and come out the same each time.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from itertools import count
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Optional

from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient, Report, delivery
from django_aws_api_gateway_websockets.sending.delivery import Delivery
from django_aws_api_gateway_websockets.sending.exchanges import Answer
from django_aws_api_gateway_websockets.sending.retries import RetryPolicy
from django_aws_api_gateway_websockets.sending.signing import MessageSigner

ENDPOINT = Endpoint("https://a1.execute-api.eu-west-1.amazonaws.com/production", "eu-west-1")

SERVED = Answer(200)
THROTTLED = Answer(429, "LimitExceededException", is_transient=True)

#: No answer in time, and no connection in time.
HANGS = Answer(0, "ReadTimeoutError", is_transient=True)
UNREACHABLE = Answer(0, "ConnectTimeoutError", is_transient=True)


def recipients(number: int) -> List[Recipient]:
    return [Recipient(str(n), ENDPOINT) for n in range(number)]


class SimulatedAws:
    """Answers each request after ``latency`` seconds, with what ``refuses`` finds wrong with it.

    ``quota`` messages a second, and a ``burst`` of them at once, are let through; None means all.
    """

    #: There is room for as many as it says.
    has_refused = False

    def __init__(
        self,
        monkeypatch: Any,
        *,
        capacity: int = 64,
        latency: float = 0.02,
        quota: Optional[float] = None,
        burst: float = 50,
        refuses: Optional[Callable[[str, int], Optional[Answer]]] = None,
    ) -> None:
        self.capacity = capacity
        self.quota = quota
        self.now = 1000.0
        #: Each request: when, to whom, and its answer's status.
        self.requests: List[Any] = []
        self.tries: Counter[str] = Counter()
        self._latency = latency
        self._burst = self._tokens = burst
        self._filled = self.now
        self._refuses = refuses or (lambda connection_id, tries: None)
        self._sequence = count()
        self._coming: List[Any] = []
        self._events: Dict[float, Callable[[], Any]] = {}
        random.seed(1)
        monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: self.now))

    def at(self, seconds: float, event: Callable[[], Any]) -> None:
        """Let something happen so many seconds from now."""
        self._events[self.now + seconds] = event

    def start(self, tag: Any, place: Any, request: bytes, timeouts: Any) -> None:
        connection_id = request.split()[1].rpartition(b"/")[2].decode()
        self.tries[connection_id] += 1
        answer = self._refuses(connection_id, self.tries[connection_id]) or self._meter()
        self.requests.append((self.now, connection_id, answer.status))
        waits = {HANGS: min(timeouts.read, timeouts.whole), UNREACHABLE: timeouts.connect}
        due_at = self.now + waits.get(answer, self._latency)
        heapq.heappush(self._coming, (due_at, next(self._sequence), tag, answer))

    def wait(self, seconds: float) -> List[Any]:
        until = self.now + seconds
        self.now = min(until, self._coming[0][0]) if self._coming else until
        for time in [time for time in self._events if time <= self.now]:
            self._events.pop(time)()
        answers = []
        while self._coming and self._coming[0][0] <= self.now:
            answers.append(heapq.heappop(self._coming)[2:])
        return answers

    def close(self) -> None:
        self._coming.clear()

    def send(self, to: Any, *, send_timeout: float = 7200, **policy: Any) -> Report:
        """Send a message, in simulated time, to these recipients or to that many."""
        report = Report()
        deadline = self.now + send_timeout
        signer = MessageSigner("POST", b"x")
        delivery = Delivery(signer, self, RetryPolicy(**policy), deadline)
        everybody = recipients(to) if isinstance(to, int) else to
        for _, outcome in delivery.run(everybody):
            report.count(outcome)
        return report

    def between(self, start: float, end: float) -> List[Any]:
        """The requests that were sent so many seconds after the beginning."""
        return [r for r in self.requests if start <= r[0] - 1000.0 < end]

    def _meter(self) -> Answer:
        if self.quota is None:
            return SERVED
        self._tokens = min(self._burst, self._tokens + (self.now - self._filled) * self.quota)
        self._filled = self.now
        if self._tokens < 1:
            return THROTTLED
        self._tokens -= 1
        return SERVED
