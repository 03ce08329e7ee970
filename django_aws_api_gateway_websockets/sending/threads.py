"""Carries requests with urllib3, which boto3 brings, in threads: one request each at a time."""

from __future__ import annotations

import ssl
import threading
import time
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Dict, List, Optional, Tuple

from botocore.httpsession import create_urllib3_context
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3 import exceptions as errors

from .addresses import Address
from .answers import Answer, of_response
from .couriers import Request, Timeouts
from .direct import DirectConnections

IN_FLIGHT = 64

#: Seconds in which answers gather while all threads have their next request.
GATHERING = 0.005

#: urllib3's errors by the names that botocore has for them: the first that fits.
FAILURES = (
    (errors.ConnectTimeoutError, "ConnectTimeoutError"),
    (errors.ReadTimeoutError, "ReadTimeoutError"),
    (errors.SSLError, "SSLError"),
    (errors.ProxyError, "ProxyConnectionError"),
    (errors.NewConnectionError, "EndpointConnectionError"),
    (errors.ProtocolError, "ConnectionClosedError"),
)


class Connections:
    """The connections of this process to every endpoint: a fixed number to each, shared."""

    def __init__(self, capacity: int, certificates: str) -> None:
        self._options: Dict[str, Any] = {
            "maxsize": capacity,
            "block": True,
            # Made once: to read the authorities takes longer than a hundred messages.
            "ssl_context": _tls(certificates),
            "retries": False,
        }
        self._managers: Dict[Optional[str], PoolManager] = {None: PoolManager(**self._options)}
        self._direct = DirectConnections(self._options["ssl_context"])

    def post(self, request: Request, timeouts: Timeouts) -> Answer:
        if request.address.proxy is None:
            return self._direct.post(request, timeouts)
        return post(self.to(request.address), request, timeouts)

    def to(self, address: Address) -> HTTPConnectionPool:
        if address.proxy not in self._managers:
            self._managers[address.proxy] = ProxyManager(str(address.proxy), **self._options)
        manager = self._managers[address.proxy]
        return manager.connection_from_host(address.hostname, address.port, address.scheme)


class ThreadCourier:
    """Threads that wait for requests; there are never more of them than were needed at once.

    It takes twice as many requests as it has threads: one that is done finds its next at once, and
    the thread that hands them out need not be woken for each answer, which costs as much as to
    carry a request.
    """

    def __init__(self, capacity: int, certificates: str) -> None:
        self.capacity = capacity * 2
        self._most = capacity
        self._connections = Connections(capacity, certificates)
        self._todo: SimpleQueue[Any] = SimpleQueue()
        self._done: SimpleQueue[Tuple[Any, Answer]] = SimpleQueue()
        self._threads = 0
        self._under_way = 0

    def start(self, ticket: Any, request: Request, timeouts: Timeouts) -> None:
        self._under_way += 1
        if self._threads < min(self._under_way, self._most):
            self._threads += 1
            threading.Thread(target=self._work, name="websocket-send", daemon=True).start()
        self._todo.put((ticket, request, timeouts))

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        answers: List[Tuple[Any, Answer]] = []
        if self._under_way > self._threads:
            time.sleep(min(seconds, GATHERING))
        try:
            answers.append(self._done.get(timeout=seconds))
            while True:
                answers.append(self._done.get_nowait())
        except Empty:
            self._under_way -= len(answers)
            return answers

    def close(self) -> None:
        for _ in range(self._threads):
            self._todo.put(None)

    def _work(self) -> None:
        while True:
            task = self._todo.get()
            if task is None:
                return
            ticket, request, timeouts = task
            self._done.put((ticket, self._connections.post(request, timeouts)))


def post(pool: HTTPConnectionPool, request: Request, timeouts: Timeouts) -> Answer:
    try:
        response = pool.urlopen(
            request.method,
            request.path,
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            timeout=_timeout(timeouts),
        )
    except errors.HTTPError as error:
        return _failure(error)
    if 200 <= response.status < 300:
        return Answer(response.status)
    error_type = response.headers.get("x-amzn-ErrorType", "")
    return of_response(response.status, error_type, response.data)


def _failure(error: Exception) -> Answer:
    name = next((name for kind, name in FAILURES if isinstance(error, kind)), "")
    is_untrusted = isinstance(error, errors.SSLError) and "CERTIFICATE_VERIFY" in str(error)
    return Answer(0, name or type(error).__name__, not is_untrusted)


@lru_cache(maxsize=8)
def _timeout(timeouts: Timeouts) -> Timeout:
    return Timeout(connect=timeouts.connect, read=timeouts.read)


@lru_cache(maxsize=8)
def _tls(certificates: str) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    context.check_hostname = True  # urllib3 would do so by itself, http.client would not.
    if Path(certificates).is_dir():
        context.load_verify_locations(capath=certificates)
    else:
        context.load_verify_locations(cafile=certificates)
    return context
