"""Boto3's transports: one boto3 call for each recipient, for unusual endpoints and for tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from typing import Any, Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError
from django.utils.module_loading import import_string

from .. import aws
from ..aws import Endpoint
from ..conf import conf
from .reports import BATCH_SIZE, CLOSED, GONE, SENT, Outcome, Recipient, Result, failed

#: What a site's tests replace. Its module is not one that this one may import.
FACTORY = "django_aws_api_gateway_websockets.models.get_boto3_client"


class Boto3Transport:
    """Reaches connections with boto3 itself, several at a time."""

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        def post(client: Any, connection_id: str) -> Outcome:
            client.post_to_connection(ConnectionId=connection_id, Data=body)
            return SENT

        return call_for_each(recipients, post)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        # Somebody may be waiting for a logout.
        return call_for_each(recipients, delete, is_urgent=True)


class ReplaceableTransport:
    """Calls clients of ``models.get_boto3_client``, as 1.1.1 did, for tests that replace it.

    One recipient comes after the other, in the caller's thread.
    """

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        def post(client: Any, connection_id: str) -> Outcome:
            client.post_to_connection(Data=body.decode(), ConnectionId=connection_id)
            return SENT

        return self._call(recipients, post)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        return self._call(recipients, delete, config=aws.URGENT_CONFIG)

    def _call(
        self, recipients: Iterable[Recipient], call: Callable[[Any, str], Outcome], **options: Any
    ) -> Iterator[Result]:
        @lru_cache(maxsize=None)
        def client_of(endpoint: Endpoint) -> Any:
            is_elsewhere = endpoint.region != aws.default_region()
            region = {"region_name": endpoint.region} if is_elsewhere else {}
            create = import_string(FACTORY)
            return create(aws.CONNECTIONS, endpoint_url=endpoint.url, **region, **options)

        for recipient in recipients:
            yield recipient, reach(recipient, client_of, call)


def delete(client: Any, connection_id: str) -> Outcome:
    client.delete_connection(ConnectionId=connection_id)
    return CLOSED


def call_for_each(
    recipients: Iterable[Recipient], call: Callable[[Any, str], Outcome], is_urgent: bool = False
) -> Iterator[Result]:
    """Call ``call`` with each recipient's boto3 client and connection id, several at a time."""

    def client_of(endpoint: Endpoint) -> Any:
        return aws.connections_client(endpoint, is_urgent)

    def reach_by_boto3(recipient: Recipient) -> Outcome:
        return reach(recipient, client_of, call)

    source = iter(recipients)
    with ThreadPoolExecutor(conf.max_in_flight or aws.BOTO3_IN_FLIGHT, "websocket-send") as pool:
        for batch in iter(lambda: list(islice(source, BATCH_SIZE)), []):
            yield from zip(batch, pool.map(reach_by_boto3, batch))


def reach(
    recipient: Recipient,
    client_of: Callable[[Endpoint], Any],
    call: Callable[[Any, str], Outcome],
) -> Outcome:
    """Call ``call`` with the client of one recipient's endpoint; return what became of it."""
    try:
        return call(client_of(recipient.endpoint), recipient.connection_id)
    except ClientError as error:
        return outcome_of(error)
    except (BotoCoreError, ValueError) as error:
        # botocore raises ValueError for an endpoint that is not a URL.
        return failed(type(error).__name__)


def outcome_of(error: ClientError) -> Outcome:
    # API Gateway sends some 410s without an error type. The code is then the bare status.
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 410:
        return GONE
    code = error.response.get("Error", {}).get("Code", "")
    return GONE if code in {"GoneException", "410"} else failed(code)
