from __future__ import annotations

import pytest


def test_a_page_can_load_what_was_said(project, mount, connect):
    mount(project.chat.views.ChatView)
    ws = connect()
    ws.send({"action": "latest", "ref": "1"})
    assert ws.received == [{"ref": "1", "reply": {"texts": ["what", "was", "said"]}}]


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
