"""One event of API Gateway, as the request that brings it tells it."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Mapping, NamedTuple

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError

from .exceptions import BodyTooLarge, RequestRefused
from .sending import MAX_MESSAGE_BYTES


class Event(NamedTuple):
    """The headers that API Gateway adds and those that provisioning maps, read once."""

    connection_id: str
    api_id: str
    origin: str
    user_agent: str
    client_scheme: str
    request_id: str
    #: The client's address, as API Gateway saw it. It is mapped, as the ids are; an integration
    #: without the mapping would pass on what its client sends by that name.
    source_ip: str
    #: What the client offers, in its order of preference.
    subprotocols: tuple[str, ...]

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Event:
        offered = headers.get("Sec-Websocket-Protocol", "")
        return cls(
            connection_id=headers.get("Connectionid", ""),
            api_id=headers.get("X-Amzn-Apigateway-Api-Id", ""),
            origin=headers.get("Origin", ""),
            user_agent=headers.get("User-Agent", ""),
            # A proxy of one's own may append its own hop's scheme; the client's stands first.
            client_scheme=headers.get("X-Forwarded-Proto", "").split(",")[0].strip().lower(),
            request_id=headers.get("Requestid", ""),
            source_ip=headers.get("Sourceip", ""),
            subprotocols=tuple(filter(None, map(str.strip, offered.split(",")))),
        )


def parse_body(request: HttpRequest) -> dict[str, Any]:
    """Return the message that a request carries; an empty dict if it carries none.

    Raises RequestRefused for anything but a JSON object, BodyTooLarge over 128 KiB.
    """
    raw = _read(request)
    if not raw:
        return {}
    try:
        body = _parse(raw.decode())
    except (ValueError, RecursionError) as error:
        raise RequestRefused("The message is not valid JSON") from error
    if not isinstance(body, dict):
        raise RequestRefused("The message is not a JSON object")
    return body


def _read(request: HttpRequest) -> bytes:
    try:
        # Asked before the body is read, so that an oversized one is never held in memory.
        if int(request.headers.get("Content-Length") or 0) > MAX_MESSAGE_BYTES:
            raise BodyTooLarge("Message too long")
        return request.body
    # The length is no number; the site's own limit; the sender has gone; a middleware was first.
    except (ValueError, RequestDataTooBig, UnreadablePostError, RawPostDataException) as error:
        raise RequestRefused("The message cannot be read") from error


def _parse(text: str) -> Any:
    body = json.loads(text, parse_float=_finite, parse_constant=_finite)
    if "\\ud" in text.lower():
        # JSON can spell half of a surrogate pair. It has no UTF-8, so that it could be neither
        # stored nor sent on: this raises a ValueError.
        json.dumps(body, ensure_ascii=False).encode()
    return body


def _finite(text: str) -> float:
    """Return the number; raise ValueError for NaN and infinities, 1e999 among them."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is not JSON")
    return number
