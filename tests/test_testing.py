"""The tools that a site tests its views with."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import TestCase

from django_aws_api_gateway_websockets import testing
from django_aws_api_gateway_websockets.conf import conf
from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient, WebSocketTestMixin
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db


class EchoView(WebSocketView):
    """Answers with what it was sent."""

    def default(self, request, *args, **kwargs):
        return {**self.body, "route": self.kwargs["route"]}

    def headers(self, request, *args, **kwargs):
        return dict(request.headers)


def test_the_client_keeps_the_latest_response():
    ws = WebSocketClient("/ws/")
    assert ws.response is None
    assert ws.connect() is ws.response
    assert ws.send({"action": "later"}) is ws.response
    assert ws.disconnect() is ws.response


def test_the_clients_session_is_read_anew(websocket):
    ws = WebSocketClient("/ws/")
    assert ws.session is None
    ws.connect()
    assert ws.session.connected
    ws.disconnect()
    assert not ws.session.connected


def test_the_client_connects_with_the_users_cookies(alice):
    ws = WebSocketClient("/ws/", user=alice)
    ws.connect()
    assert ws.session.user == alice


def test_only_the_connect_bears_cookies_and_origin(websocket, mount, alice):
    ws = websocket(mount(EchoView), user=alice, headers={"X-Extra": "of the handshake"})
    headers = ws.send({"action": "headers"}).json()
    assert {"Origin", "Sec-Websocket-Key", "X-Extra"} & set(headers) == set()
    assert headers.get("Cookie", "") == ""
    assert headers["Connectionid"] == ws.connection_id
    assert headers["X-Amzn-Apigateway-Api-Id"] == ws.gateway.api_id


@pytest.mark.parametrize("data", [{"action": "echo"}, '{"action": "echo"}', b'{"action":"echo"}'])
def test_the_client_sends_json_or_what_it_is_given(websocket, mount, data):
    ws = websocket(mount(EchoView))
    assert ws.send(data).json() == {"action": "echo", "route": "default"}


def test_the_client_sends_to_a_route_of_its_own(websocket, mount):
    ws = websocket(mount(EchoView))
    assert ws.send({"action": "echo"}, route="echo").json() == {"action": "echo", "route": "echo"}


def test_headers_of_the_handshake_win_over_the_clients_own():
    ws = WebSocketClient("/ws/", headers={"Origin": "https://else.net"})
    assert ws.connect().content == b"Host is not in Origin"


@pytest.mark.parametrize("name", ["Sec-WebSocket-Key", "sec-websocket-key", "Sec-Websocket-Key"])
def test_a_header_that_is_none_is_left_out_whatever_its_letter_case(name):
    ws = WebSocketClient("/ws/", headers={name: None})
    assert ws.connect().content == b"Missing 1 headers"


def test_the_client_comes_over_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert WebSocketClient("/ws/").connect().status_code == 200


def test_the_client_raises_what_the_view_raises(websocket, mount):
    class BrokenView(WebSocketView):
        def default(self, request, *args, **kwargs):
            raise LookupError

    ws = websocket(mount(BrokenView))
    with pytest.raises(LookupError):
        ws.send({"action": "any"})


def test_clients_share_one_gateway_unless_they_are_given_another():
    gateway = make_created_gateway()
    one, two = WebSocketClient("/ws/"), WebSocketClient("/ws/")
    other = WebSocketClient("/ws/", gateway=gateway)
    assert one.gateway == two.gateway != other.gateway == gateway
    assert ApiGateway.objects.count() == 2


def test_a_connection_id_looks_like_api_gateways():
    made = {testing.make_connection_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[\w-]{15}=", connection_id) for connection_id in made)


def test_a_connected_client_that_is_refused_says_why():
    with pytest.raises(AssertionError, match=r"^\$connect: 400 Host is not in Origin$"):
        testing.connected_client("/ws/", headers={"Origin": "null"})


def test_messages_reach_those_they_are_sent_to(websocket, websocket_outbox):
    one, two = websocket("/ws/", channel="lobby"), websocket("/ws/", channel="lobby")
    elsewhere = websocket("/ws/", channel="attic")
    one.send({"action": "chat", "text": "hello"})
    two.send({"action": "chat", "text": "hé"})
    expected = [{"text": "hello"}, {"text": "hé"}]
    assert one.received == two.received == expected
    assert elsewhere.received == []
    assert websocket_outbox.to(two.connection_id) == expected


def test_the_outbox_has_the_messages_in_order_with_session_and_url(websocket, websocket_outbox):
    ws = websocket("/ws/")
    ws.session.send_message({"n": 1})
    ws.session.send_message([2])
    assert [(message.connection_id, message.data) for message in websocket_outbox] == [
        (ws.connection_id, {"n": 1}),
        (ws.connection_id, [2]),
    ]
    message = websocket_outbox[0]
    assert message.session == ws.session
    assert message.url == "https://testserver.execute-api.us-east-1.amazonaws.com/production"


#: What is sent, and what the outbox shows: the frame, and its data.
FRAMES = {
    "JSON": ("send_message", {"n": 1}, '{"n": 1}', {"n": 1}),
    "JSON of a text": ("send_message", "<p>é</p>", '"<p>é</p>"', "<p>é</p>"),
    "HTML": ("send_text", "<p>é</p>", "<p>é</p>", "<p>é</p>"),
    "a text that is JSON": ("send_text", "5", "5", 5),
    "a text that Python alone takes for JSON": ("send_text", "NaN", "NaN", "NaN"),
    "a text that nests too deep": ("send_text", "[" * 100_000, "[" * 100_000, "[" * 100_000),
}


@pytest.mark.parametrize(("method", "sent", "text", "data"), FRAMES.values(), ids=FRAMES)
def test_a_frame_is_shown_as_it_is_and_parsed_if_it_is_json(
    websocket, websocket_outbox, method, sent, text, data
):
    ws = websocket("/ws/")
    getattr(ws.session, method)(sent)
    (message,) = websocket_outbox
    assert (message.text, message.data) == (text, data)
    assert (ws.received_texts, ws.received) == ([text], [data])
    assert websocket("/ws/").received_texts == []


def test_a_client_that_has_disconnected_is_gone(websocket, websocket_outbox):
    ws = websocket("/ws/")
    ws.disconnect()
    report = ws.session.send_message({"text": "hello"})
    assert (report.sent, report.gone, report.failed) == (0, 1, 0)
    assert websocket_outbox == []


def test_a_connection_that_is_gone_is_found_by_sending_to_it(websocket, websocket_outbox):
    kept, killed = websocket("/ws/"), websocket("/ws/")
    killed.send({"action": "later"})  # While it connects, a 410 does not mark it as gone.
    websocket_outbox.gone.add(killed.connection_id)
    report = WebSocketSession.objects.send_message({"text": "hello"})
    assert (report.sent, report.gone, report.failed) == (1, 1, 0)
    assert (kept.session.connected, killed.session.connected) == (True, False)
    assert (kept.received, killed.received) == ([{"text": "hello"}], [])


def test_sending_fails_as_the_test_says(websocket, websocket_outbox):
    ws = websocket("/ws/")
    websocket_outbox.failing[ws.connection_id] = "LimitExceededException"
    report = WebSocketSession.objects.send_message({"text": "hello"})
    assert (report.sent, report.gone, report.failed) == (0, 0, 1)
    assert report.reasons == {"LimitExceededException": 1}
    assert ws.session.connected
    assert ws.received == []


def test_sending_to_a_session_without_gateway_fails_as_it_does_for_aws(websocket_outbox):
    report = make_session().send_message({"text": "hello"})
    assert (report.sent, report.failed) == (0, 1)
    assert websocket_outbox == []


def test_an_outbox_that_is_cleared_forgets_who_is_gone_and_failing(websocket, websocket_outbox):
    gone, failing = websocket("/ws/"), websocket("/ws/")
    gone.session.send_message({})
    websocket_outbox.gone.add(gone.connection_id)
    websocket_outbox.failing[failing.connection_id] = "reason"
    websocket_outbox.clear()
    assert websocket_outbox == []
    assert WebSocketSession.objects.send_message({}).sent == 2


def test_capturing_begins_with_an_empty_outbox(websocket):
    websocket("/ws/").session.send_message({})
    with testing.capture_messages() as outbox:
        assert outbox == []
        assert outbox is testing.outbox


def test_capturing_leaves_the_other_settings_and_ends(settings):
    settings.WEBSOCKETS = {"max_in_flight": 3}
    real = conf.transport
    with testing.capture_messages():
        assert (conf.transport, conf.max_in_flight) == (
            "django_aws_api_gateway_websockets.testing.OutboxTransport",
            3,
        )
    assert (conf.transport, conf.max_in_flight) == (real, 3)


class WebSocketTestMixinTests(WebSocketTestMixin, TestCase):
    """As a site writes its tests."""

    @classmethod
    def setUpTestData(cls):
        cls.alice = get_user_model().objects.create_user("alice")

    def chat(self):
        ws = self.websocket("/ws/", user=self.alice, channel="lobby")
        ws.send({"action": "chat", "text": "hello"})
        return ws

    def test_a_message_reaches_the_room(self):
        ws = self.chat()
        self.assertEqual(ws.received, [{"text": "hello"}])
        self.assertEqual(self.outbox.to(ws.connection_id), ws.received)
        self.assertEqual(ws.session.user, self.alice)

    def test_the_outbox_is_empty_when_a_test_begins(self):
        self.assertEqual(self.outbox, [])
        self.chat()

    def test_the_outbox_is_empty_when_another_test_begins(self):
        self.assertEqual(self.outbox, [])
        self.chat()

    def test_who_is_gone_is_forgotten_when_a_test_begins(self):
        self.assertEqual((self.outbox.gone, self.outbox.failing), (set(), {}))
        self.websocket("/ws/").disconnect()
        self.assertEqual(len(self.outbox.gone), 1)

    def test_a_refused_connection_fails_the_test(self):
        with self.assertRaisesMessage(AssertionError, "$connect: 400 Host is not in Origin"):
            self.websocket("/ws/", headers={"Origin": "null"})


class HostView(WebSocketView):
    def connect(self, request, *args, **kwargs):
        response = super().connect(request, *args, **kwargs)
        self.websocket_session.channel_name = request.get_host()
        self.websocket_session.save()
        return response

    def host(self, request, *args, **kwargs):
        return {"host": request.get_host(), "server": request.META["SERVER_NAME"]}


def test_the_client_comes_to_any_host(websocket, mount, settings):
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    ws = websocket(mount(HostView), host="shop.example.com")
    assert ws.session.channel_name == "shop.example.com"
    answer = ws.send({"action": "host"}).json()
    assert answer == {"host": "shop.example.com", "server": "shop.example.com"}
    assert ws.disconnect().status_code == 200
