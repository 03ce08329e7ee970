"""Events of API Gateway: the headers and the message of the request that brings one."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError

from ..exceptions import BodyTooLarge, RequestRefused
from ..security import proof
from ..security.parameters import restore_url
from ..sending import MAX_MESSAGE_BYTES

#: The routes of the beginning and the end of a connection, as the URL has them.
CONNECT = "connect"
DISCONNECT = "disconnect"


class Event:
    """The headers that API Gateway adds and those that provisioning maps, read once."""

    def __init__(self, request: HttpRequest) -> None:
        #: The value of the source proof's header, until it has been checked.
        self.secret = proof.pop_header(request)
        restore_url(request)
        headers = request.headers
        self.connection_id = headers.get("Connectionid", "")
        self.api_id = headers.get("X-Amzn-Apigateway-Api-Id", "")
        self.origin = headers.get("Origin", "")
        self.user_agent = headers.get("User-Agent", "")
        # Each proxy appends its own scheme, so the client's comes first.
        schemes = headers.get("X-Forwarded-Proto", "")
        self.client_scheme = schemes.split(",")[0].strip().lower()
        self.request_id = headers.get("Requestid", "")
        #: The client's address, as API Gateway saw it. It is mapped, as the ids are; an
        #: integration without the mapping would pass on what its client sends by that name.
        self.source_ip = headers.get("Sourceip", "")
        #: True if the gateway hands the answer to this message on to its client.
        self.has_route_response = headers.get("Routeresponse") == "true"
        offered = headers.get("Sec-Websocket-Protocol", "")
        #: The subprotocols that the client offers, in its order of preference.
        self.subprotocols = tuple(filter(None, map(str.strip, offered.split(","))))
        #: The ticket of a $connect, once it has been taken out of the request.
        self.ticket = ""
        #: The required headers that were found missing by the latest check.
        self.missing_headers: tuple[str, ...] = ()

    def __str__(self) -> str:
        # A stranger chooses both, and may choose long ones.
        return f"connection_id={self.connection_id[:80]!r} request_id={self.request_id[:80]!r}"


def event_of(request: Any) -> Event:
    """Return the event that a request brings. It is read once, and kept on the request."""
    try:
        event: Event = request._websocket_event
    except AttributeError:
        event = request._websocket_event = Event(request)
    return event


def parse_body(request: HttpRequest, max_size: int = MAX_MESSAGE_BYTES) -> dict[str, Any]:
    """Return the message that a request carries; an empty dict if it carries none.

    Raises RequestRefused for anything but a JSON object, BodyTooLarge over ``max_size`` bytes.
    """
    raw = _read(request, max_size)
    if not raw:
        return {}
    try:
        body = _parse(raw.decode())
    except (ValueError, RecursionError) as error:
        raise RequestRefused("The message is not valid JSON") from error
    if not isinstance(body, dict):
        raise RequestRefused("The message is not a JSON object")
    return body


def _read(request: HttpRequest, max_size: int) -> bytes:
    try:
        # Checked before the body is read, so that an oversized body is never held in memory.
        if int(request.headers.get("Content-Length") or 0) > max_size:
            raise BodyTooLarge("Message too long")
        return request.body
    # In this order: the length is not a number, the body exceeds the site's own limit, the sender
    # has gone, or a middleware has read the body before.
    except (ValueError, RequestDataTooBig, UnreadablePostError, RawPostDataException) as error:
        raise RequestRefused("The message cannot be read") from error


def _parse(text: str) -> Any:
    body = json.loads(text, parse_float=_finite, parse_constant=_finite)
    if "\\ud" in text.lower():
        # JSON can contain half of a surrogate pair. UTF-8 cannot, so the message could be neither
        # stored nor sent on. This line raises a ValueError for it.
        json.dumps(body, ensure_ascii=False).encode()
    return body


def _finite(text: str) -> float:
    """Return the number; raise ValueError for NaN and infinities, 1e999 among them."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is not JSON")
    return number
