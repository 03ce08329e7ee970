"""A message with a ``ref`` is answered: by what its handler returns, or by why it is refused."""

from __future__ import annotations

import json
import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseForbidden, JsonResponse
from django.test import Client

from django_aws_api_gateway_websockets.decorators import permission_required
from django_aws_api_gateway_websockets.exceptions import RequestRefused
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import post

pytestmark = pytest.mark.django_db


class AnsweringView(WebSocketView):
    allow_channel_change = True

    def rename(self, request, *args, **kwargs):
        return {"name": self.body["name"].title()}

    async def later(self, request, *args, **kwargs):
        return {"async": True}

    def nothing(self, request, *args, **kwargs):
        return None

    def items(self, request, *args, **kwargs):
        return JsonResponse([1, 2], safe=False)

    def text(self, request, *args, **kwargs):
        return HttpResponse("as it is", status=202)

    def forbidden(self, request, *args, **kwargs):
        return HttpResponseForbidden("Not on Sundays")

    def refuse(self, request, *args, **kwargs):
        raise RequestRefused("The name is taken", reason="of no concern to clients")

    def fail(self, request, *args, **kwargs):
        raise LookupError("the handler's own text")

    def missing(self, request, *args, **kwargs):
        raise Http404("the site's own text")

    def denied(self, request, *args, **kwargs):
        raise PermissionDenied("the site's own text")

    def endless(self, request, *args, **kwargs):
        return {"number": float("nan")}

    def long(self, request, *args, **kwargs):
        return {"text": "x" * 131_072}

    @permission_required("auth.add_user")
    def add(self, request, *args, **kwargs):
        return {}


@pytest.fixture
def ws(websocket, mount):
    return websocket(mount(AnsweringView))


def ask(ws, action, ref="7", **content):
    """Send a message; return what has come back to its client."""
    body = json.dumps({"action": action, "ref": ref, **content}).encode()
    post(ws, body=body, http=Client(raise_request_exception=False))
    return ws.received


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        ("rename", {"name": "Ada"}),
        ("later", {"async": True}),
        ("nothing", {}),
        ("items", [1, 2]),
        ("text", "as it is"),
    ],
)
def test_what_a_handler_answers_comes_back_with_the_ref(ws, action, reply):
    assert ask(ws, action, name="ada") == [{"ref": "7", "reply": reply}]


def test_a_handler_of_the_package_is_answered_too(ws):
    answer = {"ref": "7", "reply": {"channel": "garden"}}
    assert ask(ws, "change_channel", channel="garden") == [answer]


@pytest.mark.parametrize("ref", ["7", 0, -3, 2**53 - 1, "ä" * 128])
def test_a_ref_comes_back_as_it_was(ws, ref):
    assert ask(ws, "nothing", ref) == [{"ref": ref, "reply": {}}]


@pytest.mark.parametrize(
    "ref", [None, "", True, 1.5, 2**53, "x" * 129, {"own": "use"}, ["own", "use"]], ids=repr
)
def test_what_is_no_ref_wants_no_reply(ws, ref):
    assert ask(ws, "nothing", ref) == []


def test_a_message_without_a_ref_gets_no_reply(ws):
    ws.send({"action": "nothing"})
    assert ws.received == []


@pytest.mark.parametrize(
    ("action", "status", "text"),
    [
        ("refuse", 400, "The name is taken"),
        ("add", 403, "Permission denied"),
        ("forbidden", 403, "Not on Sundays"),
        ("unknown", 400, "Unknown action"),
        ("fail", 500, "Internal server error"),
        ("missing", 404, "Not Found"),
        ("denied", 403, "Forbidden"),
        ("endless", 500, "The reply cannot be sent"),
        ("long", 500, "The reply cannot be sent"),
    ],
)
def test_a_message_that_comes_to_nothing_gets_an_error(ws, action, status, text):
    assert ask(ws, action) == [{"ref": "7", "error": {"status": status, "text": text}}]


def test_a_client_that_sends_too_much_is_told_so(ws, settings):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "message_rate": "1/m"}
    ask(ws, "nothing")
    error = ask(ws, "nothing", "8")[1]["error"]
    assert error["status"] == 429
    assert error["text"].startswith("Too many messages. Try again in ")


def test_a_stranger_gets_no_reply(ws):
    body = b'{"action": "nothing", "ref": "7"}'
    assert post(ws, body=body, headers={"connectionid": "c3RyYW5nZXI5OTk="}).status_code == 400
    assert post(ws, body=body, headers={"websocketsourceproof": "wrong"}).status_code in (200, 400)
    refused = post(ws, body=body, headers={"x-amzn-apigateway-api-id": "unknown123"})
    assert refused.status_code == 400
    assert [frame for frame in ws.received if "error" in frame] == []


