"""Pytest plugin: the tools of testing.py as fixtures, for pytest-django.

Name it in a conftest.py: ``pytest_plugins = ["django_aws_api_gateway_websockets.pytest_plugin"]``.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable, Iterator

import pytest

if TYPE_CHECKING:
    from .local.testing import LiveSocket
    from .testing import Outbox, WebSocketClient


@pytest.fixture
def websocket_outbox(settings: Any) -> Outbox:
    """The messages that the test sends, instead of AWS."""
    from .testing import outbox, to_outbox  # imports models, which a conftest.py must not

    # Set by pytest-django's fixture. It restores what it found before each change, so that an
    # override of our own, undone before that, would come back and outlive the test.
    settings.WEBSOCKETS = to_outbox()
    outbox.clear()
    return outbox


@pytest.fixture
def websocket(db: Any, websocket_outbox: Outbox) -> Callable[..., WebSocketClient]:
    """``websocket("/ws/", user=..., channel=..., headers=...)`` makes a connected client."""
    from .testing import connected_client

    return connected_client


@pytest.fixture
def live_websocket(
    django_db_setup: None, live_server: Any, settings: Any
) -> Iterator[Callable[..., LiveSocket]]:
    """``live_websocket("/ws/", user=..., channel=...)`` opens a real socket.

    It goes through a local gateway to pytest-django's ``live_server``, and needs the extra
    ``local``.
    """
    from .local.gateway import LocalGateway
    from .local.testing import open_socket, provision
    from .testing import as_in_production

    with LocalGateway() as local, ExitStack() as sockets:
        settings.AWS_GATEWAY_ENDPOINT_URL = local.endpoint_url
        settings.WEBSOCKETS = as_in_production()
        sockets.callback(local.wait_until_quiet)
        gateways: dict[str, Any] = {}

        def opened(path: str, **options: Any) -> LiveSocket:
            if path not in gateways:
                gateways[path] = provision(live_server.url, path, api_name=f"live {path}")
            socket = open_socket(gateways[path], **options)
            sockets.callback(socket.close)
            return socket

        yield opened
