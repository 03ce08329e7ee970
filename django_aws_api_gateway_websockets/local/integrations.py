"""Integrations, called with HTTP: what each is sent for an event, and the threads that send it.

Knows urllib3 and what API Gateway sends. Does not know the sockets of the clients.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from weakref import WeakSet

import urllib3
from urllib3._collections import HTTPHeaderDict  # urllib3 1.26 exports it nowhere else
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .deployments import Route
from .events import Event
from .expressions import RESTRICTED_HEADERS
from .limits import Limits

_SUBPROTOCOL = "Sec-WebSocket-Protocol"
#: The client's headers that end at the gateway: hop-by-hop (RFC 9110, 7.6.1) and its own Host.
_NOT_FORWARDED = RESTRICTED_HEADERS | {
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
}


class IntegrationFailed(Exception):
    """The integration gave no answer; `status` is what a handshake is refused with."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What an integration answered."""

    status: int
    body: bytes
    subprotocol: str | None


@dataclass(frozen=True)
class Request:
    """What an integration is sent."""

    method: str
    url: str
    headers: HTTPHeaderDict
    body: bytes


class Integrations:
    """Calls integrations from a bounded pool of threads, over connections that are kept alive."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.workers, "local-gateway-integration")
        self._sockets = _OpenSockets()
        self._pool = urllib3.PoolManager(maxsize=limits.workers)
        self._pool.pool_classes_by_scheme = _pool_classes(self._sockets)

    async def call(self, route: Route, event: Event) -> Answer:
        """The integration's answer, whatever its status. IntegrationFailed if there is none."""
        timeout = min(self._limits.integration_timeout, route.timeout)
        request = build_request(route, event)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._send, request, timeout)

    def _send(self, request: Request, timeout: float) -> Answer:
        # The read timeout is for each read, so a backend that sends slowly may take longer.
        timeouts = urllib3.Timeout(
            connect=min(timeout, self._limits.connect_timeout), read=timeout
        )
        try:
            # The backend's own answer counts: no redirect is followed, and nothing is decoded.
            response = self._pool.urlopen(
                request.method,
                request.url,
                redirect=False,
                body=request.body,
                headers=request.headers,
                timeout=timeouts,
                retries=False,
                decode_content=False,
            )
        except urllib3.exceptions.NewConnectionError as error:
            raise IntegrationFailed(f"unreachable ({error})", 502) from error
        except urllib3.exceptions.TimeoutError as error:
            raise IntegrationFailed(f"no answer within {timeout} s", 504) from error
        except urllib3.exceptions.HTTPError as error:
            raise IntegrationFailed(f"broken answer ({error})", 502) from error
        return Answer(response.status, response.data, response.headers.get(_SUBPROTOCOL))

    def interrupt(self) -> None:
        """Abort the calls in progress. Later ones fail at once."""
        self._sockets.shut_down()

    def close(self) -> None:
        """Wait for the threads. Call interrupt() first if that must not take long."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._pool.clear()


def build_request(route: Route, event: Event) -> Request:
    """What API Gateway would send to the route's integration."""
    headers = HTTPHeaderDict()
    for name, value in event.headers:
        if name.lower() not in _NOT_FORWARDED:
            headers.add(name, _as_latin_1(value))
    for name, value in _gateway_headers(event):
        headers[name] = value
    url, arguments = route.uri, [event.query] if event.query else []
    for location, name, value in _mapped_values(route, event):
        if location == "header":
            headers[name] = _header_text(value)
        elif location == "querystring":
            arguments.append(urlencode({name: value}))
        else:
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return Request(route.method, _with_query(url, arguments), headers, event.body)


def _gateway_headers(event: Event) -> Iterator[tuple[str, str]]:
    """What the gateway adds. A client's own X-Forwarded-For stays in front, unproven."""
    address = event.context["identity.sourceIp"]
    claimed = event.header("X-Forwarded-For")
    api_id = event.context["apiId"]
    yield "X-Forwarded-For", f"{_as_latin_1(claimed)}, {address}" if claimed else address
    yield "X-Forwarded-Proto", "http"
    yield "X-Forwarded-Port", str(event.port)
    yield "X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    yield "X-Amzn-Apigateway-Api-Id", api_id
    if event.header("User-Agent") is None:
        yield "User-Agent", f"AmazonAPIGateway_{api_id}"
    if event.header("Accept-Encoding") is None:
        # Without this http.client adds one of its own.
        yield "Accept-Encoding", urllib3.util.SKIP_HEADER


def _mapped_values(route: Route, event: Event) -> Iterator[tuple[str, str, str]]:
    for parameter in route.parameters:
        value = parameter.source.value(event, route.declared)
        if value is not None:
            yield parameter.location, parameter.name, value


def _with_query(url: str, arguments: list[str]) -> str:
    if not arguments:
        return url
    return url + ("&" if "?" in url else "?") + "&".join(arguments)


def _as_latin_1(value: str) -> str:
    """A client's header, byte for byte. websockets 16 keeps bytes beyond ASCII as surrogates."""
    return value.encode("latin-1", "surrogateescape").decode("latin-1")


def _header_text(value: str) -> str:
    """A mapped value as UTF-8. A control character could end the header and becomes a space."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", value).encode(errors="replace").decode("latin-1")


class _OpenSockets:
    """The sockets of the calls in progress, so that the calls can be aborted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._is_shut_down = False

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            if self._is_shut_down:
                raise ConnectionAbortedError("the gateway stops")
            self._open.add(sock)

    def shut_down(self) -> None:
        with self._lock:
            self._is_shut_down = True
            for sock in self._open:
                with suppress(OSError):  # The socket may be closed already.
                    sock.shutdown(socket.SHUT_RDWR)


def _pool_classes(sockets: _OpenSockets) -> dict[str, Any]:
    """urllib3's own pools, whose connections report the sockets that they open."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    secure = type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure})
    return {"http": plain, "https": secure}
