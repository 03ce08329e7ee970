"""Replies: what becomes of a message, told to a client that has sent a ``ref`` with it.

A reply is sent as any message is, or is the HTTP answer where the gateway hands that on to its
client (see ``ApiGateway.route_responses``). An error is always sent: no source says with which
statuses API Gateway hands an answer on.
"""

from __future__ import annotations

import json
import logging
from http.client import responses
from typing import Any, Optional, Union

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from .. import sending
from ..exceptions import MessageError, WebSocketError

logger = logging.getLogger(__package__)

#: The characters that a ref may have. It comes back as it is, so a long one costs twice.
MAX_REF = 128

#: The largest integer that JavaScript can hold.
MAX_INTEGER = 2**53 - 1

#: The characters of a refusal's text that are sent.
MAX_TEXT = 1000

Ref = Union[str, int]


def ref_of(view: Any) -> Optional[Ref]:
    """Return the ref of the view's message, or None if there is nobody who wants a reply."""
    if not (view.websocket_session and view.ref_key):
        return None
    ref = view.body.get(view.ref_key)
    if isinstance(ref, str):
        return ref if 0 < len(ref) <= MAX_REF else None
    is_integer = isinstance(ref, int) and not isinstance(ref, bool)
    return ref if is_integer and -MAX_INTEGER <= ref <= MAX_INTEGER else None


def reply(view: Any, response: HttpResponseBase, *, in_answer: bool) -> HttpResponseBase:
    """Tell the client what its message has led to; return the HTTP answer to the gateway.

    With ``in_answer`` the gateway hands the answer on: it is a reply, or empty.
    """
    ref, body = ref_of(view), b""
    if ref is not None:
        if not 200 <= response.status_code < 300:
            send_error(view, response.status_code, text_of(response)[:MAX_TEXT])
        elif in_answer:
            body = encode_reply(ref, response)
        else:
            send_reply(view.websocket_session, encode_reply(ref, response))
    if not in_answer:
        return response
    return HttpResponse(body, status=response.status_code, content_type="application/json")


def send_reply(session: Any, body: bytes) -> None:
    """Send what a handler has answered, once what it has written is committed."""
    connection = transaction.get_connection(type(session).objects.on_primary().db)
    is_atomic = connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block
    send(session, body, on_commit=is_atomic)


def send_error(view: Any, status: int, text: str = "") -> None:
    """Send a refusal or a failure now: a transaction that has failed commits nothing."""
    ref = ref_of(view)
    if ref is not None:
        send(view.websocket_session, encode_error(ref, status, text))


def send(session: Any, body: bytes, **options: Any) -> None:
    try:
        session.send_text(body.decode(), **options)
    except WebSocketError as error:  # No region is known, say. What the message did stays done.
        logger.warning("Reply not sent connection_id=%s error=%s", session, error)


def encode_reply(ref: Ref, response: HttpResponseBase) -> bytes:
    """Return the frame of a success; that of a failure if the answer cannot be a message."""
    try:
        return sending.encode({"ref": ref, "reply": content_of(response)})
    except MessageError:
        logger.exception("What a handler answers cannot be sent")
        return encode_error(ref, 500, "The reply cannot be sent")


def encode_error(ref: Ref, status: int, text: str) -> bytes:
    error = {"status": status, "text": text or responses.get(status, "")}
    return sending.encode({"ref": ref, "error": error})


def content_of(response: HttpResponseBase) -> Any:
    """Return what a handler has answered: of a JSON response its data, else its text."""
    text = text_of(response)
    try:
        is_json = response.get("Content-Type", "").startswith("application/json")
        return json.loads(text) if is_json else text
    except ValueError:  # It only says that it is JSON.
        return text


def text_of(response: HttpResponseBase) -> str:
    """Return a response's text; an empty one of a stream."""
    content: bytes = getattr(response, "content", b"")
    return content.decode(response.charset, "replace")
