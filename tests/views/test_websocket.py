"""The view as a site mounts it."""

from __future__ import annotations

import pytest
from django.contrib.auth.mixins import UserPassesTestMixin
from django.test import Client, RequestFactory
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, post
from tests.chat import ChatView

pytestmark = pytest.mark.django_db


class TaggedView(ChatView):
    """Has a dispatch() of its own, which bears none of WebSocketView's marks."""

    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch(request, *args, **kwargs)
        response["X-Tag"] = "own"
        return response


class PassingView(UserPassesTestMixin, ChatView):
    """Another dispatch(), that of one of Django's mixins."""

    def test_func(self):
        return True


@pytest.mark.parametrize("view", [ChatView, TaggedView, PassingView])
def test_a_view_needs_no_csrf_token(mount, view):
    mount(view)
    ws = WebSocketClient("/ws/")
    strict = Client(enforce_csrf_checks=True)
    assert post(ws, "connect", http=strict, headers=HANDSHAKE).status_code == 200
    assert post(ws, "later", http=strict).status_code == 200


@pytest.mark.parametrize("view", [ChatView, TaggedView, PassingView])
def test_a_view_is_marked_for_middleware_as_needing_no_login(view):
    assert view.as_view().login_required is False


def test_a_dispatch_of_its_own_is_called(websocket, mount):
    assert websocket(mount(TaggedView)).response["X-Tag"] == "own"


def test_default_raises_unless_a_view_defines_it():
    with pytest.raises(NotImplementedError, match="needs to be defined within the subclass"):
        WebSocketView().default(RequestFactory().post("/ws/default"))


def test_further_arguments_of_the_url_reach_the_handler(settings):
    class RoomView(WebSocketView):
        def where(self, request, *args, **kwargs):
            return kwargs

    room = path("rooms/<int:room>/<slug:route>", RoomView.as_view(), {"floor": 2})
    settings.ROOT_URLCONF = (room,)
    ws = WebSocketClient("/rooms/7/")
    assert ws.connect().status_code == 200
    expected = {"room": 7, "floor": 2, "route": "default"}
    assert ws.send({"action": "where"}).json() == expected


def test_a_view_on_a_url_without_route_handles_messages(websocket, settings):
    ws = websocket("/ws/")
    settings.ROOT_URLCONF = (path("ws/default", ChatView.as_view()),)
    assert ws.send({"action": "later"}).json() == {"async": True}


def steps(view):
    """A view whose handler tells what its debug_log holds."""

    class StepsView(view):
        def steps(self, request, *args, **kwargs):
            return {"steps": self.debug_log}

    return StepsView


class DebuggedView(WebSocketView):
    debug = True


STEPS = [
    "Within setup",
    "Setup completed",
    "Missing headers: none",
    "_expected_headers() returned True",
    "_allowed_apigateway() returned True",
    "_expected_useragent() returned True",
    "Action: steps",
]


@pytest.mark.parametrize(
    ("view", "options", "expected"),
    [
        (DebuggedView, {}, STEPS),
        (WebSocketView, {"debug": True}, STEPS),
        (DebuggedView, {"debug": False}, []),
        (WebSocketView, {}, []),
    ],
)
def test_debug_collects_the_steps_of_a_request(websocket, mount, view, options, expected):
    ws = websocket(mount(steps(view), **options))
    # Twice: each request has a log of its own.
    for _ in range(2):
        assert ws.send({"action": "steps"}).json() == {"steps": expected}


def test_debug_tells_which_headers_are_missing(mount):
    told = []

    class TellingView(WebSocketView):
        def _debug(self, msg):
            told.append(msg)

    ws = WebSocketClient(mount(TellingView), headers={"Origin": None, "X-Forwarded-For": None})
    ws.connect()
    assert told[2] == "Missing headers: X-Forwarded-For"
