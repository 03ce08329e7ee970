"""What a view may limit, and which key of a message names its handler."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered, post
from tests.chat import ChatView

pytestmark = pytest.mark.django_db


def test_only_the_handlers_that_a_view_lists_are_called(websocket, mount):
    ws = websocket(mount(ChatView, allowed_handlers=["later"], allow_channel_change=True))
    assert ws.send({"action": "later"}).json() == {"async": True}
    assert ws.send({"action": "whoami"}).json() == {"default": "whoami"}
    assert ws.send({"action": "change_channel", "channel": "a"}).json() == {"channel": "a"}
    assert answered(post(ws, "whoami", b"{}"))[0] == 400


def test_an_empty_list_of_handlers_leaves_default_alone(websocket, mount):
    ws = websocket(mount(ChatView, allowed_handlers=()))
    assert ws.send({"action": "later"}).json() == {"default": "later"}


def test_a_list_of_handlers_makes_none_of_what_is_none(websocket, mount):
    ws = websocket(mount(ChatView, allowed_handlers=["static", "_debug", "secret"]))
    for action in ("static", "_debug", "secret"):
        assert ws.send({"action": action}).json() == {"default": action}


def test_a_view_limits_the_size_of_a_message(websocket, mount):
    ws = websocket(mount(ChatView, max_body_size=30))
    assert post(ws, body=b'{"action": "later"}').status_code == 200
    response = post(ws, body=b'{"action": "later", "text": "x"}')
    assert answered(response) == (413, b"Message too long")


def test_a_view_limits_the_length_of_a_channels_name(mount):
    url = mount(ChatView, max_channel_name_length=5)
    assert WebSocketClient(url, channel="lobby").connect().status_code == 200
    response = WebSocketClient(url, channel="garden").connect()
    assert answered(response) == (400, b"Invalid channel name")


def test_two_keys_may_name_the_handler(websocket, mount):
    ws = websocket(mount(ChatView, handler_selection_key="handler"))
    assert ws.send({"handler": "later"}).json() == {"async": True}
    assert ws.send({"action": "later"}).json() == {"async": True}
    assert ws.send({"action": "route", "handler": "later"}).json() == {"async": True}
    assert ws.send({"action": "later", "handler": "nothing"}).json() == {"async": True}
    assert answered(post(ws, body=b'{"text": "hello"}'))[0] == 400


def test_a_message_of_a_later_releases_page_names_its_handler(websocket, mount):
    ws = websocket(mount(ChatView))
    assert ws.send({"handler": "later"}).json() == {"async": True}
    assert ws.send({"action": "whoami", "handler": "later"}).json() == {"user": ""}
    assert ws.send({"action": "nothing", "handler": "later"}).json() == {"default": "nothing"}
    response = ws.send({"handler": "nothing"})
    assert answered(response) == (400, b"route_select_key action missing from request body.")


def test_an_empty_action_is_for_default(websocket, mount):
    assert websocket(mount(ChatView)).send({"action": ""}).json() == {"default": ""}
