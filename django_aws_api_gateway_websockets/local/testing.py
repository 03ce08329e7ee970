"""Testing with real sockets: a local gateway beside Django's live server.

    class ChatTests(LocalGatewayTestMixin, LiveServerTestCase):
        def test_a_message_reaches_the_room(self):
            alice = self.open_socket(user=self.alice, channel="lobby")
            alice.send({"action": "chat", "text": "hello"})
            self.assertEqual(alice.receive(), {"text": "hello"})

The gateway is provisioned as in AWS, and every message takes the whole way: socket, local gateway,
view, database, boto3, local gateway, socket.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Iterator, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client, override_settings
from django.utils.http import urlencode
from websockets.sync.client import ClientConnection, connect

from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.testing import as_in_production, parsed

from .gateway import LocalGateway
from .limits import Limits

if TYPE_CHECKING:
    from django.test import LiveServerTestCase as Base
else:
    Base = object

#: Seconds that receive() waits for a message.
PATIENCE = 5.0


class LiveSocket:
    """One real WebSocket, with JSON for its messages. ``connection`` is that of ``websockets``."""

    connection: ClientConnection

    def __init__(self, url: str, **options: Any) -> None:
        self._opened = ExitStack()
        self.connection = self._opened.enter_context(connect(url, **options))

    def send(self, data: Any) -> None:
        """Send a message as JSON."""
        self.connection.send(json.dumps(data))

    def receive(self, timeout: float = PATIENCE) -> Any:
        """Return the next message, parsed if it is JSON; ``connection.recv()`` never parses it.

        Raises TimeoutError if none comes in ``timeout`` seconds.
        """
        return parsed(self.connection.recv(timeout))

    def close(self) -> None:
        """Close the socket, as when its page is left."""
        self._opened.close()


@contextmanager
def running_local_gateway(limits: Limits | None = None) -> Iterator[LocalGateway]:
    """Run a local gateway, and point the settings to it, for the length of the block."""
    with LocalGateway(limits=limits or Limits()) as local:
        chosen = {"AWS_GATEWAY_ENDPOINT_URL": local.endpoint_url, "WEBSOCKETS": as_in_production()}
        with override_settings(**chosen):
            yield local


def provision(server_url: str, path: str = "/ws/", **columns: Any) -> ApiGateway:
    """Create a gateway that posts its events to ``path`` of a running server."""
    columns = {"api_name": "live", "target_base_endpoint": f"{server_url}{path}", **columns}
    gateway = ApiGateway.objects.create(**columns)
    gateway.create_gateway()
    return gateway


def open_socket(
    gateway: ApiGateway,
    user: Any = None,
    channel: str = "",
    ticket: str = "",
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> LiveSocket:
    """Open a socket as a page of the site would, with the cookies of ``user``.

    ``ticket`` is sent as ``?ws_token=``; ``headers`` are added to the handshake; ``options`` go to
    ``websockets.sync.client.connect`` (``origin`` among them). Raises
    ``websockets.exceptions.InvalidStatus`` if the $connect is refused.
    """
    page = urlsplit(gateway.target_base_endpoint or "")
    arguments = {"channel": channel, "ws_token": ticket}
    query = urlencode({name: value for name, value in arguments.items() if value})
    options = {"origin": f"{page.scheme}://{page.netloc}", "proxy": None, **options}
    all_headers = {**_login_cookie(user), **(headers or {})}
    return LiveSocket(f"{gateway.socket_url}?{query}", additional_headers=all_headers, **options)


class LocalGatewayTestMixin(Base):
    """Adds a running local gateway, ``self.gateway`` and ``self.open_socket(...)`` to a
    LiveServerTestCase."""

    #: The view's URL without the route.
    websocket_path = "/ws/"
    #: The local gateway's times and bounds; shorten them to see a time-out.
    limits = Limits()
    local_gateway: LocalGateway
    gateway: ApiGateway

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        running = running_local_gateway(cls.limits)
        cls.local_gateway = running.__enter__()
        cls.addClassCleanup(running.__exit__, None, None, None)

    def setUp(self) -> None:
        super().setUp()
        # Cleanups run in reverse order, so this one is last: no $disconnect may arrive in the next
        # test.
        self.addCleanup(self.local_gateway.wait_until_quiet)
        self.gateway = provision(self.live_server_url, self.websocket_path)

    def open_socket(self, **options: Any) -> LiveSocket:
        """Open a socket to ``self.gateway``; it is closed when the test ends."""
        socket = open_socket(self.gateway, **options)
        self.addCleanup(socket.close)
        return socket


def _login_cookie(user: Any) -> dict[str, str]:
    if user is None:
        return {}
    browser = Client()
    browser.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"Cookie": f"{name}={browser.cookies[name].value}"}
