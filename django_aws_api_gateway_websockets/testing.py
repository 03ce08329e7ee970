"""Testing of WebSocket views without a network: a client as API Gateway, and an outbox.

They are used like ``django.test.Client`` and ``django.core.mail.outbox``::

    class ChatTests(WebSocketTestMixin, TestCase):
        def test_a_message_reaches_the_room(self):
            alice = self.websocket("/ws/", user=self.alice, channel="lobby")
            alice.send({"action": "chat", "text": "hello"})
            self.assertEqual(alice.received, [{"text": "hello"}])

``django_aws_api_gateway_websockets.pytest_plugin`` has them as fixtures. For tests with real
sockets there is ``django_aws_api_gateway_websockets.local.testing``.
"""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Mapping, NamedTuple, Optional

from django.conf import settings
from django.test import Client, override_settings
from django.utils.http import urlencode

from .models import ApiGateway, WebSocketSession
from .security import proof
from .sending import CLOSED, GONE, SENT, Outcome, Recipient, Result, failed

if TYPE_CHECKING:
    from django.test import SimpleTestCase as Base
else:
    Base = object


def parsed(frame: str | bytes) -> Any:
    """Return what a frame says as JSON, or the frame itself if it is no JSON."""
    try:
        return json.loads(frame, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return frame


def _refuse(constant: str) -> Any:
    """Raise ValueError: Python alone takes NaN and Infinity for JSON."""
    raise ValueError(constant)


class SentMessage(NamedTuple):
    """One message to one connection, as it would have gone to AWS."""

    connection_id: str
    #: The frame itself.
    text: str
    url: str

    @property
    def data(self) -> Any:
        """What the frame says as JSON, or its text if it is no JSON.

        ``send_message("5")`` and ``send_text('"5"')`` send the same frame and look the same here.
        """
        return parsed(self.text)

    @property
    def session(self) -> WebSocketSession:
        """The recipient's session."""
        return WebSocketSession.objects.get(connection_id=self.connection_id)


class Outbox(List[SentMessage]):
    """The messages that were sent, in order."""

    def __init__(self) -> None:
        super().__init__()
        #: Connection ids that are gone for AWS. A client that disconnects is added.
        self.gone: set[str] = set()
        #: Connection ids for which sending fails, and the reason that the report gives.
        self.failing: dict[str, str] = {}
        #: Connection ids that the site has closed, in order.
        self.closed: list[str] = []

    def to(self, connection_id: str) -> list[Any]:
        """Return the data that was sent to one connection; see ``SentMessage.data``."""
        return [message.data for message in self if message.connection_id == connection_id]

    def texts_to(self, connection_id: str) -> list[str]:
        """Return the frames that were sent to one connection, as they were."""
        return [message.text for message in self if message.connection_id == connection_id]

    def clear(self) -> None:
        super().clear()
        self.gone.clear()
        self.failing.clear()
        self.closed.clear()

    def deliver(self, body: bytes, recipient: Recipient) -> Outcome:
        """Add a message, unless its recipient is gone or failing; return the outcome."""
        failure = self._failure(recipient)
        if failure is None:
            sent = SentMessage(recipient.connection_id, body.decode(), recipient.endpoint.url)
            self.append(sent)
        return failure or SENT

    def close(self, recipient: Recipient) -> Outcome:
        """Close a connection, unless it is gone or failing; return the outcome."""
        failure = self._failure(recipient)
        if failure is None:
            self.gone.add(recipient.connection_id)
            self.closed.append(recipient.connection_id)
        return failure or CLOSED

    def _failure(self, recipient: Recipient) -> Optional[Outcome]:
        if recipient.connection_id in self.failing:
            return failed(self.failing[recipient.connection_id])
        return GONE if recipient.connection_id in self.gone else None


#: The messages sent since the test began, while ``capture_messages`` is active.
outbox = Outbox()


class OutboxTransport:
    """Puts messages into ``outbox`` instead of sending them."""

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        for recipient in recipients:
            yield recipient, outbox.deliver(body, recipient)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        for recipient in recipients:
            yield recipient, outbox.close(recipient)


@contextmanager
def capture_messages() -> Iterator[Outbox]:
    """Send to the outbox, emptied first, for the length of the block."""
    outbox.clear()
    with override_settings(WEBSOCKETS=to_outbox()):
        yield outbox


def to_outbox() -> dict[str, Any]:
    """Return the WEBSOCKETS setting with which messages go to the outbox."""
    return {**getattr(settings, "WEBSOCKETS", {}), "transport": f"{__name__}.OutboxTransport"}


def as_in_production() -> dict[str, Any]:
    """Return the WEBSOCKETS setting with which messages take the way that they take in production.

    In tests another one is taken, unless the settings name a transport.
    """
    chosen = getattr(settings, "WEBSOCKETS", {})
    is_named = chosen.get("transport", "auto") != "auto"
    return chosen if is_named else {**chosen, "transport": "sockets"}


class WebSocketClient:
    """Plays API Gateway, and one browser behind it, against the view that is mounted at a URL.

    ``url`` is the view's URL without the route: ``/ws/`` for ``path("ws/<slug:route>", ...)``.
    ``gateway`` defaults to one that is made for the tests. The $connect brings the cookies of
    ``browser``, a ``django.test.Client`` of its own unless one is given, into which ``user`` is
    logged in; ``ticket`` is sent as ``?ws_token=``; ``headers`` are added to it and win over its
    own (None leaves a header out). ``host`` is the site's own, for sites that tell tenants by it.
    """

    def __init__(  # noqa: PLR0913 - all are keywords but one
        self,
        url: str,
        *,
        gateway: Optional[ApiGateway] = None,
        user: Any = None,
        browser: Optional[Client] = None,
        channel: str = "",
        ticket: str = "",
        headers: Optional[Mapping[str, Optional[str]]] = None,
        connection_id: str = "",
        host: str = "testserver",
    ) -> None:
        self.url = url
        self.gateway = gateway or make_gateway()
        self.browser = browser or Client()
        if user is not None:
            self.browser.force_login(user)
        self.channel = channel
        self.ticket = ticket
        self.headers = dict(headers or {})
        self.connection_id = connection_id or make_connection_id()
        self.host = host
        #: The response to the latest event.
        self.response: Any = None

    @property
    def session(self) -> Optional[WebSocketSession]:
        """The connection's session as it is now, or None."""
        return WebSocketSession.objects.filter(connection_id=self.connection_id).first()

    @property
    def received(self) -> list[Any]:
        """The messages that were sent to this connection, parsed if they are JSON."""
        return outbox.to(self.connection_id)

    @property
    def received_texts(self) -> list[str]:
        """The frames that were sent to this connection, as they were."""
        return outbox.texts_to(self.connection_id)

    @property
    def is_closed(self) -> bool:
        """True if the site has closed the connection."""
        return self.connection_id in outbox.closed

    def connect(self) -> Any:
        """Send the $connect, with the browser's cookies; return the view's response."""
        parameters = {"channel": self.channel, "ws_token": self.ticket}
        query = {name: value for name, value in parameters.items() if value}
        handshake = {
            "Origin": f"https://{self.host}",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            **self.headers,
        }
        return self._post(self.browser, "connect", b"", handshake, QUERY_STRING=urlencode(query))

    def send(self, data: Any, route: str = "default") -> Any:
        """Send a message, as JSON unless it is bytes or text; return the view's response."""
        text = data if isinstance(data, (bytes, str)) else json.dumps(data)
        body = text.encode() if isinstance(text, str) else text
        return self._post(Client(), route, body)

    def disconnect(self) -> Any:
        """Close the connection: it is gone for AWS, and the view gets the $disconnect."""
        outbox.gone.add(self.connection_id)
        return self._post(Client(), "disconnect", b"")

    def _post(
        self,
        client: Client,
        route: str,
        body: bytes,
        headers: Optional[Mapping[str, Optional[str]]] = None,
        **environ: str,
    ) -> Any:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
        sent = [*self._gateway_headers().items(), *(headers or {}).items()]
        # Header names ignore letter case, so a given "origin" must replace our "Origin".
        named = {name.title(): value for name, value in sent}
        extra: Any = {
            "headers": {name: value for name, value in named.items() if value is not None},
            "secure": True,  # A site may redirect http to https.
            "SERVER_NAME": self.host.partition(":")[0],
            **environ,
        }
        path = f"{self.url}{route}"
        self.response = client.generic("POST", path, body, "application/json", **extra)
        return self.response

    def _gateway_headers(self) -> dict[str, Optional[str]]:
        secret = proof.value_for(self.gateway) if self.gateway.source_proof else None
        return {
            proof.HEADER: secret,
            "Host": self.host,
            "User-Agent": f"AmazonAPIGateway_{self.gateway.api_id}",
            "X-Amzn-Apigateway-Api-Id": self.gateway.api_id,
            "X-Forwarded-For": "203.0.113.1",
            "X-Forwarded-Proto": "https",
            "connectionId": self.connection_id,
            "requestId": make_connection_id(),
            "sourceIp": "203.0.113.1",
        }


class WebSocketTestMixin(Base):
    """Adds ``self.outbox`` and ``self.websocket(...)`` to a TestCase."""

    outbox: Outbox

    def setUp(self) -> None:
        super().setUp()
        captured = capture_messages()
        self.outbox = captured.__enter__()
        self.addCleanup(captured.__exit__, None, None, None)

    def websocket(self, url: str, **options: Any) -> WebSocketClient:
        """Return a connected WebSocketClient; fail unless the view accepts the connection."""
        return connected_client(url, **options)


def connected_client(url: str, **options: Any) -> WebSocketClient:
    """Return a WebSocketClient that is connected; raise AssertionError if it is refused."""
    client = WebSocketClient(url, **options)
    response = client.connect()
    if response.status_code != 200:
        raise AssertionError(f"$connect: {response.status_code} {response.content.decode()}")
    return client


def make_connection_id() -> str:
    """Return an id of API Gateway's form: 15 characters and "="."""
    return base64.urlsafe_b64encode(os.urandom(11)).decode()


def make_gateway() -> ApiGateway:
    """Return the tests' own gateway, as if it had been created in AWS."""
    gateway, _ = ApiGateway.objects.get_or_create(
        api_name="testserver",
        defaults={
            "api_id": "testserver",
            "api_endpoint": "wss://testserver.execute-api.us-east-1.amazonaws.com",
            "api_created": True,
            "target_base_endpoint": "https://testserver/ws/",
        },
    )
    if gateway.source_proof is None:  # Made now, since a test may override the secret.
        gateway.source_proof = proof.fingerprint(proof.value_for(gateway))
        gateway.save(update_fields=["source_proof"])
    return gateway
