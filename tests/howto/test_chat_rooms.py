from __future__ import annotations

import pytest
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.howto.window import data_of
from tests.pages import BLOCKS

CLOSED = (403, b"This channel is closed to you")
HELLO = {"room": "garden", "from": "alice", "text": "hello"}


@pytest.fixture(autouse=True)
def _site(project, settings):
    views = project.chat.views
    settings.ROOT_URLCONF = (
        path("rooms/<slug:slug>/", views.RoomView.as_view()),
        path("ws/<slug:route>", views.ChatView.as_view()),
    )


@pytest.fixture
def garden(project, alice, bob):
    Room = project.chat.models.Room  # noqa: N806
    Room.objects.create(slug="kitchen").members.set([alice])
    garden = Room.objects.create(slug="garden")
    garden.members.set([alice, bob])
    return garden


def test_a_message_reaches_the_room_that_its_sender_is_in(connect, garden, alice, bob):
    here, there = connect(bob, channel="garden"), connect(alice, channel="kitchen")
    message = {"action": "chat", "text": "hello", "room": "kitchen", "channel": "kitchen"}
    connect(alice, channel="garden").send(message)
    assert here.received == [HELLO]
    assert there.received == []


@pytest.mark.parametrize("channel", ["kitchen", "cellar", ""])
def test_who_is_no_member_is_refused(websocket_outbox, garden, bob, channel):
    refused = WebSocketClient("/ws/", user=bob, channel=channel).connect()
    assert answered(refused) == CLOSED


def test_a_page_moves_to_another_room_of_its_user(connect, garden, alice, bob):
    window, his = connect(alice, channel="kitchen"), connect(bob, channel="garden")
    move = {"action": "change_channel", "channel": "garden"}
    assert window.send(move).json() == {"channel": "garden"}
    window.send({"action": "chat", "text": "hello"})
    assert his.received == [HELLO]
    assert answered(his.send({**move, "channel": "kitchen"})) == CLOSED


def test_who_is_put_out_is_gone_and_does_not_come_back(connect, commit, garden, alice, bob):
    his, hers = connect(bob, channel="garden"), connect(alice, channel="garden")
    with commit():
        garden.expel(bob)
    assert (his.is_closed, hers.is_closed) == (True, False)
    assert answered(his.send({"action": "chat", "text": "hello"}))[0] == 400
    assert hers.received == []
    refused = WebSocketClient("/ws/", user=bob, channel="garden").connect()
    assert answered(refused) == CLOSED


def test_the_quickstarts_template_opens_the_room_for_its_members(
    client, connect, garden, bob, settings, project
):
    settings.TEMPLATES = [with_template(settings.TEMPLATES[0], BLOCKS["quickstart-template"])]
    gateway = connect(bob, channel="garden").gateway
    client.force_login(bob)
    html = client.get("/rooms/garden/").content.decode()
    assert data_of(html)["url"] == f"{gateway.socket_url}?channel=garden"
    assert client.get("/rooms/kitchen/").status_code == 404


def with_template(engine, block):
    page = {block.caption.partition("templates/")[2]: block.code}
    loaders = [("django.template.loaders.locmem.Loader", page)]
    return {**engine, "APP_DIRS": False, "OPTIONS": {**engine["OPTIONS"], "loaders": loaders}}


def test_a_page_that_has_moved_comes_back_to_the_new_room(project, node):
    told = node(
        """
        move("kitchen").then(() => console.log(JSON.stringify([said, socket.data.url])));
        """,
        """
        const said = [];
        const socket = {
          data: { url: "wss://api.example.com/production?channel=garden" },
          call: async (action, content) => (said.push([action, content]), content),
        };
        """,
        project.files["chat/static/chat/rooms.js"],
    )
    url = "wss://api.example.com/production?channel=kitchen"
    assert told == [[["change_channel", {"channel": "kitchen"}]], url]
