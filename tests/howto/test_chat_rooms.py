from __future__ import annotations

import pytest
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered

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
    message = {"action": "say", "text": "hello", "room": "kitchen", "channel": "kitchen"}
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
    window.send({"action": "say", "text": "hello"})
    assert his.received == [HELLO]
    assert answered(his.send({**move, "channel": "kitchen"})) == CLOSED


def test_who_is_put_out_is_gone_and_does_not_come_back(connect, commit, garden, alice, bob):
    his, hers = connect(bob, channel="garden"), connect(alice, channel="garden")
    with commit():
        garden.expel(bob)
    assert (his.is_closed, hers.is_closed) == (True, False)
    assert answered(his.send({"action": "say", "text": "hello"}))[0] == 400
    assert hers.received == []
    refused = WebSocketClient("/ws/", user=bob, channel="garden").connect()
    assert answered(refused) == CLOSED


def test_a_page_is_for_members(client, connect, garden, bob, settings, project):
    settings.TEMPLATES = [with_template(settings.TEMPLATES[0], "chat/room.html")]
    gateway = connect(bob, channel="garden").gateway
    client.force_login(bob)
    assert client.get("/rooms/garden/").content.decode() == f"{gateway.socket_url}?channel=garden"
    assert client.get("/rooms/kitchen/").status_code == 404


def with_template(engine, name):
    loaders = [("django.template.loaders.locmem.Loader", {name: "{{ websocket_url }}"})]
    return {**engine, "APP_DIRS": False, "OPTIONS": {**engine["OPTIONS"], "loaders": loaders}}
