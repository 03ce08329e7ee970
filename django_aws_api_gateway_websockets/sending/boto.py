"""Boto3's transport: one boto3 call for each recipient, for endpoints that are not ordinary."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from .. import aws
from ..conf import conf
from .reports import BATCH_SIZE, CLOSED, GONE, SENT, Outcome, Recipient, Result, failed


class Boto3Transport:
    """Reaches connections with boto3 itself, several at a time."""

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        def post(client: Any, connection_id: str) -> Outcome:
            client.post_to_connection(ConnectionId=connection_id, Data=body)
            return SENT

        return call_for_each(recipients, post)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        def delete(client: Any, connection_id: str) -> Outcome:
            client.delete_connection(ConnectionId=connection_id)
            return CLOSED

        # Somebody may be waiting for a logout.
        return call_for_each(recipients, delete, is_urgent=True)


def call_for_each(
    recipients: Iterable[Recipient], call: Callable[[Any, str], Outcome], is_urgent: bool = False
) -> Iterator[Result]:
    """Call ``call`` with each recipient's boto3 client and connection id, several at a time."""

    def reach(recipient: Recipient) -> Outcome:
        try:
            client = aws.connections_client(recipient.endpoint, is_urgent)
            return call(client, recipient.connection_id)
        except ClientError as error:
            return outcome_of(error)
        except (BotoCoreError, ValueError) as error:
            # botocore raises ValueError for an endpoint that is not a URL.
            return failed(type(error).__name__)

    source = iter(recipients)
    with ThreadPoolExecutor(conf.max_in_flight or aws.BOTO3_IN_FLIGHT, "websocket-send") as pool:
        for batch in iter(lambda: list(islice(source, BATCH_SIZE)), []):
            yield from zip(batch, pool.map(reach, batch))


def outcome_of(error: ClientError) -> Outcome:
    # API Gateway sends some 410s without an error type. The code is then the bare status.
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 410:
        return GONE
    code = error.response.get("Error", {}).get("Code", "")
    return GONE if code in {"GoneException", "410"} else failed(str(code))
