"""Each hook of 1.1.1, overridden: asked when it was, with what it was, and its answer obeyed."""

from __future__ import annotations

import json

from django.contrib.auth.models import User
from django.test import override_settings

from chat import hooks
from chat.tests import differs
from chat.tests.gateway import GatewayTestCase, Socket, make_gateway
from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession

EVIL = "https://evil.example.org"


class HostTests(GatewayTestCase):
    """_check_allowed_hosts asks about the Host, besides the question about the Origin."""

    def connect(self, view, host="www.example.com", origin="https://www.example.com"):
        return Socket(view).connect(HTTP_HOST=host, HTTP_ORIGIN=origin)

    def test_a_tenant_is_admitted(self):
        answer = self.connect("tenantview", origin="https://a.tenants.example")
        self.assertEqual(answer.status_code, 200)

    def test_a_host_that_the_hook_refuses_is_refused(self):
        answer = self.connect("tenantview", "shop.example.com", "https://a.tenants.example")
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(WebSocketSession.objects.exists())

    @override_settings(CSRF_TRUSTED_ORIGINS=["https://a.tenants.example"])
    def test_a_refused_host_is_refused_to_a_trusted_origin(self):
        answer = self.connect("tenantview", "shop.example.com", "https://a.tenants.example")
        self.assertEqual(answer.status_code, 400)

    def test_an_origin_that_the_hook_refuses_is_refused(self):
        answer = self.connect("tenantview", origin="https://www.example.com")
        self.assertRefused(answer, "Host is not in Origin")

    def test_static_hooks_are_asked(self):
        self.assertEqual(
            self.connect("statictenantview", origin="https://pages.example").status_code, 200
        )
        for host, origin in (
            ("shop.example.com", "https://pages.example"),
            ("www.example.com", "https://other.example"),
        ):
            with self.subTest(host=host, origin=origin):
                answer = self.connect("statictenantview", host, origin)
                self.assertEqual(answer.status_code, 400)

    def test_true_about_the_host_admits_no_other_origin(self):
        page = Socket("anyhostview")
        page.client.force_login(User.objects.create_user("alice"))
        answer = page.connect(HTTP_ORIGIN=EVIL)
        self.assertRefused(answer, "Host is not in Origin")
        self.assertFalse(WebSocketSession.objects.exists())

    @override_settings(ALLOWED_HOSTS=[".example.com"])
    def test_true_about_the_host_of_a_pattern_admits_the_site(self):
        self.assertEqual(self.connect("anyhostview").status_code, 200)

    def test_no_host_is_shown_to_a_client(self):
        answer = self.connect("tenantview", "shop.example.com", "https://a.tenants.example")
        self.assertEqual(b"www.example.com" in answer.content, differs(True, False))


class ConnectHookTests(GatewayTestCase):
    def test_additional_connection_checks_get_the_route_and_the_request(self):
        socket = Socket("passwordview")
        self.assertRefused(socket.connect("?password=guess"), "Wrong password")
        self.assertEqual(socket.connect("?password=for%20connect").status_code, 200)

    def test_get_channel_name_knows_the_user_and_the_gateway(self):
        socket = Socket("channelview")
        socket.client.force_login(User.objects.create_user("alice"))
        self.assertEqual(socket.connect().status_code, 200)
        self.assertEqual(WebSocketSession.objects.get().channel_name, "private to alice of Chat")

    def test_check_host_is_in_origin_decides_about_pages(self):
        answer = Socket("originview").connect(HTTP_ORIGIN="https://partner.example")
        self.assertEqual(answer.status_code, 200)
        answer = Socket("originview", "two=").connect(HTTP_ORIGIN="https://www.example.com")
        self.assertRefused(answer, "Host is not in Origin")

    def test_expected_connection_headers_get_the_route(self):
        socket = Socket("connectionheadersview")
        self.assertEqual(socket.connect().status_code, 400)
        answer = socket.connect(HTTP_SEC_WEBSOCKET_PROTOCOL="chat")
        self.assertEqual(answer.status_code, 200)

    def test_connect_is_extended(self):
        self.assertEqual(Socket("connectview").connect()["X-Channel"], "lobby")

    def test_connect_is_replaced(self):
        socket = Socket("ownconnectview")
        self.assertEqual(socket.connect().json(), {"connect": "our own"})
        self.assertEqual(socket.send("whoami").json()["channel"], "of our own")


