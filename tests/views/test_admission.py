"""What the hooks of 1.1.1 are asked, when, and what follows from their answers."""

from __future__ import annotations

import pytest
from django.db import models
from django.http import HttpResponse

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, post
from tests.chat import ChatView
from tests.factories import make_created_gateway

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_middleware(settings):
    """CommonMiddleware would refuse a Host by itself."""
    settings.MIDDLEWARE = []


class AskedView(ChatView):
    """Has the hooks of 1.1.1 with the arguments that 1.1.1 gave them."""

    asked = []

    def _expected_headers(self, request):
        return self._note("_expected_headers")

    def _allowed_apigateway(self, request):
        return self._note("_allowed_apigateway") and super()._allowed_apigateway(request)

    def _check_platform_registered_api_gateways(self, request):
        return self._note("_check_platform_registered_api_gateways")

    def _expected_useragent(self, request, route):
        return self._note("_expected_useragent")

    def _expected_connection_headers(self, request, route):
        return self._note("_expected_connection_headers")

    @staticmethod
    def _check_allowed_hosts(request):
        return AskedView._note("_check_allowed_hosts")

    @staticmethod
    def _check_host_is_in_origin(request):
        return AskedView._note("_check_host_is_in_origin")

    def _additional_connection_checks(self, request, route):
        return self._note("_additional_connection_checks"), ""

    def _get_channel_name(self, request):
        self._note("_get_channel_name")
        return "lobby"

    @classmethod
    def _note(cls, name):
        cls.asked.append(name)
        return True


GATEWAY_HOOKS = ["_allowed_apigateway", "_check_platform_registered_api_gateways"]


def test_hooks_are_asked_with_the_arguments_that_1_1_1_gave_them(mount):
    AskedView.asked.clear()
    ws = WebSocketClient(mount(AskedView))
    assert answered(ws.connect()) == (200, b"{}")
    assert sorted(AskedView.asked) == sorted(
        [
            *("_expected_headers", *GATEWAY_HOOKS, "_check_allowed_hosts", "_get_channel_name"),
            *("_expected_connection_headers", "_check_host_is_in_origin"),
            "_additional_connection_checks",
        ]
    )


@pytest.mark.parametrize("event", ["message", "disconnect"])
def test_only_some_hooks_are_asked_about_later_events(websocket, mount, event):
    ws = websocket(mount(AskedView))
    AskedView.asked.clear()
    response = ws.disconnect() if event == "disconnect" else ws.send({"action": "later"})
    assert response.status_code == 200
    assert AskedView.asked == ["_expected_headers", *GATEWAY_HOOKS, "_expected_useragent"]


@pytest.mark.usefixtures("no_middleware")
def test_a_host_that_a_hook_lets_in_opens_no_door_to_other_pages(mount, alice):
    class PatternsView(WebSocketView):
        def _check_allowed_hosts(self, request):
            return True

    foreign = {"Origin": "https://evil.example.org"}
    ws = WebSocketClient(mount(PatternsView), user=alice, headers=foreign)
    assert answered(ws.connect()) == (400, b"Host is not in Origin")
    assert ws.session is None


@pytest.mark.usefixtures("no_middleware")
def test_a_host_that_a_hook_lets_in_is_served_with_its_own_pages(mount):
    class PatternsView(ChatView):
        def _check_allowed_hosts(self, request):
            return request.headers["Host"].endswith(".example.net")

    host = "tenant.example.net"
    ws = WebSocketClient(mount(PatternsView), headers={"Host": host, "Origin": f"https://{host}"})
    assert answered(ws.connect()) == (200, b"{}")
    assert ws.send({"action": "later"}).status_code == 200


def test_a_host_that_a_hook_refuses_stays_out_whatever_is_said_of_its_pages(mount, settings):
    class TenantsView(WebSocketView):
        def _check_allowed_hosts(self, request):
            return False

        def _check_host_is_in_origin(self, request):
            return True

    settings.CSRF_TRUSTED_ORIGINS = ["https://testserver"]
    ws = WebSocketClient(mount(TenantsView))
    assert answered(ws.connect()) == (400, b"Host is not allowed")


def test_a_connect_is_not_asked_for_its_useragent_unless_the_view_wants_it(mount):
    class RightWayRoundView(WebSocketView):
        def _expected_useragent(self, request, *args, **kwargs):
            return request.headers["User-Agent"] == f"AmazonAPIGateway_{self.api_gateway.api_id}"

        def chat(self, request, *args, **kwargs):
            return {}

    ws = WebSocketClient(mount(RightWayRoundView))
    browser = {**HANDSHAKE, "User-Agent": "Mozilla/5.0"}
    assert post(ws, "connect", headers=browser).status_code == 200
    aws = {"User-Agent": f"AmazonAPIGateway_{ws.gateway.api_id}"}
    assert post(ws, body=b'{"action": "chat"}', headers=aws).status_code == 200
    assert answered(post(ws, headers=browser)) == (400, b"Unexpected Useragent")


class OwnLoadView(ChatView):
    def _load_session(self, request):
        self.websocket_session = WebSocketSession.objects.get(
            connection_id=request.headers["Connectionid"], api_gateway=self.api_gateway
        )


def test_a_session_may_be_looked_for_among_those_of_its_gateway(websocket, mount):
    ws = websocket(mount(OwnLoadView))
    assert ws.send({"action": "later"}).status_code == 200
    other = WebSocketClient(
        mount(OwnLoadView), gateway=make_created_gateway(), connection_id=ws.connection_id
    )
    assert answered(other.send({"action": "later"})) == (400, b"Unknown connection")
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


def test_a_session_that_the_hook_does_not_find_is_unknown_and_no_failure(websocket, mount):
    ws = websocket(mount(OwnLoadView))
    response = post(ws, body=b'{"action": "later"}', headers={"Connectionid": "unknown="})
    assert answered(response) == (400, b"Unknown connection")


@pytest.mark.parametrize("hook", ["_load_session", "_add_user_to_request"])
def test_a_hook_of_a_later_release_refuses_by_returning_false(websocket, mount, hook):
    def refuse(self, request):
        getattr(super(view, self), hook)(request)
        return False

    view = type("LaterView", (ChatView,), {hook: refuse})
    ws = websocket(mount(view))
    assert answered(ws.send({"action": "later"})) == (400, b"Unknown connection")
    assert ws.session.request_count == 1


class NoProxy(models.Model):
    class Meta:
        app_label = "tests"
        managed = False

    def __str__(self):
        return "a mixin's"


@pytest.mark.parametrize("model", [None, ApiGateway, NoProxy, "chat.Room"])
def test_a_model_that_is_no_session_is_somebody_elses(websocket, mount, model):
    ws = websocket(mount(type("RoomView", (ChatView,), {"model": model})))
    assert ws.send({"action": "later"}).status_code == 200
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


@pytest.mark.parametrize(
    ("names", "status"), [(["post"], 200), (["get", "post"], 200), (["get"], 405), ([], 405)]
)
def test_http_method_names_may_take_post_away(mount, names, status):
    url = mount(type("ClosedView", (WebSocketView,), {"http_method_names": names}))
    response = WebSocketClient(url).connect()
    assert response.status_code == status


def test_a_view_answers_another_method_in_its_own_way(mount):
    class TeapotView(WebSocketView):
        def http_method_not_allowed(self, request, *args, **kwargs):
            return HttpResponse("a teapot", status=418)

    ws = WebSocketClient(mount(TeapotView))
    assert answered(post(ws, "connect", method="GET")) == (418, b"a teapot")
