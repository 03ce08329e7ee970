"""Boto3's transport: one boto3 call for each recipient, for endpoints that are not ordinary.

Threads make the calls. How long one is waited for is bounded here, because boto3 bounds each of
its steps alone, and a server that drips holds it for good. A thread that is left behind ends with
its call.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from itertools import count
from queue import Empty, Queue
from threading import Thread
from typing import Any, Callable, Dict, Iterable, Iterator, NamedTuple, Optional, Tuple

from botocore.exceptions import ClientError

from .. import aws
from ..aws import Endpoint
from ..conf import conf
from .credentials import REFUSED_CODES, KeysOfMessage, credential_refresh
from .exchanges import error_code
from .reports import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed
from .retries import (
    CLOSE_POLICY,
    HANDLER_SECONDS,
    LEAST_WAIT,
    MAX_RENEWALS,
    SEND_POLICY,
    TIMEOUTS,
    RetryPolicy,
    Unreachable,
)

#: Seconds between two looks at the credentials.
LOOK_AT_KEYS = 1.0

#: The outcome of a call that is not waited for any longer.
TIMED_OUT = failed("ReadTimeoutError")


class Boto3Transport:
    """Reaches connections with boto3 itself, several at a time.

    What bounds a whole message counts from ``began_at``, by time.monotonic().
    """

    def __init__(self, began_at: Optional[float] = None) -> None:
        self._began_at = began_at

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        def post(client: Any, connection_id: str) -> Outcome:
            return success(SENT, client.post_to_connection(ConnectionId=connection_id, Data=body))

        return call_for_each(recipients, post, self._began_at)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        def delete(client: Any, connection_id: str) -> Outcome:
            return success(CLOSED, client.delete_connection(ConnectionId=connection_id))

        # Somebody may be waiting for a logout.
        return call_for_each(recipients, delete, self._began_at, is_urgent=True)


def call_for_each(
    recipients: Iterable[Recipient],
    call: Callable[[Any, str], Outcome],
    began_at: Optional[float] = None,
    is_urgent: bool = False,
) -> Iterator[Result]:
    """Call ``call`` with each recipient's boto3 client and connection id, several at a time."""

    def reach(recipient: Recipient) -> Outcome:
        try:
            client = aws.connections_client(recipient.endpoint, is_urgent)
            return call(client, recipient.connection_id)
        except ClientError as error:
            return outcome_of(error)
        except Exception as error:  # noqa: BLE001 - botocore's credentials and plugins fail in any way.
            return failed(type(error).__name__)

    policy = CLOSE_POLICY if is_urgent else SEND_POLICY
    calls = Calls(reach, policy, began_at or time.monotonic())
    try:
        yield from calls.run(recipients)
    finally:
        calls.close()


def success(outcome: Outcome, response: Any) -> Outcome:
    """Return the outcome of a call that botocore takes to be one: it takes a 103 or a 300, too."""
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return outcome if 200 <= status < 300 else failed(str(status))


def outcome_of(error: ClientError) -> Outcome:
    # API Gateway sends some 410s without an error type. The code is then the bare status.
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == 410:
        return GONE
    code = error_code(str(error.response.get("Error", {}).get("Code", "")))
    return GONE if code in {"GoneException", "410"} else failed(code or str(status))


class Call(NamedTuple):
    """A call that a thread makes."""

    number: int
    recipient: Recipient
    began_at: float
    #: The credentials of that moment, and how often the recipient's were refused before.
    keys: Any
    renewals: int