def test_a_connect_and_a_disconnect_get_no_reply(ws):
    for route in ("connect", "disconnect"):
        post(ws, route, b'{"ref": "7"}')
    assert ws.received == []


def test_a_view_may_call_its_refs_otherwise_or_have_none(websocket, mount):
    ws = websocket(mount(AnsweringView, ref_key="reply_to"))
    ws.send({"action": "nothing", "ref": "7", "reply_to": "8"})
    assert ws.received == [{"ref": "8", "reply": {}}]
    mount(AnsweringView, ref_key=None)
    ws.send({"action": "nothing", "ref": "9"})
    assert len(ws.received) == 1


def test_a_reply_that_cannot_be_sent_spoils_nothing(ws, settings, caplog):
    WebSocketSession.objects.update(api_gateway=ws.gateway)
    type(ws.gateway).objects.update(api_endpoint="")
    settings.AWS_GATEWAY_REGION_NAME = settings.AWS_REGION_NAME = None
    settings.WEBSOCKETS = {"transport": "sockets"}
    assert ws.send({"action": "nothing", "ref": "7"}).status_code == 200
    assert "Reply not sent" in caplog.text


# Transactions


class WritingView(WebSocketView):
    def write(self, request, *args, **kwargs):
        self.websocket_session.user.groups.create(name="written")
        return {"written": True}

    def break_off(self, request, *args, **kwargs):
        raise LookupError


def test_a_reply_leaves_after_the_commit(atomic_requests, websocket, mount, django_user_model):
    user = django_user_model.objects.create_user("ada")
    ws = websocket(mount(WritingView), user=user)
    seen = []

    class Watching(WritingView):
        def write(self, request, *args, **kwargs):
            answer = super().write(request, *args, **kwargs)
            seen.append(list(ws.received))
            transaction.on_commit(lambda: seen.append(list(ws.received)))
            return answer

    mount(Watching)
    assert ask(ws, "write") == [{"ref": "7", "reply": {"written": True}}]
    assert seen == [[], []]


def test_a_failure_is_told_though_it_is_rolled_back(atomic_requests, websocket, mount):
    ws = websocket(mount(WritingView))
    error = {"status": 500, "text": "Internal server error"}
    assert ask(ws, "break_off") == [{"ref": "7", "error": error}]


# Where the gateway hands the answer on


def answer_to(ws, message):
    body = json.dumps(message).encode()
    http = Client(raise_request_exception=False)
    return post(ws, body=body, http=http, headers={"routeResponse": "true"})


def test_the_answer_is_the_reply_where_the_gateway_hands_it_on(ws):
    response = answer_to(ws, {"action": "rename", "name": "ada", "ref": "7"})
    assert response["Content-Type"] == "application/json"
    assert response.json() == {"ref": "7", "reply": {"name": "Ada"}}
    assert ws.received == []


@pytest.mark.parametrize("action", ["rename", "refuse", "unknown"])
def test_nothing_is_handed_on_to_who_wants_no_reply(ws, action):
    assert answer_to(ws, {"action": action, "name": "ada"}).content == b""


@pytest.mark.parametrize(("action", "status"), [("refuse", 400), ("add", 403), ("fail", 500)])
def test_an_error_is_sent_all_the_same(ws, action, status):
    response = answer_to(ws, {"action": action, "ref": "7"})
    assert (response.status_code, response.content) == (status, b"")
    (frame,) = ws.received
    assert (frame["ref"], frame["error"]["status"]) == ("7", status)


def test_an_answer_that_cannot_be_handed_on_is_an_error(ws):
    error = {"status": 500, "text": "The reply cannot be sent"}
    assert answer_to(ws, {"action": "long", "ref": "7"}).json() == {"ref": "7", "error": error}


# Pings


def test_a_ping_is_heard_without_a_handler_and_without_a_warning(ws, caplog):
    with caplog.at_level(logging.INFO):
        response = ws.send({"action": "ping"})
    assert (response.status_code, ws.received, caplog.records) == (200, [], [])
    assert ws.session.request_count == 2


def test_a_ping_is_a_message_to_a_view_that_has_a_handler_of_that_name(websocket, mount):
    class View(WebSocketView):
        def ping(self, request, *args, **kwargs):
            self.websocket_session.send_message({"pong": "own"})

    ws = websocket(mount(View))
    ws.send({"action": "ping"})
    assert ws.received == [{"pong": "own"}]


def test_a_ping_that_says_more_is_a_message_like_any_other(websocket, mount):
    class View(WebSocketView):
        def default(self, request, *args, **kwargs):
            self.websocket_session.send_message({"heard": self.body})

    ws = websocket(mount(View))
    ws.send({"action": "ping", "from": "an app"})
    assert ws.received == [{"heard": {"action": "ping", "from": "an app"}}]
