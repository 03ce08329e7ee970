"""Handshakes that fail: what the client is answered, and what the console is told.

Knows websockets, and nothing of APIs and stages.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage
from websockets.http11 import Request, Response

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_TLS_HANDSHAKE = b"\x16"
#: What a method can begin with.
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TLS_HINT = "sockets are ws:// here, and not wss://"
_API_CALL = re.compile(rb"(POST|PUT|PATCH|DELETE) |[A-Z]+ \S*(/v2/|/(@|%40)connections)")
_API_HINT = "; boto3 goes to the other port, AWS_GATEWAY_ENDPOINT_URL"

#: What websockets answers itself, and with which status.
_ANSWERED = {"RequestLineTooLong": 414, "HeaderLineTooLong": 431, "TooManyHeaders": 431}


class Connection(ServerConnection):
    """Knows when its TCP connection begins and ends, and says why it has become no socket."""

    #: Those that last, with or without a handshake.
    accepted: set[ServerConnection]
    handshake_timeout: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._begins_with, self._is_told = b"", False
        # websockets sends nothing but an EOF for what is no HTTP to it.
        self._send_eof = self.protocol.send_eof
        self.protocol.send_eof = self._answer_and_send_eof  # type: ignore[method-assign]
        super().connection_made(transport)
        self.accepted.add(self)
        if not self.server.is_serving():
            self.transport.abort()  # It came while the gateway was closing.
        self.timer = self.loop.call_later(self.handshake_timeout, self._abort_if_silent)

    def data_received(self, data: bytes) -> None:
        if self.request is None:
            self._begins_with = (self._begins_with + data[:200])[:200]
            if self._begins_with[0] not in _LETTERS:
                is_tls = self._begins_with.startswith(_TLS_HANDSHAKE)
                self._tell(0, f"TLS: {_TLS_HINT}" if is_tls else "not HTTP")
                self.transport.abort()
                return
        super().data_received(data)
        self._log_answer_of_websockets()

    def connection_lost(self, exc: Exception | None) -> None:
        self.timer.cancel()
        self.accepted.discard(self)
        if self.request is None and self._begins_with:
            self._tell(0, "cut off before the end of the request")
        super().connection_lost(exc)

    def _abort_if_silent(self) -> None:
        if self.request is None:
            self._tell(0, f"no whole request within {self.handshake_timeout} s")
            self.transport.abort()

    def _answer_and_send_eof(self) -> None:
        error = self.protocol.handshake_exc
        if self._begins_with and isinstance(error, InvalidMessage):
            # What follows a colon is what the client has sent, perhaps a cookie.
            reason = str(error.__cause__).partition(":")[0]
            hint = _API_HINT if _API_CALL.match(self._begins_with) else ""
            self._tell(400, f"{reason}{hint}")
            self.transport.write(refusal_of(400).serialize())
        self._send_eof()

    def _log_answer_of_websockets(self) -> None:
        error = self.protocol.handshake_exc
        name = type(error).__name__
        if name in _ANSWERED and self.request is None:
            self._tell(_ANSWERED[name], str(error))

    def _tell(self, status: int, reason: str) -> None:
        if not self._is_told:
            log_refusal(status, reason)
        self._is_told = True


def connection_class(
    accepted: set[ServerConnection], handshake_timeout: float
) -> type[ServerConnection]:
    """The class of the connections, which put themselves into `accepted` while they last."""
    attributes = {"accepted": accepted, "handshake_timeout": handshake_timeout}
    return type("Connection", (Connection,), attributes)


def hint_of(request: Request) -> str:
    """What to try instead, for a request that is no handshake."""
    method = getattr(request, "method", "GET")  # websockets 16 takes no other
    return _API_HINT if _API_CALL.match(f"{method} {request.path}".encode()) else ""


def warn_of_subprotocol(request: Request, chosen: str | None) -> None:
    """Warn if the client will hang up, because it offers subprotocols and none was chosen."""
    headers = ", ".join(request.headers.get_all("Sec-WebSocket-Protocol"))
    offered = [name.strip() for name in headers.split(",") if name.strip()]
    if chosen in offered or (chosen is None and not offered):
        return
    logger.warning(
        "subprotocol missing offered=%d chosen=%d reason=%r",
        len(offered),  # Not which ones: some pages send a token in this header.
        chosen is not None,
        "browsers close a connection whose $connect is not answered with one that they offer",
    )


def refusal_of(status: int) -> Response:
    """The answer to a handshake that is refused, in the shape of AWS's errors."""
    phrase = _phrase(status)
    body = json.dumps({"message": phrase, "requestId": str(uuid.uuid4())}).encode()
    headers = Headers(
        [
            ("Connection", "close"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("x-amzn-ErrorType", phrase.replace(" ", "") + "Exception"),
        ]
    )
    return Response(status, phrase, headers, body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"


def log_refusal(status: int, reason: str, path: str = "") -> None:
    """Log why a connection did not become a socket; status 0 is none, an empty path not known."""
    logger.warning(
        "connection refused status=%s reason=%r path=%r", status or "none", reason[:300], path
    )
