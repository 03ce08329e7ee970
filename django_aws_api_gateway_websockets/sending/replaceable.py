"""Replaceable transport: what "auto" means in Django's tests, so that their mocks catch a message.

It asks ``models.get_boto3_client`` for a client and calls it as release 1.1.1 did. Patches of that
function and of ``boto3.client``, botocore's Stubber and event hooks, and moto work as with 1.1.1.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any, Callable, Dict, Iterable, Iterator

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.module_loading import import_string
from urllib3 import HTTPResponse

from .. import aws
from ..aws import Endpoint
from ..conf import conf
from .boto import outcome_of
from .messages import MAX_MESSAGE_BYTES
from .reports import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed

#: Looked up by its name for each message, because tests replace it.
FACTORY = f"{__package__.rpartition('.')[0]}.models.get_boto3_client"

NO_KEYS = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}

#: What json.dumps() escapes by default.
NOT_ASCII = re.compile(r"[^ -~]")


class ReplaceableTransport:
    """Calls boto3 for one recipient after the other, in the thread of the caller.

    Each message gets new clients: that of a mock must not outlive its test. An exception that is
    neither AWS's nor botocore's is the test's own, and is raised.
    """

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        text = as_text(body)

        def post(client: Any, connection_id: str) -> Outcome:
            client.post_to_connection(Data=text, ConnectionId=connection_id)
            return SENT

        return call_for_each(recipients, post)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        # A logout of the test may be waiting. What does not leave needs no keys: to look for them
        # boto3 may ask the network, too.
        keys = {} if conf.endpoint_url else NO_KEYS
        return call_for_each(recipients, close, config=aws.URGENT_CONFIG, **keys)


def close(client: Any, connection_id: str) -> Outcome:
    """Close a connection, which 1.1.1 never did, so that its users' tests do not expect it.

    If none of the test's mocks catches it, it fails instead of reaching AWS.
    """
    if not hasattr(client, "delete_connection"):
        return failed("The fake client has no delete_connection")
    if isinstance(client, BaseClient) and not conf.endpoint_url:
        # Of the answers to this event, the first one counts, and this is the last one.
        client.meta.events.register_last("before-send", refuse_to_close, unique_id=__name__)
    client.delete_connection(ConnectionId=connection_id)
    return CLOSED


def refuse_to_close(request: Any, event_name: str, **kwargs: Any) -> Any:
    """Answer a closing with an error, in the place of AWS."""
    if not event_name.endswith(".DeleteConnection"):
        return None
    headers: Any = {"x-amzn-ErrorType": "NotCaughtByTheTest"}
    body = HTTPResponse(BytesIO(b"{}"), preload_content=False)
    return AWSResponse(request.url, 400, headers, body)


def call_for_each(
    recipients: Iterable[Recipient], call: Callable[[Any, str], Outcome], **options: Any
) -> Iterator[Result]:
    clients: Dict[Endpoint, Any] = {}
    for recipient in recipients:
        endpoint = recipient.endpoint
        try:
            if endpoint not in clients:
                clients[endpoint] = client_for(endpoint, **options)
        except (BotoCoreError, ValueError) as error:  # for example an endpoint that is no URL
            yield recipient, failed(type(error).__name__)
            continue
        yield recipient, outcome(clients[endpoint], call, recipient.connection_id)


def client_for(endpoint: Endpoint, **options: Any) -> Any:
    """Return what the factory makes of 1.1.1's arguments, and of the region if it is another."""
    if not aws.has_default_region() or aws.default_region() != endpoint.region:
        options["region_name"] = endpoint.region
    return import_string(FACTORY)(aws.CONNECTIONS, endpoint_url=endpoint.url, **options)


def outcome(client: Any, call: Callable[[Any, str], Outcome], connection_id: str) -> Outcome:
    try:
        return call(client, connection_id)
    except ClientError as error:
        return outcome_of(error)
    except BotoCoreError as error:
        return failed(type(error).__name__)
    except Exception as error:
        if is_gone(client, error):
            return GONE
        raise


def is_gone(client: Any, error: Exception) -> bool:
    """True if the error is the GoneException of a fake client. That of a MagicMock is no class."""
    kind = getattr(getattr(client, "exceptions", None), "GoneException", None)
    return isinstance(kind, type) and isinstance(error, kind)


def as_text(body: bytes) -> str:
    """Return a message as 1.1.1 wrote it, in ASCII, unless that is more than AWS takes."""
    text = body.decode()
    escaped = NOT_ASCII.sub(lambda found: json.dumps(found.group())[1:-1], text)
    return escaped if len(escaped) <= MAX_MESSAGE_BYTES else text
