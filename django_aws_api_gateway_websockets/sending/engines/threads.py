"""Threads: an engine whose threads send one request at a time each.

They use http.client, or urllib3, which boto3 brings, if there is a proxy.
"""

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

#: Requests in flight, by default.
THREADS_IN_FLIGHT = 64

#: Seconds for which answers gather while all threads have their next request.
THREADS_GATHERING = 0.005

#: botocore's names for urllib3's errors, in botocore's order. The first one that fits counts.
FAILURES = (
    (errors.SSLError, "SSLError"),
    (errors.NewConnectionError, "EndpointConnectionError"),
    (errors.ProxyError, "ProxyConnectionError"),
    (errors.ConnectTimeoutError, "ConnectTimeoutError"),
    (errors.ReadTimeoutError, "ReadTimeoutError"),
    (errors.ProtocolError, "ConnectionClosedError"),
)


class IdleConnections(LifoQueue):  # type: ignore[type-arg]  # not generic on Python 3.8
    """The idle connections of a pool. urllib3 closes them at the end of a process.

    In a forked child they are taken without the lock: a thread of the parent may have held it at
    the fork, and nothing in the child would release it.
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
    """The connections to every endpoint, which an engine's threads share."""

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
                return self._direct_connections().post(request, timeouts)
            return post(self._proxy_manager(proxy), request, timeouts)
        except errors.HTTPError as error:
            return _failure(error)
        except Exception:  # noqa: BLE001 - without an answer the broadcast would wait for ever
            return Answer(0, "HTTPClientError", True)

    def close(self) -> None:
        with self._lock:
            if self._direct:
                self._direct.close()
            for manager in self._managers.values():
                manager.clear()

    def _direct_connections(self) -> DirectConnections:
        with self._lock:
            # Made once: reading the trusted certificates takes longer than a hundred messages.
            self._direct = self._direct or DirectConnections(_tls(self._certificates))
            return self._direct

    def _proxy_manager(self, proxy: str) -> ProxyManager:
        with self._lock:
            if proxy not in self._managers:
                options = {**self._options, "ssl_context": _tls(self._certificates)}
                manager = ProxyManager(proxy, proxy_headers=proxy_headers(proxy), **options)
                manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
                self._managers[proxy] = manager
            return self._managers[proxy]


class ThreadEngine:
    """Threads that wait for requests. There are never more than requests were in flight at once.

    The engine accepts twice as many requests as it has threads. So a thread finds its next request
    at once, and the thread that hands them out need not be woken for each answer, which costs as
    much as sending a request.
    """

    def __init__(self, capacity: int, certificates: str) -> None:
        self.capacity = capacity * 2
        self._max_threads = capacity
        self._connections = Connections(capacity, certificates)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._answers: SimpleQueue[Tuple[Any, Answer]] = SimpleQueue()
        self._threads = 0
        self._in_flight = 0

    def start(self, tag: Any, request: Request, timeouts: Timeouts) -> None:
        self._in_flight += 1
        if self._threads < min(self._in_flight, self._max_threads):
            self._threads += 1
            threading.Thread(target=self._work, name="websocket-send", daemon=True).start()
        self._requests.put((tag, request, timeouts))

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        answers: List[Tuple[Any, Answer]] = []
        if self._in_flight > self._threads:
            time.sleep(min(seconds, THREADS_GATHERING))
        try:
            answers.append(self._answers.get(timeout=seconds))
            while True:
                answers.append(self._answers.get_nowait())
        except Empty:
            self._in_flight -= len(answers)
            return answers

    def close(self) -> None:
        with suppress(Empty):
            while True:
                self._requests.get_nowait()
        for _ in range(self._threads):
            self._requests.put(None)

    def _work(self) -> None:
        while True:
            task = self._requests.get()
            if task is None:
                # Each thread does so, since one that is still busy returns its connection later.
                self._connections.close()
                return
            tag, request, timeouts = task
            self._answers.put((tag, self._connections.post(request, timeouts)))


def post(manager: ProxyManager, request: Request, timeouts: Timeouts) -> Answer:
    """Send the request through a proxy. Raises urllib3's HTTPError."""
    path, headers, address = request.path, request.headers, request.address
    if address.scheme == "http":  # without a tunnel, the proxy reads the request itself
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
        assert_same_host=False,  # the pool's host is the proxy's
        preload_content=False,
        timeout=_timeout(timeouts),
    )
    content = _content(response)
    if 200 <= response.status < 300:
        return Answer(response.status)
    return error_answer(response.status, response.headers.get("x-amzn-ErrorType", ""), content)


def proxy_headers(proxy: str) -> Dict[str, str]:
    """Return the header with the user name and password in a proxy's URL, if it has them."""
    headers: Dict[str, str] = ProxyConfiguration().proxy_headers_for(proxy)
    return headers


def _content(response: Any) -> bytes:
    content: bytes = response.read(MAX_RESPONSE_BYTES, decode_content=False)
    # The second read tells urllib3 that nothing is left.
    if len(content) == MAX_RESPONSE_BYTES or response.read(1, decode_content=False):
        response.close()
    response.release_conn()
    return content


def _failure(error: Exception) -> Answer:
    name = next((name for kind, name in FAILURES if isinstance(error, kind)), "")
    # Python and urllib3 report a wrong certificate by errors that are ValueErrors, too.
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