class Calls:
    """The calls of one message, so many at a time. Times are time.monotonic()'s.

    The recipients are taken, and the outcomes yielded, in the thread of the caller.
    """

    def __init__(
        self, reach: Callable[[Recipient], Outcome], policy: RetryPolicy, began_at: float
    ) -> None:
        self._reach = reach
        self._policy = policy
        self._deadline = began_at + min(conf.send_timeout, policy.whole)
        self._handler_until = began_at + HANDLER_SECONDS
        self._keys = KeysOfMessage(credential_refresh(), self._deadline)
        self._keys_until = -math.inf
        self._size = conf.max_in_flight or aws.BOTO3_IN_FLIGHT
        #: Threads that wait for a call or make one that is waited for, and all that were started.
        self._threads = self._started = 0
        self._is_over = False
        self._begun: Queue[Optional[Call]] = Queue()
        self._ended: Queue[Tuple[Call, Outcome]] = Queue()
        #: The calls that are waited for, in the order in which they began.
        self._under_way: Dict[int, Call] = {}
        self._numbers = count()
        self._unreachable = Unreachable(within=0)

    def run(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Yield each recipient with its outcome, as soon as it is known."""
        for recipient in recipients:
            problem = self._problem(recipient.endpoint)
            if problem:
                yield recipient, problem
                continue
            while len(self._under_way) >= self._size:
                yield from self._wait()
            self._start(recipient)
        while self._under_way:
            yield from self._wait()

    def close(self) -> None:
        """Let the threads end, each with its call."""
        self._is_over = True
        for _ in range(self._started):
            self._begun.put(None)

    def _problem(self, endpoint: Endpoint) -> Optional[Outcome]:
        """Return why a recipient is not called at all, or None."""
        now = time.monotonic()
        if now >= self._deadline:
            return failed("Out of time")
        if self._unreachable.is_given_up(endpoint, now):
            return failed("ConnectTimeoutError")
        if now >= self._keys_until:
            self._keys.load()
            self._keys_until = time.monotonic() + LOOK_AT_KEYS
        return failed(self._keys.problem) if self._keys.problem else None

    def _start(self, recipient: Recipient, renewals: int = 0) -> None:
        call = Call(next(self._numbers), recipient, time.monotonic(), self._keys.keys, renewals)
        self._under_way[call.number] = call
        if len(self._under_way) > self._threads:
            self._add_thread()
        if self._threads:
            self._begun.put(call)
        else:
            self._ended.put((call, self._reach(recipient)))

    def _add_thread(self) -> None:
        with suppress(RuntimeError):  # The process may have no more threads, or it is ending.
            Thread(target=self._work, name="websocket-send", daemon=True).start()
            self._threads += 1
            self._started += 1

    def _work(self) -> None:
        while (call := self._begun.get()) and not self._is_over:
            self._ended.put((call, self._reach(call.recipient)))

    def _wait(self) -> Iterator[Result]:
        """Wait for the first call that ends, or whose time is over."""
        first = next(iter(self._under_way.values()))
        try:
            call, outcome = self._ended.get(
                timeout=max(0.0, self._until(first) - time.monotonic())
            )
        except Empty:
            self._threads -= 1  # Its thread is left behind.
            call, outcome = first, TIMED_OUT
        if self._under_way.pop(call.number, None):
            yield from self._settle(call, outcome)

    def _until(self, call: Call) -> float:
        """Return until when a call is waited for."""
        until = min(call.began_at + self._policy.within, self._deadline)
        if call.began_at < self._handler_until:
            until = min(until, max(self._handler_until, call.began_at + LEAST_WAIT))
        return until

    def _settle(self, call: Call, outcome: Outcome) -> Iterator[Result]:
        endpoint, now = call.recipient.endpoint, time.monotonic()
        if outcome.reason == "ConnectTimeoutError":
            self._unreachable.note(endpoint, call.began_at)
        elif outcome.reason not in TIMEOUTS:
            self._unreachable.forget(endpoint)
        if outcome.reason in REFUSED_CODES and call.renewals < MAX_RENEWALS:
            self._keys.refuse(call.keys, outcome.reason, now)
            if not self._keys.problem and self._keys.keys != call.keys:
                self._start(call.recipient, call.renewals + 1)
                return
        yield call.recipient, outcome
