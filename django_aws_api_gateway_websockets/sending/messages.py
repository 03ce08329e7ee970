"""Messages: what a message may be, and its bytes."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import Promise

from ..exceptions import MessageNotSerializable, MessageTooLarge

#: Bytes of one message, at most, in either direction (API Gateway's quota).
MAX_MESSAGE_BYTES = 128 * 1024


def encode(data: Any) -> bytes:
    """Return the message as UTF-8 JSON, with dates, decimals and UUIDs as Django writes them.

    Raises MessageNotSerializable, for example for NaN and infinities, which have no JSON form, and
    MessageTooLarge above 128 KiB.
    """
    try:
        text = json.dumps(data, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False)
        body = text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageNotSerializable(f"The message has no JSON form: {error}") from error
    return _bounded(body)


def encode_text(text: object) -> bytes:
    """Return the text as UTF-8 and otherwise as it is; it may be lazy.

    Raises MessageNotSerializable for what is no text, for an empty text and for half a surrogate
    pair, and MessageTooLarge above 128 KiB.
    """
    if isinstance(text, Promise):
        text = str(text)
    if not isinstance(text, str):
        raise MessageNotSerializable(f"A text frame must be str, not {type(text).__name__}.")
    # AWS does not document what it does with a post without a body.
    if not text:
        raise MessageNotSerializable("A text frame must not be empty.")
    try:
        body = text.encode()
    except UnicodeEncodeError as error:
        raise MessageNotSerializable(f"The text has no UTF-8 form: {error}") from error
    return _bounded(body)


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge(
            f"The message has {len(body)} bytes; API Gateway takes {MAX_MESSAGE_BYTES} at most."
        )
    return body