class EventHookTests(GatewayTestCase):
    """Hooks that are asked for every event, or for every message."""

    def asked(self, event):
        """{hook: the route that it was given, if it was} of an event."""
        hooks.RecordingView.asked.clear()
        self.assertEqual(event().status_code, 200)
        names = [name for name, _ in hooks.RecordingView.asked]
        self.assertEqual(len(names), len(set(names)), names)
        return {name: kwargs.get("route") for name, kwargs in hooks.RecordingView.asked}

    def assertAsked(self, event, *names, **with_the_route):  # noqa: N802 - as TestCase's own
        expected = {**dict.fromkeys(names), **with_the_route}
        found = self.asked(event)
        self.assertEqual({name: found.get(name, "not asked") for name in expected}, expected)

    def test_each_hook_of_a_connect_is_asked_once(self):
        self.assertAsked(
            Socket("recordingview").connect,
            "_expected_headers",
            "_allowed_apigateway",
            "_check_platform_registered_api_gateways",
            "_check_allowed_hosts",
            "_check_host_is_in_origin",
            "_get_channel_name",
            _expected_connection_headers="connect",
            _additional_connection_checks="connect",
        )

    def test_each_hook_of_a_message_is_asked_once(self):
        socket = Socket("recordingview")
        socket.connect()
        self.assertAsked(
            lambda: socket.send("whoami"),
            "_expected_headers",
            "_allowed_apigateway",
            "_check_platform_registered_api_gateways",
            "_load_session",
            "_add_user_to_request",
            _expected_useragent="default",
        )

    def test_each_hook_of_a_disconnect_is_asked_once(self):
        socket = Socket("recordingview")
        socket.connect()
        self.assertAsked(
            socket.disconnect,
            "_expected_headers",
            "_allowed_apigateway",
            "_check_platform_registered_api_gateways",
            "_add_user_to_request",
            _expected_useragent="disconnect",
        )

    def test_expected_headers_are_asked_for_each_event(self):
        socket = Socket("headersview")
        text = "Some of the required headers are missing"
        self.assertRefused(socket.connect(), text)
        self.assertEqual(socket.connect(HTTP_X_TENANT="a").status_code, 200)
        self.assertRefused(socket.send("whoami"), text)
        self.assertRefused(socket.disconnect(), text)

    def test_allowed_apigateway_is_asked_for_each_event(self):
        socket = Socket("allowedgatewayview")
        self.assertEqual(socket.connect().status_code, 200)
        ApiGateway.objects.update(api_name="Banned")
        self.assertEqual(socket.send("whoami").status_code, 400)

    def test_check_platform_registered_api_gateways_finds_the_gateway(self):
        known = make_gateway(api_name="known as x7", api_id="")
        socket = Socket("registeredgatewayview", api_id="x7")
        self.assertEqual(socket.connect().status_code, 200)
        self.assertEqual(WebSocketSession.objects.get().api_gateway, known)
        self.assertEqual(socket.send("whoami").json()["gateway"], "known as x7")
        self.assertEqual(socket.disconnect().status_code, 200)

    def test_check_platform_registered_api_gateways_refuses(self):
        self.assertEqual(Socket("registeredgatewayview").connect().status_code, 400)

    def test_expected_useragent_is_not_asked_when_a_client_connects(self):
        self.assertEqual(Socket("useragentview").connect().status_code, 200)

    def test_expected_useragent_is_asked_for_messages_and_the_disconnect(self):
        socket = Socket("useragentview")
        socket.connect()
        self.assertEqual(socket.send("whoami").status_code, 200)
        curl = {"HTTP_USER_AGENT": "curl/8"}
        answer = socket.post("default", '{"action": "whoami"}', **curl)
        self.assertRefused(answer, "Unexpected Useragent")
        self.assertRefused(socket.disconnect(**curl), "Unexpected Useragent")
        self.assertEqual(socket.disconnect().status_code, 200)

    def test_invalid_useragent_answers(self):
        socket = Socket("invaliduseragentview")
        socket.connect()
        answer = socket.post("default", '{"action": "whoami"}', HTTP_USER_AGENT="curl/8")
        self.assertEqual((answer.status_code, answer.json()), (403, {"agent": "default"}))

    def test_missing_headers_answers_missing_headers_and_an_unknown_gateway(self):
        answer = Socket("missingheadersview").connect(HTTP_X_FORWARDED_FOR=None)
        self.assertEqual((answer.status_code, answer.json()), (403, {"unknown": "connect"}))
        answer = Socket("missingheadersview", api_id="unknown").connect()
        self.assertEqual((answer.status_code, answer.json()), (403, {"unknown": "connect"}))

    def test_route_selection_key_missing_answers(self):
        socket = Socket("actionmissingview")
        socket.connect()
        answer = socket.send(text="hello")
        self.assertEqual((answer.status_code, answer.json()), (422, {"keys": ["text"]}))

    def test_return_bad_request_makes_each_refusal(self):
        socket = Socket("badrequestview")
        socket.connect()
        answers = {
            "Host is not in Origin": socket.connect(HTTP_ORIGIN=EVIL),
            "Missing 1 headers": socket.connect(HTTP_SEC_WEBSOCKET_KEY=None),
            "route_select_key action missing from request body.": socket.send(text="hello"),
        }
        for text, answer in answers.items():
            self.assertEqual(
                (answer.status_code, json.loads(answer.content)["error"]), (422, text)
            )

    def test_add_user_to_request_decides_who_speaks(self):
        socket = Socket("userview")
        socket.connect()
        self.assertEqual(socket.send("whoami").json()["user"], "somebody")

    def test_load_session_knows_the_gateway(self):
        socket = Socket("sessionview")
        socket.connect()
        self.assertEqual(socket.send("whoami").json()["channel"], "lobby")

    def test_disconnect_is_extended_and_knows_the_user(self):
        hooks.DisconnectView.left.clear()
        socket = Socket("disconnectview")
        socket.client.force_login(User.objects.create_user("alice"))
        socket.connect()
        # API Gateway's POST of a disconnect has no cookie.
        self.assertEqual(Socket("disconnectview").disconnect().status_code, 200)
        self.assertEqual(hooks.DisconnectView.left, [("one=", "alice")])
        self.assertFalse(WebSocketSession.objects.get().connected)


