"""The life of a connection: what the chat's author tried first."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import override_settings

from chat.models import ChatSession, Message, Room
from chat.tests import differs
from chat.tests.gateway import GatewayTestCase, Socket, make_gateway
from django_aws_api_gateway_websockets.models import WebSocketSession


class ConnectionTests(GatewayTestCase):
    def test_a_guest_connects(self):
        answer = Socket().connect()
        self.assertEqual((answer.status_code, answer.json()), (200, {}))
        session = WebSocketSession.objects.get()
        self.assertEqual((session.connection_id, session.channel_name), ("one=", "lobby"))
        self.assertEqual((session.api_gateway, session.user), (self.gateway, None))
        self.assertEqual((session.connected, session.request_count), (True, 1))

    def test_a_user_connects_to_a_channel(self):
        socket = Socket()
        alice = User.objects.create_user("alice")
        socket.client.force_login(alice)
        socket.connect("?channel=Chatroom%201")
        session = alice.websocket_sessions.get()
        self.assertEqual(session.channel_name, "Chatroom 1")

    def test_a_message_has_the_user_of_its_connection(self):
        page = Socket()
        page.client.force_login(User.objects.create_user("alice"))
        page.connect()
        # API Gateway's POST of a message has no cookie.
        answer = Socket().send("whoami").json()
        self.assertEqual(answer["user"], "alice")
        self.assertEqual(
            {key: answer[key] for key in ("channel", "gateway", "route")},
            {"channel": "lobby", "gateway": "Chat", "route": "default"},
        )

    def test_each_message_is_counted(self):
        socket = Socket()
        socket.connect()
        for _ in range(3):
            socket.send("whoami")
        self.assertEqual(WebSocketSession.objects.get().request_count, 4)

    def test_the_count_in_a_handler(self):
        socket = Socket()
        socket.connect()
        self.assertEqual(socket.send("whoami").json()["count"], differs(1, 2))

    def test_a_message_to_an_own_route_comes_with_its_name(self):
        socket = Socket()
        socket.connect()
        self.assertEqual(socket.send("whoami", route="join").json()["route"], "join")

    def test_a_disconnect_closes_the_session_and_counts(self):
        socket = Socket()
        socket.connect()
        answer = socket.disconnect()
        self.assertEqual((answer.status_code, answer.json()), (200, {}))
        session = WebSocketSession.objects.get()
        self.assertEqual((session.connected, session.request_count), (False, 2))

    def test_an_unknown_action_goes_to_default(self):
        socket = Socket()
        socket.connect()
        self.assertEqual(socket.send("nonsense").json(), {"default": "nonsense"})

    def test_an_empty_action_goes_to_default(self):
        socket = Socket()
        socket.connect()
        answer = socket.send("")
        self.assertEqual((answer.status_code, answer.json()), (200, {"default": ""}))

    def test_a_chat_is_kept_and_sent(self):
        Room.objects.create(name="lobby", gateway=self.gateway)
        for name in ("one=", "two="):
            Socket(connection_id=name).connect()
        self.assertEqual(Socket().send("chat", text="hello").json(), {})
        self.assertEqual(self.sent(), [(name, {"text": "hello"}) for name in ("one=", "two=")])
        self.assertEqual(Message.objects.get().session.connection_id, "one=")

    def test_a_proxy_of_the_session_sends(self):
        Socket().connect()
        ChatSession.objects.get().say("hello")
        self.assertEqual(self.sent(), [("one=", {"say": "hello"})])

    def test_an_error_of_a_handler_reaches_the_test_client(self):
        socket = Socket()
        socket.connect()
        socket.client.raise_request_exception = True
        with self.assertRaisesMessage(LookupError, "of the handler"):
            socket.send("fail")

    def test_an_error_of_a_handler_is_a_server_error(self):
        socket = Socket()
        socket.connect()
        self.assertEqual(socket.send("fail").status_code, 500)

    def test_the_view_asks_for_no_csrf_token(self):
        socket = Socket()
        socket.client.handler.enforce_csrf_checks = True
        self.assertEqual(socket.connect().status_code, 200)
        self.assertEqual(socket.send("whoami").status_code, 200)


class OldRowsTests(GatewayTestCase):
    """Connections that were opened before the package was changed go on after it."""

    fixtures = ["chat"]

    def setUp(self):
        super().setUp()
        self.alice = Socket(connection_id="alice=", api_id="old1")

    def test_an_open_connection_is_served(self):
        answer = self.alice.send("whoami").json()
        self.assertEqual((answer["user"], answer["channel"]), ("alice", "Chat lobby"))
        self.assertEqual(WebSocketSession.objects.get(pk=11).request_count, 4)

    def test_an_open_connection_is_sent_to(self):
        self.alice.send("chat", text="hello")
        self.assertEqual(
            self.sent(), [("alice=", {"text": "hello"}), ("guest=", {"text": "hello"})]
        )

    def test_an_open_connection_ends(self):
        self.alice.disconnect()
        self.assertFalse(WebSocketSession.objects.get(pk=11).connected)

    def test_a_new_connection_joins_them(self):
        Socket(connection_id="new=", api_id="old1").connect()
        self.assertEqual(WebSocketSession.objects.filter(channel_name="Chat lobby").count(), 3)


class RefusalTests(GatewayTestCase):
    def test_a_missing_header_is_refused(self):
        for name in ("CONNECTIONID", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "USER_AGENT"):
            with self.subTest(name):
                answer = Socket().connect(**{f"HTTP_{name}": None})
                self.assertRefused(answer, "Some of the required headers are missing")

    def test_missing_headers_of_a_page_are_counted(self):
        answer = Socket().connect(HTTP_SEC_WEBSOCKET_KEY=None, HTTP_SEC_WEBSOCKET_VERSION=None)
        self.assertRefused(answer, "Missing 2 headers")

    def test_a_message_without_the_action_is_refused(self):
        socket = Socket()
        socket.connect()
        text = "route_select_key action missing from request body."
        self.assertRefused(socket.send(text="no action"), text)

    def test_a_page_of_another_site_is_refused(self):
        answer = Socket().connect(HTTP_ORIGIN="https://evil.example.org")
        self.assertRefused(answer, "Host is not in Origin")
        self.assertFalse(WebSocketSession.objects.exists())

    def test_an_unknown_gateway_is_refused_with_the_text_of_missing_headers(self):
        text = "Some of the required headers are missing"
        self.assertRefused(Socket(api_id="unknown").connect(), text)

    def test_a_body_that_is_no_json(self):
        socket = Socket()
        socket.connect()
        self.assertEqual(socket.send(raw="no json").status_code, differs(500, 400))

    def test_an_action_that_is_no_text(self):
        socket = Socket()
        socket.connect()
        self.assertEqual(socket.send(5).status_code, differs(500, 400))

    def test_a_message_of_an_unknown_connection(self):
        self.assertEqual(Socket().send("whoami").status_code, differs(500, 400))

    def test_a_message_after_the_disconnect(self):
        socket = Socket()
        socket.connect()
        socket.disconnect()
        self.assertEqual(socket.send("whoami").status_code, differs(200, 400))

    def test_a_second_connect_with_the_same_id(self):
        Socket().connect()
        self.assertIn(Socket().connect().status_code, differs([500], [200, 409]))

    def test_another_method_than_post(self):
        answer = Socket().post("connect", method="PUT")
        self.assertEqual(answer.status_code, differs(200, 405))

    def test_a_message_through_another_gateway(self):
        make_gateway(api_name="Other", api_id="api2")
        Socket().connect()
        answer = Socket(api_id="api2").send("whoami")
        self.assertEqual(answer.status_code, differs(200, 400))

    def test_a_client_without_extensions(self):
        answer = Socket().connect(HTTP_SEC_WEBSOCKET_EXTENSIONS=None)
        self.assertEqual(answer.status_code, differs(400, 200))

    def test_a_proxy_that_sets_fewer_headers(self):
        answer = Socket().connect(HTTP_X_REAL_IP=None, HTTP_CONNECTION=None)
        self.assertEqual(answer.status_code, differs(400, 200))

    def test_a_message_by_another_useragent(self):
        Socket().connect()
        answer = Socket().post("default", '{"action": "whoami"}', HTTP_USER_AGENT="curl/8")
        self.assertEqual(answer.status_code, differs(400, 200))

    def test_an_origin_that_only_contains_the_host(self):
        answer = Socket().connect(HTTP_ORIGIN="https://www.example.com.evil.example.org")
        self.assertEqual(answer.status_code, differs(200, 400))

    def test_an_origin_on_another_port_or_scheme(self):
        for origin in ("https://www.example.com:8443", "http://www.example.com"):
            with self.subTest(origin):
                answer = Socket(connection_id=origin).connect(HTTP_ORIGIN=origin)
                self.assertEqual(answer.status_code, differs(200, 400))

    def test_a_view_without_default(self):
        socket = Socket("nodefaultview")
        socket.connect()
        self.assertEqual(socket.send("nonsense").status_code, differs(500, 400))

    @override_settings(ALLOWED_HOSTS=[".example.com"])
    def test_a_pattern_in_allowed_hosts(self):
        self.assertEqual(Socket().connect().status_code, differs(400, 200))

    def test_a_channel_name_that_is_too_long(self):
        answer = Socket().connect(f"?channel={'x' * 129}")
        self.assertNotEqual(answer.status_code, differs(None, 200))

    def test_a_message_after_the_logout(self):
        page = Socket()
        page.client.force_login(User.objects.create_user("alice"))
        page.connect()
        page.client.logout()
        answer = Socket().send("whoami")
        self.assertEqual(answer.status_code == 200, differs(True, False))

    def test_the_message_of_an_inactive_user(self):
        page = Socket()
        page.client.force_login(User.objects.create_user("alice"))
        page.connect()
        User.objects.update(is_active=False)
        self.assertEqual(Socket().send("whoami").status_code, differs(200, 403))
