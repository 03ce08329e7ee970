"""Handshakes as a client at a real socket sees them, through the local gateway."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.security.identity import Identity
from tests.chat import ChatView

pytestmark = pytest.mark.django_db(transaction=True)


class HastyView(ChatView):
    """Sends to a connection whose $connect it is still answering, which AWS says is gone."""

    def connect(self, request, *args, **kwargs):
        response = super().connect(request, *args, **kwargs)
        self.websocket_session.send_message({"text": "too early"})
        return response


def refusal_of(open_socket, *args, **options):
    with pytest.raises(InvalidStatus) as refused:
        open_socket(*args, **options)
    return refused.value.response


def test_a_message_inside_connect_is_lost_and_the_connection_is_not(live_websocket, mount):
    socket = live_websocket(mount(HastyView), channel="lobby")
    socket.send({"action": "chat", "text": "in time"})
    assert socket.receive() == {"text": "in time"}
    assert WebSocketSession.objects.get().connected


def test_a_browser_gets_the_subprotocol_that_the_view_chose(live_websocket, mount):
    url = mount(ChatView, subprotocols=["talk.v2", "talk.v1"])
    socket = live_websocket(url, subprotocols=["json", "talk.v1", "talk.v2"])
    assert socket.connection.subprotocol == "talk.v1"


def test_a_ticket_opens_one_socket_without_a_cookie(live_websocket, mount, alice):
    url = mount(ChatView, allow_anonymous=False)
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    live_websocket(url, ticket=ticket)
    assert WebSocketSession.objects.get().user == alice
    for again in (ticket, ""):
        assert refusal_of(live_websocket, url, ticket=again).status_code == 403


def test_who_connects_too_often_is_refused_with_a_429(live_websocket, mount):
    url = mount(ChatView, connect_rate="2/d")
    for _ in range(2):
        live_websocket(url)
    assert refusal_of(live_websocket, url).status_code == 429


def test_a_page_of_another_site_is_refused_with_a_400(live_websocket):
    assert refusal_of(live_websocket, "/ws/", origin="https://evil.test").status_code == 400
