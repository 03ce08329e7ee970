"""Hooks that a site calls itself: alone on a view, on the class, or in a dispatch() of its own."""

from __future__ import annotations

import inspect

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponseBadRequest, JsonResponse

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, event_headers, post
from tests.chat import ChatView
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def ws(websocket, alice):
    return websocket("/ws/", user=alice, channel="lobby")


@pytest.fixture
def request_of(rf):
    """``request_of(ws, Host="...")``: an event of that client, as a view gets it."""

    def request_of(ws, **headers):
        given = event_headers(ws, **{**HANDSHAKE, **headers})
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()}
        meta = {name: value for name, value in sent.items() if value is not None}
        meta.setdefault("HTTP_CONTENT_LENGTH", "2")
        return rf.post("/ws/default", {}, "application/json", **meta)

    return request_of


#: The hooks that answer a question, and a header with which the answer is no.
ANSWERS = {
    "_expected_headers": {"X-Forwarded-For": None},
    "_expected_connection_headers": {"Sec-Websocket-Key": None},
    "_allowed_apigateway": {"X-Amzn-Apigateway-Api-Id": "else"},
    "_check_platform_registered_api_gateways": {"X-Amzn-Apigateway-Api-Id": "else"},
    "_check_allowed_hosts": {"Host": "else.net"},
    "_check_host_is_in_origin": {"Origin": "https://else.net"},
    "_is_own_origin": {"Origin": "https://else.net"},
}


@pytest.mark.parametrize("hook", ANSWERS)
def test_a_hook_answers_on_a_view_that_has_not_been_set_up(ws, request_of, hook):
    assert getattr(WebSocketView(), hook)(request_of(ws)) is True
    assert getattr(WebSocketView(), hook)(request_of(ws, **ANSWERS[hook])) is False


@pytest.mark.parametrize(
    "hook", ["_check_allowed_hosts", "_check_host_is_in_origin", "_is_own_origin"]
)
def test_hooks_that_were_static_can_be_called_on_the_class(ws, request_of, hook):
    asked = getattr(WebSocketView, hook)
    assert list(inspect.signature(asked).parameters) == ["request"]
    assert asked(request_of(ws)) is True
    assert asked(request_of(ws, **ANSWERS[hook])) is False


def test_an_override_asks_the_class_by_name_or_by_super(mount, no_host_middleware):
    class TenantsView(WebSocketView):
        @staticmethod
        def _check_allowed_hosts(request):
            return WebSocketView._check_allowed_hosts(request)

        def _check_host_is_in_origin(self, request):
            return super()._check_host_is_in_origin(request)

    url = mount(TenantsView)
    assert WebSocketClient(url).connect().status_code == 200
    for header in ("Host", "Origin"):
        assert WebSocketClient(url, headers={header: "https://e.net"}).connect().status_code == 400


@pytest.fixture
def no_host_middleware(settings):
    settings.MIDDLEWARE = []


def test_the_gateway_is_found_by_the_hook_that_asks_for_it(ws, request_of):
    view = WebSocketView()
    assert view.api_gateway is False
    view._check_platform_registered_api_gateways(request_of(ws))
    assert view.api_gateway == ws.gateway


def test_the_session_and_its_user_are_found_by_the_hooks_that_ask_for_them(ws, request_of, alice):
    view, request = WebSocketView(), request_of(ws)
    assert view.websocket_session is False
    view._load_session(request)
    assert view.websocket_session == ws.session
    request = request_of(ws)
    WebSocketView()._add_user_to_request(request)
    assert request.user == alice


def test_an_unknown_connection_has_no_session_and_no_user(ws, request_of):
    view, request = WebSocketView(), request_of(ws, Connectionid="unknown=")
    view._load_session(request)
    view._add_user_to_request(request)
    assert (view.websocket_session, request.user) == (None, AnonymousUser())


def test_nothing_is_loaded_and_nothing_is_noted_before_a_request(ws):
    view = WebSocketView(debug=True)
    view._debug("a step")
    assert (view.api_gateway, view.websocket_session, view.body) == (False, False, {})
    assert (view.debug_log, WebSocketView().debug_log) == (["a step"], [])


