"""Real sockets beside a live server: the whole way of a message."""

from __future__ import annotations

from typing import Callable
from unittest import mock

import pytest

pytest.importorskip("websockets")

from django.conf import settings
from django.contrib.auth.models import User
from django.test import LiveServerTestCase, override_settings
from websockets.exceptions import InvalidStatus

from django_aws_api_gateway_websockets.local.testing import LiveSocket, LocalGatewayTestMixin
from django_aws_api_gateway_websockets.models import WebSocketSession

FACTORY = "django_aws_api_gateway_websockets.models.get_boto3_client"


class LocalGatewayTestMixinTests(LocalGatewayTestMixin, LiveServerTestCase):
    def test_a_message_goes_from_one_socket_to_all_of_its_channel(self) -> None:
        alice = User.objects.create_user("alice")
        one, two = self.open_socket(user=alice, channel="lobby"), self.open_socket(channel="lobby")
        elsewhere = self.open_socket(channel="elsewhere")
        one.send({"action": "chat", "text": "héllo"})
        self.assertEqual([one.receive(), two.receive()], [{"text": "héllo"}] * 2)
        with self.assertRaises(TimeoutError):
            elsewhere.receive(timeout=0.05)

    def test_the_session_has_the_user_whose_cookies_came_with_the_handshake(self) -> None:
        alice = User.objects.create_user("alice")
        self.open_socket(user=alice)
        self.open_socket()
        users = WebSocketSession.objects.order_by("pk").values_list("user__username", flat=True)
        self.assertEqual(list(users), ["alice", None])

    def test_a_page_of_another_site_is_refused(self) -> None:
        with self.assertRaises(InvalidStatus) as refused:
            self.open_socket(origin="https://evil.example")
        self.assertEqual(refused.exception.response.status_code, 400)

    def test_messages_are_sent_as_in_production(self) -> None:
        socket = self.open_socket()
        with mock.patch(FACTORY) as factory:
            WebSocketSession.objects.send_message("hello")
        self.assertEqual(socket.receive(), "hello")
        factory.assert_not_called()


@override_settings(WEBSOCKETS={"transport": "boto3", "max_in_flight": 3})
class ChosenTransportTests(LocalGatewayTestMixin, LiveServerTestCase):
    def test_a_transport_that_the_settings_name_stays(self) -> None:
        self.assertEqual(settings.WEBSOCKETS, {"transport": "boto3", "max_in_flight": 3})


def test_fixture_opens_sockets_to_the_live_server(
    live_websocket: Callable[..., LiveSocket],
) -> None:
    socket = live_websocket("/ws/", channel="lobby")
    socket.send({"action": "chat", "text": "hello"})
    assert socket.receive() == {"text": "hello"}


def test_a_text_frame_arrives_byte_for_byte(live_websocket: Callable[..., LiveSocket]) -> None:
    text = "<p>Grüße, \U0001f680</p>\r\n"
    socket = live_websocket("/ws/")
    assert WebSocketSession.objects.send_text(text).sent == 1
    assert socket.connection.recv(timeout=5) == text


def test_a_live_socket_receives_a_text_that_is_no_json(
    live_websocket: Callable[..., LiveSocket],
) -> None:
    socket = live_websocket("/ws/")
    for text in ("<p>hello</p>", "5"):
        WebSocketSession.objects.send_text(text)
    assert [socket.receive(), socket.receive()] == ["<p>hello</p>", 5]


def test_messages_of_the_fixture_are_sent_as_in_production(
    live_websocket: Callable[..., LiveSocket],
) -> None:
    socket = live_websocket("/ws/")
    with mock.patch(FACTORY) as factory:
        WebSocketSession.objects.send_message("hello")
    assert socket.receive() == "hello"
    factory.assert_not_called()
