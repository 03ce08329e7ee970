"""What the page's script does is in tests/browser/test_howto.py."""

from __future__ import annotations

import pytest

LINES = {"lines": [{"text": "Welcome to the lobby."}]}


@pytest.fixture
def ws(project, mount, connect):
    mount(project.chat.views.ChatView)
    return connect(channel="lobby")


def test_a_page_that_has_missed_something_loads_anew(ws):
    ws.send({"action": "latest", "ref": "1"})
    assert ws.received == [{"ref": "1", "reply": LINES}]


def test_a_message_reaches_the_room(ws, connect):
    elsewhere = connect(channel="garden")
    ws.send({"action": "chat", "text": "hello"})
    assert (ws.received, elsewhere.received) == ([{"text": "hello"}], [])


@pytest.mark.django_db(transaction=True)
def test_an_idle_connection_ends_with_1001(project, mount, live_server):
    pytest.importorskip("websockets")
    from websockets.exceptions import ConnectionClosed

    from django_aws_api_gateway_websockets.local.limits import Limits
    from django_aws_api_gateway_websockets.local.testing import (
        open_socket,
        provision,
        running_local_gateway,
    )

    mount(project.chat.views.ChatView)
    with running_local_gateway(Limits(idle_timeout=0.2)) as local:
        socket = open_socket(provision(live_server.url))
        with pytest.raises(ConnectionClosed) as closed:
            socket.receive()
        local.wait_until_quiet()
    assert closed.value.rcvd.code == 1001
