"""Messages: what a message may be, and its bytes."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

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
    if len(body) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge(
            f"The message has {len(body)} bytes; API Gateway takes {MAX_MESSAGE_BYTES} at most."
        )
    return body
