from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.exceptions import MessageTooLarge
from django_aws_api_gateway_websockets.models import WebSocketSession


def test_what_is_small_is_sent_and_what_is_large_is_fetched(project, connect, client):
    bern, oslo = connect(channel="Bern"), connect(channel="Oslo")
    for city in ("Bern", "Oslo"):
        project.maps.views.tell(city)
    assert bern.received == [{"points": [[0, 0], [1, 1]]}]
    assert oslo.received == [{"fetch": "/points/Oslo/"}]
    assert len(client.get(oslo.received[0]["fetch"]).json()["points"]) == 20_000


def test_the_bound_is_128_kib(project, connect, outbox):
    connect()
    two_quotes = 2
    WebSocketSession.objects.send_message("x" * (128 * 1024 - two_quotes))
    with pytest.raises(MessageTooLarge):
        WebSocketSession.objects.send_message("x" * (128 * 1024 - two_quotes + 1))
    assert len(outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_a_page_that_sends_too_much_is_closed_with_1009(project, local_gateway, live_server):
    from websockets.exceptions import ConnectionClosed

    from django_aws_api_gateway_websockets.local.testing import open_socket, provision

    socket = open_socket(provision(live_server.url))
    with pytest.raises(ConnectionClosed) as closed:
        socket.send({"action": "say", "text": "x" * 32 * 1024})
        socket.receive()
    local_gateway.wait_until_quiet()
    assert closed.value.rcvd.code == 1009
