"""Carries requests with urllib3, which boto3 brings, in threads: one request each at a time."""

from __future__ import annotations

import os
import ssl
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from queue import Empty, LifoQueue, SimpleQueue
from typing import Any, Dict, List, Optional, Tuple

from botocore.httpsession import ProxyConfiguration, create_urllib3_context
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, Timeout
from urllib3 import exceptions as errors

from .base import MAX_RESPONSE_BYTES, Answer, Request, Timeouts, error_answer
from .direct import DirectConnections

IN_FLIGHT = 64

#: Seconds in which answers gather while all threads have their next request.
GATHERING = 0.005

#: urllib3's errors by the names that botocore has for them, in its order: the first that fits.
FAILURES = (
    (errors.SSLError, "SSLError"),
    (errors.NewConnectionError, "EndpointConnectionError"),
    (errors.ProxyError, "ProxyConnectionError"),
    (errors.ConnectTimeoutError, "ConnectTimeoutError"),
    (errors.ReadTimeoutError, "ReadTimeoutError"),
    (errors.ProtocolError, "ConnectionClosedError"),
)


class IdleConnections(LifoQueue):  # type: ignore[type-arg]  # not generic on Python 3.8
    """The connections that wait in a pool. urllib3 closes them at the end of a process.

    In a forked child no thread of the parent will ever let go of the lock.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._owner = os.getpid()

    def get(self, block: bool = True, timeout: Optional[float] = None) -> Any:
        if os.getpid() == self._owner:
            return super().get(block, timeout)
        try:
            return self.queue.pop()
        except IndexError:
            raise Empty from None


class PlainPool(HTTPConnectionPool):
    QueueCls = IdleConnections


class TlsPool(HTTPSConnectionPool):
    QueueCls = IdleConnections


class Connections:
    """The connections of this process to every endpoint: a fixed number to each, shared."""

    def __init__(self, capacity: int, certificates: str) -> None:
        self._certificates = certificates
        self._options: Dict[str, Any] = {"maxsize": capacity, "block": True, "retries": False}
        self._lock = threading.Lock()
        self._direct: Optional[DirectConnections] = None
        self._managers: Dict[str, ProxyManager] = {}

    def post(self, request: Request, timeouts: Timeouts) -> Answer:
        proxy = request.address.proxy
        try:
            if proxy is None:
                return self._without_proxy().post(request, timeouts)
            return post(self._by_way_of(proxy), request, timeouts)
        except errors.HTTPError as error:
            return _failure(error)
        except Exception:  # noqa: BLE001 - or the broadcast would wait for the answer for ever
            return Answer(0, "HTTPClientError", True)

    def close(self) -> None:
        with self._lock:
            if self._direct:
                self._direct.close()
            for manager in self._managers.values():
                manager.clear()

    def _without_proxy(self) -> DirectConnections:
        with self._lock:
            # Made once: to read the authorities takes longer than a hundred messages.
            self._direct = self._direct or DirectConnections(_tls(self._certificates))
            return self._direct

    def _by_way_of(self, proxy: str) -> ProxyManager:
        with self._lock:
            if proxy not in self._managers:
                options = {**self._options, "ssl_context": _tls(self._certificates)}
                manager = ProxyManager(proxy, proxy_headers=proxy_headers(proxy), **options)
                manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
                self._managers[proxy] = manager
            return self._managers[proxy]


class ThreadEngine:
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

    def start(self, tag: Any, request: Request, timeouts: Timeouts) -> None:
        self._under_way += 1
        if self._threads < min(self._under_way, self._most):
            self._threads += 1
            threading.Thread(target=self._work, name="websocket-send", daemon=True).start()
        self._todo.put((tag, request, timeouts))

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
        with suppress(Empty):
            while True:
                self._todo.get_nowait()
        for _ in range(self._threads):
            self._todo.put(None)

    def _work(self) -> None:
        while True:
            task = self._todo.get()
            if task is None:
                self._connections.close()  # The last thread closes the last of them.
                return
            tag, request, timeouts = task
            self._done.put((tag, self._connections.post(request, timeouts)))


def post(manager: ProxyManager, request: Request, timeouts: Timeouts) -> Answer:
    """Send the request by way of a proxy. Raises urllib3's HTTPError."""
    path, headers, address = request.path, request.headers, request.address
    if address.scheme == "http":  # no tunnel: the proxy reads the request
        path = f"{address.origin}{path}"
        headers = {**headers, **manager.proxy_headers}
    pool = manager.connection_from_host(address.hostname, address.port, address.scheme)
    response = pool.urlopen(
        request.method,
        path,
        body=request.body,
        headers=headers,
        retries=False,
        redirect=False,
        assert_same_host=False,  # which a proxy is not
        preload_content=False,
        timeout=_timeout(timeouts),
    )
    content = _content(response)
    if 200 <= response.status < 300:
        return Answer(response.status)
    return error_answer(response.status, response.headers.get("x-amzn-ErrorType", ""), content)


def proxy_headers(proxy: str) -> Dict[str, str]:
    """Return the header with the user and the password of a proxy's URL, if it has them."""
    headers: Dict[str, str] = ProxyConfiguration().proxy_headers_for(proxy)
    return headers


def _content(response: Any) -> bytes:
    content: bytes = response.read(MAX_RESPONSE_BYTES, decode_content=False)
    # The second reading tells urllib3 that nothing is left.
    if len(content) == MAX_RESPONSE_BYTES or response.read(1, decode_content=False):
        response.close()
    response.release_conn()
    return content


def _failure(error: Exception) -> Answer:
    name = next((name for kind, name in FAILURES if isinstance(error, kind)), "")
    # Both Python's and urllib3's word on a wrong certificate are ValueErrors, too.
    is_untrusted = isinstance(error, errors.SSLError) and isinstance(error.args[0], ValueError)
    return Answer(0, name or type(error).__name__, not is_untrusted)


@lru_cache(maxsize=8)
def _timeout(timeouts: Timeouts) -> Timeout:
    return Timeout(connect=timeouts.connect, read=timeouts.read)


@lru_cache(maxsize=8)
def _tls(certificates: str) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    context.check_hostname = True  # urllib3 would do so by itself, http.client would not.
    is_directory = Path(certificates).is_dir()
    try:
        context.load_verify_locations(**{"capath" if is_directory else "cafile": certificates})
    except OSError as error:
        raise errors.SSLError(ssl.CertificateError(str(error))) from error
    return context
