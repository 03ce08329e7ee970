"""Backends of integrations: sends one HTTP request, and reads one final answer in bounded time.

Knows urllib3. Does not know events and routes.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import urllib3
from urllib3._collections import HTTPHeaderDict  # urllib3 1.26 exports it nowhere else
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.response import assert_header_parsing

_SUBPROTOCOL = "Sec-WebSocket-Protocol"
_CHUNK = 65_536


class IntegrationFailed(Exception):
    """The integration gave no answer; `status` is what a handshake is refused with."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Request:
    """What an integration is sent."""

    method: str
    url: str
    headers: HTTPHeaderDict
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What an integration answered."""

    status: int
    body: bytes
    subprotocol: str | None
    location: str | None = None


class Backends:
    """Connections to backends, kept alive. Any thread may send."""

    def __init__(self, connections: int, connect_timeout: float, max_body: int) -> None:
        self._connect_timeout = connect_timeout
        self._max_body = max_body
        self._calls = _Calls()
        self._pool = urllib3.PoolManager(maxsize=connections)
        self._pool.pool_classes_by_scheme = _pool_classes(self._calls)

    def send(self, request: Request, timeout: float) -> Answer:
        """The final answer, whatever its status.

        IntegrationFailed if it is not there whole within `timeout` seconds, is no HTTP, or has a
        body of more than `max_body` bytes.
        """
        with self._calls.started(timeout) as call:
            try:
                answer = self._send(request, timeout)
            except urllib3.exceptions.NewConnectionError as error:
                raise IntegrationFailed(f"unreachable ({error})", 502) from error
            except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as error:
                if not (call.is_late or isinstance(error, urllib3.exceptions.TimeoutError)):
                    raise IntegrationFailed(f"broken answer ({error})", 502) from error
                call.is_late = True
            # An answer that was cut off in its headers looks like a whole one.
            if call.is_late:
                raise IntegrationFailed(f"no answer within {timeout} s", 504)
            return answer

    def _send(self, request: Request, timeout: float) -> Answer:
        # The backend's own answer counts: no redirect is followed, and nothing is decoded.
        response = self._pool.urlopen(
            request.method,
            request.url,
            redirect=False,
            body=request.body,
            headers=request.headers,
            timeout=urllib3.Timeout(connect=min(timeout, self._connect_timeout), read=timeout),
            retries=False,
            preload_content=False,
            decode_content=False,
            enforce_content_length=True,
        )
        body = b""
        while chunk := response.read(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > self._max_body:
                response.close()  # with its connection, whose rest is of no use
                raise IntegrationFailed(f"answered more than {self._max_body} bytes", 502)
        response.release_conn()
        headers = response.headers
        return Answer(response.status, body, headers.get(_SUBPROTOCOL), headers.get("Location"))

    def interrupt(self) -> None:
        """Abort the calls in progress. Later ones fail at once."""
        self._calls.abort_all()

    def close(self) -> None:
        self._pool.clear()


class _Call:
    """One call: its socket, while it has one, and whether its time is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self.is_late = False

    def uses(self, sock: socket.socket | None) -> None:
        with self._lock:
            self._sock = sock

    def expire(self) -> None:
        self.is_late = True
        self.abort()

    def abort(self) -> None:
        # A socket that is given back may be another call's by now, so none is left to abort.
        with self._lock, suppress(OSError):  # The socket may be closed already.
            if self._sock is not None:
                self._sock.shutdown(socket.SHUT_RDWR)


class _Calls:
    """The calls in progress, each in a thread of its own.

    urllib3 knows timeouts of each read only, so a timer cuts off a backend that drips.
    """

    def __init__(self) -> None:
        self._local = threading.local()
        self._open: WeakSet[_Call] = WeakSet()
        self._is_over = False

    @contextmanager
    def started(self, timeout: float) -> Iterator[_Call]:
        call = self._local.call = _Call()
        self._open.add(call)
        timer = threading.Timer(timeout, call.expire)
        timer.daemon = True
        timer.start()
        try:
            yield call
        finally:
            timer.cancel()
            call.uses(None)

    def use(self, sock: socket.socket) -> None:
        """Note the socket of this thread's call."""
        self._local.call.uses(sock)
        if self._is_over:
            raise ConnectionAbortedError("the gateway stops")

    def abort_all(self) -> None:
        self._is_over = True
        for call in list(self._open):
            call.abort()


class _FinalResponse(http.client.HTTPResponse):
    """A response after all interim ones. http.client passes over 100 alone.

    The next interim answer would count as the answer, and the true one would be read as that of
    the next event, of whichever client (RFC 9110, 15.2).
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        if status == http.client.SWITCHING_PROTOCOLS:
            raise http.client.BadStatusLine("101, which nobody asked for")
        if 100 <= status < 200:  # This makes begin() skip the headers, and read on.
            return version, http.client.CONTINUE, reason
        return version, status, reason

    def begin(self) -> None:
        super().begin()
        try:
            assert_header_parsing(self.msg)
        except urllib3.exceptions.HTTPError as error:
            raise http.client.HTTPException("a line is no header") from error
        # http.client would take such an answer to last until the connection ends.
        lengths = set(self.msg.get_all("Content-Length", []))
        if len(lengths) > 1 or not all(length.strip().isdecimal() for length in lengths):
            raise http.client.HTTPException("a Content-Length is no length")
        if any(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) for value in self.msg.values()):
            raise http.client.HTTPException("a header has a control character")


def _pool_classes(calls: _Calls) -> dict[str, Any]:
    """urllib3's own pools, whose connections report the sockets that they use."""

    class Reporting:
        response_class = _FinalResponse

        def connect(self) -> None:
            super().connect()  # type: ignore[misc]
            calls.use(self.sock)  # type: ignore[attr-defined]

        def getresponse(self, *args: Any, **kwargs: Any) -> Any:
            calls.use(self.sock)  # type: ignore[attr-defined]
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]

    plain = type("Plain", (Reporting, HTTPConnection), {})
    secure = type("Secure", (Reporting, HTTPSConnection), {})
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
