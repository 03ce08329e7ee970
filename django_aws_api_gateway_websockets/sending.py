"""Post to live connections: encode, bound, fan out, report. Knows AWS, not the database."""

from __future__ import annotations

import json
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable, NamedTuple, Optional, Protocol, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.module_loading import import_string

from . import aws
from .aws import Endpoint
from .conf import conf
from .exceptions import MessageNotSerializable, MessageTooLarge

logger = logging.getLogger(__name__)

#: Bytes of one message, in either direction (API Gateway's quota).
MAX_MESSAGE_BYTES = 128 * 1024


class Recipient(NamedTuple):
    """One connection; without an endpoint it cannot be reached."""

    connection_id: str
    endpoint: Optional[Endpoint]


class Outcome(NamedTuple):
    """What became of one recipient: sent, closed, gone or failed (then with the reason)."""

    status: str
    reason: str = ""


SENT = Outcome("sent")
GONE = Outcome("gone")
CLOSED = Outcome("closed")


@dataclass
class Report:
    """How many recipients a message was sent to, were closed, were gone, or could not be served.

    ``reasons`` counts the failures by their reason.
    """

    sent: int = 0
    closed: int = 0
    gone: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome.status, getattr(self, outcome.status) + 1)
        if outcome.reason:
            self.reasons[outcome.reason] += 1


class Transport(Protocol):
    """Reaches many recipients; WEBSOCKETS["transport"] names the class to use.

    Each method returns one outcome for each recipient, in their order, and never raises for one
    of them.
    """

    def send(self, body: bytes, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        """Post ``body`` to each."""
        ...

    def close(self, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        """Close each one's connection."""
        ...


def encode(data: Any) -> bytes:
    """Return the message as UTF-8 JSON, with dates, decimals and UUIDs as Django writes them.

    Raises MessageNotSerializable (NaN and infinities have no JSON form) and MessageTooLarge over
    128 KiB.
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


def fan_out(body: bytes, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
    """Post ``body`` to every recipient; return one outcome for each, in their order."""
    return _transport().send(body, recipients)


def hang_up(recipients: Sequence[Recipient]) -> Sequence[Outcome]:
    """Close every recipient's connection; return one outcome for each, in their order."""
    return _transport().close(recipients)


def _transport() -> Transport:
    transport: Transport = import_string(conf.transport)()
    return transport


class Boto3Transport:
    """One boto3 call for each recipient, several at a time."""

    def send(self, body: bytes, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        def post(client: Any, connection_id: str) -> Outcome:
            client.post_to_connection(ConnectionId=connection_id, Data=body)
            return SENT

        return call_for_each(recipients, post)

    def close(self, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        def delete(client: Any, connection_id: str) -> Outcome:
            client.delete_connection(ConnectionId=connection_id)
            return CLOSED

        # Somebody may be waiting for a logout.
        return call_for_each(recipients, delete, is_urgent=True)


def call_for_each(
    recipients: Sequence[Recipient], call: Callable[[Any, str], Outcome], is_urgent: bool = False
) -> Sequence[Outcome]:
    """Call it with each recipient's boto3 client and connection id, several at a time."""

    def reach(recipient: Recipient) -> Outcome:
        if recipient.endpoint is None:
            return Outcome("failed", "The session has no created gateway")
        try:
            client = aws.connections_client(recipient.endpoint, is_urgent)
            return call(client, recipient.connection_id)
        except ClientError as error:
            return outcome_of(error, recipient.connection_id)
        except (BotoCoreError, ValueError) as error:
            # A ValueError is botocore's word on an endpoint that is no URL.
            return failure(type(error).__name__, recipient.connection_id)

    if len(recipients) < 2:
        return [reach(recipient) for recipient in recipients]
    workers = min(conf.max_workers, len(recipients))
    with ThreadPoolExecutor(workers, "websocket-send") as pool:
        return list(pool.map(reach, recipients))


def outcome_of(error: ClientError, connection_id: str) -> Outcome:
    # API Gateway sends some 410s without an error type; botocore then has the bare status.
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 410:
        return GONE
    code = error.response.get("Error", {}).get("Code", "")
    return GONE if code in {"GoneException", "410"} else failure(code, connection_id)


def failure(reason: str, connection_id: str) -> Outcome:
    logger.warning("Not reached connection_id=%s reason=%s", connection_id, reason)
    return Outcome("failed", reason)
