"""Hooks called alone: on a view with a request, without setup(), as a unit test does."""

from __future__ import annotations

import json

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponseBadRequest
from django.test import override_settings

from chat.tests import differs
from chat.tests.gateway import GatewayTestCase, make_request
from chat.views import ChatView
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView


class AloneTests(GatewayTestCase):
    def make_session(self, **columns):
        found = {"connection_id": "one=", "channel_name": "lobby", "api_gateway": self.gateway}
        return WebSocketSession.objects.create(**{**found, **columns})

    def test_check_allowed_hosts_is_about_the_host(self):
        view = ChatView()
        self.assertTrue(view._check_allowed_hosts(make_request("connect")))
        evil = make_request("connect", HTTP_HOST="evil.example.org")
        self.assertFalse(view._check_allowed_hosts(evil))

    def test_check_allowed_hosts_does_not_ask_the_origin(self):
        request = make_request("connect", HTTP_ORIGIN="https://evil.example.org")
        self.assertTrue(ChatView()._check_allowed_hosts(request))

    def test_check_host_is_in_origin_is_about_the_origin(self):
        view = ChatView()
        self.assertTrue(view._check_host_is_in_origin(make_request("connect")))
        evil = make_request("connect", HTTP_ORIGIN="https://evil.example.org")
        self.assertFalse(view._check_host_is_in_origin(evil))

    def test_check_allowed_hosts_is_called_on_the_class(self):
        self.assertTrue(WebSocketView._check_allowed_hosts(make_request("connect")))

    def test_check_host_is_in_origin_is_called_on_the_class(self):
        self.assertTrue(WebSocketView._check_host_is_in_origin(make_request("connect")))

    def test_without_an_origin(self):
        request = make_request("connect", HTTP_ORIGIN=None)
        try:
            is_in = WebSocketView()._check_host_is_in_origin(request)
        except KeyError:
            is_in = None
        self.assertEqual(is_in, differs(None, False))

    @override_settings(ALLOWED_HOSTS=["*"])
    def test_a_star_in_allowed_hosts(self):
        request = make_request("connect")
        self.assertEqual(ChatView()._check_allowed_hosts(request), differs(False, True))

    def test_expected_headers(self):
        view = ChatView()
        self.assertTrue(view._expected_headers(make_request()))
        self.assertFalse(view._expected_headers(make_request(HTTP_X_FORWARDED_FOR=None)))

    def test_expected_connection_headers(self):
        view = ChatView()
        request = make_request("connect", HTTP_COOKIE="a=b")
        self.assertTrue(view._expected_connection_headers(request))
        without = make_request("connect", HTTP_COOKIE="a=b", HTTP_SEC_WEBSOCKET_KEY=None)
        self.assertFalse(view._expected_connection_headers(without))

    def test_a_page_without_a_cookie(self):
        request = make_request("connect")
        request.META.pop("HTTP_COOKIE", None)
        self.assertEqual(ChatView()._expected_connection_headers(request), differs(False, True))

    def test_expected_headers_takes_what_dispatch_gives(self):
        self.assertTrue(ChatView()._expected_headers(make_request(), route="default"))

    def test_expected_useragent_of_aws(self):
        self.assertTrue(ChatView()._expected_useragent(make_request()))

    def test_expected_useragent_of_somebody_else(self):
        request = make_request(HTTP_USER_AGENT="curl/8")
        self.assertEqual(ChatView()._expected_useragent(request), differs(False, True))

    def test_allowed_apigateway_sets_the_gateway(self):
        view = ChatView()
        self.assertTrue(view._allowed_apigateway(make_request()))
        self.assertEqual(view.api_gateway, self.gateway)

    def test_check_platform_registered_api_gateways_sets_the_gateway(self):
        view = ChatView()
        self.assertTrue(view._check_platform_registered_api_gateways(make_request()))
        self.assertEqual(view.api_gateway, self.gateway)

    def test_an_unknown_gateway_is_not_allowed(self):
        view = ChatView()
        request = make_request(HTTP_X_AMZN_APIGATEWAY_API_ID="unknown")
        self.assertFalse(view._allowed_apigateway(request))
        self.assertFalse(view._check_platform_registered_api_gateways(request))

    def test_the_channel_name_of_the_query(self):
        request = make_request("connect", query="?channel=my%20example%20channel")
        self.assertEqual(ChatView()._get_channel_name(request), "my example channel")

    def test_the_channel_name_without_a_gateway_is_empty(self):
        self.assertEqual(ChatView()._get_channel_name(make_request("connect")), "")

    def test_the_channel_name_of_the_gateway(self):
        view = ChatView()
        view.api_gateway = self.gateway
        self.assertEqual(view._get_channel_name(make_request("connect")), "lobby")

    def test_additional_connection_checks_find_nothing(self):
        request = make_request("connect")
        self.assertEqual(ChatView()._additional_connection_checks(request), (True, ""))

    def test_load_session_sets_the_session(self):
        session = self.make_session()
        view = ChatView()
        view._load_session(make_request())
        self.assertEqual(view.websocket_session, session)

    def test_add_user_to_request_reads_the_session_of_the_connection(self):
        self.make_session(user=User.objects.create_user("alice"))
        request = make_request()
        ChatView()._add_user_to_request(request)
        self.assertEqual(request.user.get_username(), "alice")

    def test_add_user_to_request_leaves_a_guest_a_guest(self):
        self.make_session()
        request = make_request()
        request.user = AnonymousUser()
        ChatView()._add_user_to_request(request)
        self.assertEqual(request.user, AnonymousUser())

    def test_what_is_not_loaded_is_false(self):
        view = ChatView()
        self.assertIs(view.websocket_session, False)
        self.assertIs(view.api_gateway, False)
        view.setup(make_request(), route="default")
        self.assertIs(view.websocket_session, False)
        self.assertIs(view.api_gateway, False)

    def test_setup_reads_the_body(self):
        view = ChatView()
        view.setup(make_request(body='{"action": "chat"}'), route="default")
        self.assertEqual((view.body, view.kwargs), ({"action": "chat"}, {"route": "default"}))

    def test_setup_without_a_body(self):
        view = ChatView()
        view.setup(make_request("connect"), route="connect")
        self.assertEqual((view.body, view.debug_log), ({}, []))

    def test_setup_tells_its_lines_when_it_is_debugged(self):
        view = ChatView(debug=True)
        view.setup(make_request(body='{"action": "chat"}'), route="default")
        self.assertEqual(view.debug_log, ["Within setup", "Setup completed"])

    def test_debug_keeps_lines_only_when_asked(self):
        for debug, log in ((True, ["a line"]), (False, [])):
            view = ChatView(debug=debug)
            view._debug("a line")
            self.assertEqual(view.debug_log, log)

    def test_refusals_are_bad_requests(self):
        view, request = ChatView(), make_request()
        answers = {
            "Some of the required headers are missing": view.missing_headers(request),
            "Unexpected Useragent": view.invalid_useragent(request),
            "route_select_key action missing from request body.": (
                view.route_selection_key_missing(request)
            ),
            "of our own": view._return_bad_request("of our own"),
        }
        for text, answer in answers.items():
            self.assertIsInstance(answer, HttpResponseBadRequest)
            self.assertRefused(answer, text)

    def test_refusals_take_what_dispatch_gives(self):
        answer = ChatView().missing_headers(make_request(), route="default")
        self.assertEqual(answer.status_code, 400)

    def test_connect_makes_the_session(self):
        view, request = ChatView(), make_request("connect", HTTP_COOKIE="a=b")
        request.user = User.objects.create_user("alice")
        view.api_gateway = self.gateway
        answer = view.connect(request, route="connect")
        self.assertEqual((answer.status_code, json.loads(answer.content)), (200, {}))
        session = WebSocketSession.objects.get()
        self.assertEqual((session.user, session.channel_name), (request.user, "lobby"))

    def test_connect_refuses_a_page_of_another_site(self):
        view = ChatView()
        request = make_request(
            "connect", HTTP_COOKIE="a=b", HTTP_ORIGIN="https://evil.example.org"
        )
        request.user = AnonymousUser()
        view.api_gateway = self.gateway
        self.assertRefused(view.connect(request, route="connect"), "Host is not in Origin")

    def test_disconnect_closes_the_session(self):
        session = self.make_session()
        ChatView().disconnect(make_request("disconnect"))
        session.refresh_from_db()
        self.assertFalse(session.connected)

    def test_default_is_to_be_defined(self):
        with self.assertRaisesMessage(
            NotImplementedError, "This logic needs to be defined within the subclass"
        ):
            WebSocketView().default(make_request())