class ViewTests(GatewayTestCase):
    """Attributes of 1.1.1, and methods of Django's View."""

    def test_setup_changes_the_body(self):
        socket = Socket("setupview")
        socket.connect()
        self.assertEqual(socket.send(verb="whoami").json()["channel"], "lobby")

    def test_dispatch_is_extended(self):
        socket = Socket("dispatchview")
        self.assertEqual(socket.connect()["X-Served-By"], "chat")
        self.assertEqual(socket.send("whoami")["X-Served-By"], "chat")

    def test_an_own_dispatch_asks_the_hooks_itself(self):
        page = Socket("owndispatchview")
        page.client.force_login(User.objects.create_user("alice"))
        self.assertEqual(page.connect().status_code, 200)
        answer = Socket("owndispatchview").send("anything")
        self.assertEqual(answer.json(), {"user": "alice", "in": "lobby"})
        self.assertEqual(Socket("owndispatchview").disconnect().status_code, 200)
        self.assertFalse(WebSocketSession.objects.get().connected)

    def test_an_own_dispatch_refuses_what_its_hooks_refuse(self):
        socket = Socket("owndispatchview", api_id="unknown")
        self.assertRefused(socket.connect(), "Another gateway")
        answer = Socket("owndispatchview").connect(HTTP_ORIGIN=EVIL)
        self.assertRefused(answer, "Host is not in Origin")

    def test_an_own_dispatch_needs_no_csrf_token(self):
        socket = Socket("owndispatchview")
        socket.client.handler.enforce_csrf_checks = True
        self.assertEqual(socket.connect().status_code, differs(403, 200))

    def test_a_model_of_ones_own_is_left_alone(self):
        socket = Socket("modelview")
        self.assertEqual(socket.connect().status_code, 200)
        self.assertEqual(socket.send("count").json(), {"messages": 0})
        self.assertEqual(socket.disconnect().status_code, 200)

    def test_http_method_names_are_obeyed(self):
        self.assertEqual(Socket("getonlyview").connect().status_code, 405)

    def test_another_route_selection_key(self):
        socket = Socket("typeview")
        socket.connect()
        self.assertEqual(socket.send(type="whoami").json()["channel"], "lobby")
        self.assertEqual(socket.send(type="nonsense").json(), {"default": "nonsense"})
        text = "route_select_key type missing from request body."
        self.assertRefused(socket.send("whoami"), text)

    def test_lists_of_headers_that_a_view_sets_are_asked_for(self):
        socket = Socket("oldheadersview")
        text = "Some of the required headers are missing"
        self.assertRefused(socket.connect(HTTP_X_AMZN_TRACE_ID=None), text)
        answer = socket.connect(HTTP_COOKIE="a=b", HTTP_SEC_WEBSOCKET_KEY=None)
        self.assertRefused(answer, "Missing 1 headers")
        self.assertEqual(socket.connect(HTTP_COOKIE="a=b").status_code, 200)

    def test_one_gateway_by_its_id(self):
        make_gateway(api_name="Other", api_id="api2")
        self.assertEqual(Socket("onegatewayview").connect().status_code, 200)
        answer = Socket("onegatewayview", "two=", api_id="api2").connect()
        self.assertEqual(answer.status_code, 400)

    def test_helpers_of_ones_own_are_left_alone(self):
        socket = Socket("helpersview")
        self.assertEqual(socket.connect().status_code, 200)
        answer = socket.send("helpers")
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(all(name == value for name, value in answer.json().items()))
        self.assertEqual(socket.disconnect().status_code, 200)

    def test_debug_is_told_each_step(self):
        hooks.DebugView.lines.clear()
        Socket("debugview").connect()
        for name in ("_expected_headers", "_allowed_apigateway"):
            self.assertIn(f"{name}() returned True", hooks.DebugView.lines)

    def test_debug_is_told_of_setup(self):
        hooks.DebugView.lines.clear()
        Socket("debugview").connect()
        self.assertEqual(hooks.DebugView.lines[:2], ["Within setup", "Setup completed"])

    def test_debug_is_turned_on_by_as_view(self):
        socket = Socket("debugged")
        socket.connect()
        log = socket.send("log").json()["log"]
        self.assertEqual(log[:2], ["Within setup", "Setup completed"])

    def test_debug_is_turned_on_by_the_class(self):
        socket = Socket("debuglogview")
        socket.connect()
        log = socket.send("log").json()["log"]
        self.assertEqual(log[:2], differs([], ["Within setup", "Setup completed"]))

    def test_one_message_has_no_debug_lines_of_another(self):
        socket = Socket("debugged")
        socket.connect()
        logs = [socket.send("log").json()["log"] for _ in range(2)]
        self.assertEqual(logs[0], logs[1])
