"""A client sends what it likes: it is handled, or answered with a 4xx, and never with a 500.

The test client raises what a view raises, so a test that gets an answer has seen no exception.
"""

from __future__ import annotations

import io
import json

import pytest
from django.test import Client

from django_aws_api_gateway_websockets.sending import MAX_MESSAGE_BYTES
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import post
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

KEY_MISSING = b"route_select_key action missing from request body."


class NoDefaultView(ChatView):
    """Refuses what it has no handler for, as a view that adds no ``default`` does."""

    default = WebSocketView.default


def message_of(size):
    """A message of that many bytes."""
    frame = b'{"action": "later", "text": "%s"}'
    return frame % (b"x" * (size - len(frame) + 2))


NOT_JSON = {
    "text": b"hello",
    "not UTF-8": b'{"action": "later", "text": "\xff"}',
    "UTF-16": '{"action": "later"}'.encode("utf-16"),
    "a byte order mark": '{"action": "later"}'.encode("utf-8-sig"),
    "cut off": b'{"action": "later"',
    "two documents": b'{"action": "later"} {}',
    "NaN": b'{"action": "later", "number": NaN}',
    "an infinity": b'{"action": "later", "number": -Infinity}',
    "a number beyond all": b'{"action": "later", "number": -1e999}',
    "a number of 5,000 digits": b'{"action": "later", "number": ' + b"9" * 5000 + b"}",
    "100,000 nested brackets": b"[" * 100_000,
    "deep objects": b'{"action":' * 13_000,
    "deep and closed": b'{"action": "later", "x": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    "half of a surrogate pair": rb'{"action": "later", "text": "\uD83D"}',
    "white space": b" ",
    "NUL": b"\0",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_not_json_is_refused(websocket, body):
    response = websocket("/ws/").send(body)
    assert (response.status_code, response.content) == (400, b"The message is not valid JSON")


NOT_AN_OBJECT = {
    "a list": [{"action": "later"}],
    "a string": "later",
    "a number": 1,
    "null": None,
    "true": True,
}


@pytest.mark.parametrize("data", NOT_AN_OBJECT.values(), ids=NOT_AN_OBJECT)
def test_json_that_is_no_object_is_refused(websocket, data):
    response = websocket("/ws/").send(json.dumps(data))
    assert (response.status_code, response.content) == (400, b"The message is not a JSON object")


def test_a_whole_surrogate_pair_in_escapes_is_text_like_any_other(websocket):
    ws = websocket("/ws/")
    ws.send(r'{"action": "chat", "text": "\uD83D\uDE00"}')
    assert ws.received == [{"text": "\N{GRINNING FACE}"}]


def test_numbers_within_bounds_are_numbers(websocket):
    ws = websocket("/ws/")
    ws.send('{"action": "chat", "text": [1, -2.5, 1e308, 1e-400]}')
    assert ws.received == [{"text": [1, -2.5, 1e308, 0.0]}]


def test_a_message_of_128_kib_is_handled(websocket):
    assert websocket("/ws/").send(message_of(MAX_MESSAGE_BYTES)).json() == {"async": True}


def test_a_message_over_128_kib_is_refused(websocket):
    response = websocket("/ws/").send(message_of(MAX_MESSAGE_BYTES + 1))
    assert (response.status_code, response.content) == (413, b"Message too long")


class Unread(io.BytesIO):
    """A request's body that nobody may read."""

    def read(self, size=-1):
        raise AssertionError("The body was read")


def test_a_message_over_128_kib_is_refused_unread(websocket):
    length = str(MAX_MESSAGE_BYTES + 1)
    response = post(websocket("/ws/"), CONTENT_LENGTH=length, **{"wsgi.input": Unread()})
    assert response.status_code == 413


class BrokenOff(io.BytesIO):
    """A request's body whose sender has gone."""

    def read(self, size=-1):
        raise ConnectionResetError


def test_a_body_that_breaks_off_is_refused(websocket):
    response = post(websocket("/ws/"), CONTENT_LENGTH="100", **{"wsgi.input": BrokenOff()})
    assert (response.status_code, response.content) == (400, b"The message cannot be read")


@pytest.mark.parametrize("length", ["abc", "1e3", "9" * 5000])
def test_a_content_length_that_is_no_number_is_refused(websocket, length):
    response = post(websocket("/ws/"), body=b"{}", CONTENT_LENGTH=length)
    assert (response.status_code, response.content) == (400, b"The message cannot be read")


def test_a_message_over_the_sites_own_limit_is_refused(websocket, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = websocket("/ws/").send(message_of(101))
    assert (response.status_code, response.content) == (400, b"The message cannot be read")


def reads_forms(get_response):
    """A site's own middleware that looks into every form."""

    def middleware(request):
        assert not request.POST.get("spam")
        return get_response(request)

    return middleware


def test_a_form_that_a_middleware_has_read_is_refused(websocket, settings):
    settings.MIDDLEWARE = [f"{__name__}.reads_forms", *settings.MIDDLEWARE]
    form = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    response = post(websocket("/ws/"), body=form, content_type="multipart/form-data; boundary=x")
    assert (response.status_code, response.content) == (400, b"The message cannot be read")


NOT_A_NAME = {
    "a number": 1,
    "zero": 0,
    "a fraction": 1.5,
    "true": True,
    "null": None,
    "a list": ["later"],
    "a dict": {"later": "later"},
}


@pytest.mark.parametrize("action", NOT_A_NAME.values(), ids=NOT_A_NAME)
def test_an_action_that_is_no_name_is_refused(websocket, action):
    response = websocket("/ws/").send({"action": action})
    assert (response.status_code, response.content) == (400, KEY_MISSING)


@pytest.mark.parametrize("message", [b"", {}, {"Action": "later"}, {"text": "hello"}])
def test_a_message_without_an_action_is_refused(websocket, message):
    response = websocket("/ws/").send(message)
    assert (response.status_code, response.content) == (400, KEY_MISSING)


NOT_FOR_CLIENTS = [
    "__class__",
    "__init__",
    "_debug",
    "_get_channel_name",  # plumbing that ChatView overrides
    "_handlers",
    "as_view",
    "body",
    "connect",
    "debug_log",
    "default",
    "disconnect",
    "dispatch",
    "http_method_not_allowed",
    "missing_headers",  # another override
    "model",
    "options",
    "request",
    "secret",  # a property
    "setup",
    "static",  # a static method
    "Later",
    "later ",
    "later\0",
    "no such method",
]


@pytest.mark.parametrize("action", NOT_FOR_CLIENTS)
def test_an_action_that_is_no_handler_is_refused(websocket, mount, action):
    ws = websocket(mount(NoDefaultView))
    response = ws.send({"action": action})
    assert (response.status_code, response.content) == (400, b"Unknown action")
    assert (ws.session.connected, ws.session.request_count) == (True, 1)


@pytest.mark.parametrize("action", NOT_FOR_CLIENTS)
def test_an_action_that_is_no_handler_goes_to_default(websocket, action):
    ws = websocket("/ws/")
    assert ws.send({"action": action}).json() == {"default": action}
    assert (ws.session.connected, ws.session.request_count) == (True, 2)


def test_a_message_is_handed_to_the_method_that_its_action_names(websocket):
    ws = websocket("/ws/", channel="lobby")
    assert ws.send({"action": "chat", "text": "hello"}).json() == {}
    assert ws.received == [{"text": "hello"}]


def test_a_handler_inherited_from_a_mixin_is_called(websocket, alice):
    ws = websocket("/ws/", user=alice)
    assert ws.send({"action": "whoami"}).json() == {"user": "alice"}


def test_a_route_of_its_own_names_its_handler_in_the_url(websocket):
    assert websocket("/ws/").send({"text": "no action"}, route="later").json() == {"async": True}


def test_an_empty_message_to_a_route_of_its_own_is_handled(websocket):
    assert websocket("/ws/").send(b"", route="later").json() == {"async": True}


def test_the_action_wins_over_the_name_in_the_url(websocket):
    assert websocket("/ws/").send({"action": "whoami"}, route="later").json() == {"user": ""}


@pytest.mark.parametrize("route", ["setup", "static", "dispatch", "default", "nosuch"])
def test_a_name_in_the_url_that_is_no_handler_names_none(websocket, route):
    response = websocket("/ws/").send({"text": "no action"}, route=route)
    assert (response.status_code, response.content) == (400, KEY_MISSING)


class TypeView(WebSocketView):
    route_selection_key = "type"

    def greet(self, request, *args, **kwargs):
        return {"greeting": self.body["text"], "route": self.kwargs["route"]}


def test_a_view_chooses_the_key_that_names_the_handler(websocket, mount):
    ws = websocket(mount(TypeView))
    answer = ws.send({"type": "greet", "text": "hello"}).json()
    assert answer == {"greeting": "hello", "route": "default"}


def test_the_refusal_of_a_message_without_key_names_the_key(websocket, mount):
    response = websocket(mount(TypeView)).send({"action": "greet"})
    assert response.content == b"route_select_key type missing from request body."


def test_a_message_for_an_unknown_connection_is_refused():
    response = WebSocketClient("/ws/").send({"action": "later"})
    assert (response.status_code, response.content) == (400, b"Unknown connection")


def test_a_message_for_a_closed_connection_is_refused(websocket):
    ws = websocket("/ws/")
    ws.disconnect()
    response = ws.send({"action": "later"})
    assert (response.status_code, response.content) == (400, b"Unknown connection")
    assert ws.session.request_count == 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("route", ["connect", "default", "disconnect", "later"])
def test_a_method_other_than_post_is_not_allowed(websocket, route, method):
    ws = websocket("/ws/")
    response = post(ws, route, json.dumps({"action": "later"}).encode(), method=method)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert ws.session.request_count == 1


def test_an_empty_post_without_content_length_is_refused(websocket):
    response = post(websocket("/ws/"), CONTENT_LENGTH=None)
    assert response.status_code == 400
    assert response.content == b"Some of the required headers are missing"


def test_an_empty_post_without_any_header_is_refused():
    response = Client().generic("POST", "/ws/default")
    assert response.status_code == 400
    assert response.content == b"Some of the required headers are missing"
