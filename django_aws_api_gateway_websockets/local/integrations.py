"""Integrations: what each is sent for an event, and the threads that send it.

Knows what API Gateway sends. Does not know the sockets of the clients.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from asyncio import Future
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

import urllib3
from urllib3._collections import HTTPHeaderDict  # urllib3 1.26 exports it nowhere else

from .backends import Answer, Backends, IntegrationFailed, Request
from .deployments import Proxy, Route
from .events import Event
from .expressions import RESTRICTED_HEADERS
from .limits import Limits
from .mock_integrations import Mock

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_THREADS = "local-gateway-integration"
#: Seconds between two warnings that calls of one route wait.
_WARN_EVERY = 5.0
#: The client's headers that end at the gateway: hop-by-hop (RFC 9110, 7.6.1) and its own Host.
_NOT_FORWARDED = RESTRICTED_HEADERS | {
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
}


class Integrations:
    """Calls integrations, each route's by threads of its own: a slow one holds up no other."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._backends = Backends(
            4 * limits.workers, limits.connect_timeout, max_body=limits.message_size
        )
        #: For each route, (API, route key): its threads, its calls, and when a warning came.
        self._threads: dict[tuple[str, str], ThreadPoolExecutor] = {}
        self._calls: Counter[tuple[str, str]] = Counter()
        self._warned_at: dict[tuple[str, str], float] = {}

    async def call(self, route: Route, event: Event) -> Answer:
        """The integration's answer, whatever its status. IntegrationFailed if there is none."""
        integration = route.integration
        if isinstance(integration, Mock):
            return _answer_of_mock(integration, route)
        timeout = min(self._limits.integration_timeout, integration.timeout)
        request = build_request(integration, route.declared, event)
        key = event.context["apiId"], route.key
        self._calls[key] += 1
        self._warn_if_waiting(key)
        try:
            return await self._answer(key, request, timeout)
        finally:
            self._calls[key] -= 1

    def _answer(self, key: tuple[str, str], request: Request, timeout: float) -> Future[Answer]:
        if key not in self._threads:
            self._threads[key] = ThreadPoolExecutor(self._limits.workers, _THREADS)
        loop = asyncio.get_running_loop()
        try:
            return loop.run_in_executor(self._threads[key], self._backends.send, request, timeout)
        except RuntimeError as error:  # Python starts no more calls.
            raise IntegrationFailed("the program ends", 503) from error

    def _warn_if_waiting(self, key: tuple[str, str]) -> None:
        waiting = self._calls[key] - self._limits.workers
        now = time.monotonic()
        if waiting > 0 and now - self._warned_at.get(key, -_WARN_EVERY) >= _WARN_EVERY:
            self._warned_at[key] = now
            reason = f"the site is answering {self._limits.workers} others, slowly"
            text = "%d calls wait api_id=%s route_key=%s reason=%r"
            logger.warning(text, waiting, *key, reason)

    def interrupt(self) -> None:
        """Abort the calls in progress. Later ones fail at once."""
        self._backends.interrupt()

    def close(self) -> None:
        """Wait for the threads. Call interrupt() first if that must not take long."""
        for threads in self._threads.values():
            threads.shutdown(wait=True, cancel_futures=True)
        self._backends.close()


def _answer_of_mock(mock: Mock, route: Route) -> Answer:
    if mock.body is None and route.replies:
        raise IntegrationFailed(f"no integration response takes the status {mock.status}", 500)
    return Answer(mock.status, mock.body or b"", subprotocol=None)


def build_request(proxy: Proxy, declared: frozenset[str], event: Event) -> Request:
    """What API Gateway would send to an integration.

    ``declared`` are the request parameters of the event's route.
    """
    headers = HTTPHeaderDict()
    for name, value in event.headers:
        if name.lower() not in _NOT_FORWARDED:
            headers.add(name, _as_latin_1(value))
    for name, value in _gateway_headers(event):
        headers[name] = value
    url, arguments = proxy.uri, [event.query] if event.query else []
    for location, name, value in _mapped_values(proxy, declared, event):
        if location == "header":
            headers[name] = _header_text(value)
        elif location == "querystring":
            arguments.append(urlencode({name: value}))
        else:
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return Request(proxy.method, _with_query(url, arguments), headers, event.body)


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


def _mapped_values(
    proxy: Proxy, declared: frozenset[str], event: Event
) -> Iterator[tuple[str, str, str]]:
    for parameter in proxy.parameters:
        value = parameter.source.value(event, declared)
        if value is not None:
            # JSON can contain half of a surrogate pair, and UTF-8 cannot.
            text = value.encode(errors="replace").decode()
            yield parameter.location, parameter.name, text


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