@pytest.mark.parametrize(
    "answer",
    ["missing_headers", "invalid_useragent", "route_selection_key_missing", "session_not_found"],
)
def test_an_answer_to_a_refusal_can_be_had_alone(ws, request_of, answer):
    response = getattr(WebSocketView(), answer)(request_of(ws))
    assert isinstance(response, HttpResponseBadRequest)
    assert response.status_code == 400


def test_a_handler_answers_permission_denied_itself(websocket, mount):
    class ModestView(WebSocketView):
        def secret(self, request, *args, **kwargs):
            return self.permission_denied(request, *args, **kwargs)

    response = websocket(mount(ModestView)).send({"action": "secret"})
    assert answered(response) == (403, b"Permission denied")


# A connect() or disconnect() that is called alone


def test_a_connect_that_is_called_alone_checks_and_makes_the_session(ws, request_of):
    request = request_of(ws, Connectionid="new=")
    assert WebSocketView().connect(request).status_code == 200
    assert WebSocketSession.objects.get(connection_id="new=").api_gateway == ws.gateway


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://else.net"}, {"X-Amzn-Apigateway-Api-Id": "else"}, {proof.HEADER: "no"}],
)
def test_a_connect_that_is_called_alone_refuses_what_the_view_refuses(ws, request_of, headers):
    request = request_of(ws, Connectionid="new=", **headers)
    assert WebSocketView().connect(request).status_code == 400
    assert not WebSocketSession.objects.filter(connection_id="new=").exists()


def test_a_disconnect_that_is_called_alone_closes_the_session(ws, request_of):
    assert WebSocketView().disconnect(request_of(ws)).status_code == 200
    assert not ws.session.connected


# A dispatch() of the site's own


class OwnDispatchView(ChatView):
    """Asks the hooks of 1.1.1, and knows nothing of the source proof."""

    def dispatch(self, request, *args, **kwargs):
        if not self._expected_headers(request):
            return self.missing_headers(request, *args, **kwargs)
        if not self._allowed_apigateway(request):
            return HttpResponseBadRequest("not ours")
        if kwargs["route"] == "connect":
            return self.connect(request, *args, **kwargs)
        self._load_session(request)
        self._add_user_to_request(request)
        if kwargs["route"] == "disconnect":
            return self.disconnect(request, *args, **kwargs)
        return JsonResponse(getattr(self, self.body["action"])(request, *args, **kwargs))


def test_a_dispatch_of_the_sites_own_serves_a_connection(mount, alice):
    ws = WebSocketClient(mount(OwnDispatchView), user=alice)
    assert ws.connect().status_code == 200
    assert ws.send({"action": "whoami"}).json() == {"user": "alice"}
    assert ws.disconnect().status_code == 200
    assert (ws.session.connected, ws.session.user) == (False, alice)


@pytest.mark.parametrize("route", ["connect", "default", "disconnect"])
def test_a_dispatch_of_the_sites_own_is_closed_to_forged_events(websocket, mount, route):
    ws = websocket(mount(OwnDispatchView))
    forged = {**HANDSHAKE, proof.HEADER: "0" * 64}
    response = post(ws, route, b'{"action": "whoami"}', headers=forged)
    assert answered(response) == (400, b"not ours")
    assert (ws.session.connected, ws.session.request_count) == (True, 1)


def test_a_dispatch_that_asks_nothing_still_checks_its_connects(mount):
    class BareView(WebSocketView):
        def dispatch(self, request, *args, **kwargs):
            return self.connect(request, *args, **kwargs)

    url = mount(BareView)
    foreign = WebSocketClient(url, headers={"Origin": "https://else.net"})
    assert answered(foreign.connect()) == (400, b"Host is not in Origin")
    assert foreign.session is None
    assert WebSocketClient(url, gateway=make_created_gateway()).connect().status_code == 200


def test_the_user_of_a_guests_session_is_anonymous(request_of, ws):
    guest = make_session(ws.gateway)
    request = request_of(ws, Connectionid=guest.connection_id)
    WebSocketView()._add_user_to_request(request)
    assert request.user == AnonymousUser()
