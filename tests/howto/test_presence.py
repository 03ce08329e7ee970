from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_aws_api_gateway_websockets.models import WebSocketSession


@pytest.fixture
def enter(project, mount, connect):
    mount(project.chat.views.RoomSocketView)

    def enter(user):
        window = connect(user, channel="lobby")
        window.send({"action": "hello"})
        return window

    return enter


def people(*names):
    return {"type": "people", "names": list(names)}


def test_a_room_is_told_who_comes_and_who_goes(enter, alice, bob):
    hers = enter(alice)
    his = enter(bob)
    his.disconnect()
    assert hers.received == [people("alice"), people("alice", "bob"), people("alice")]


def test_a_user_with_two_windows_is_one_name_and_leaves_with_the_second(enter, alice, bob):
    hers, his = enter(alice), [enter(bob), enter(bob)]
    assert hers.received[-1] == people("alice", "bob")
    his.pop().disconnect()
    assert hers.received[-1] == people("alice", "bob")
    his.pop().disconnect()
    assert hers.received[-1] == people("alice")


def test_who_went_without_a_word_is_missing_from_the_list_after_the_next(
    enter, outbox, alice, bob
):
    hers, his = enter(alice), enter(bob)
    outbox.gone.add(his.connection_id)
    hers.send({"action": "hello"})
    assert hers.received[-2:] == [people("alice", "bob"), people("alice")]


def test_those_who_have_said_something_lately_can_be_told_apart(project, enter, alice, bob):
    enter(alice)
    his = enter(bob)
    long_ago = timezone.now() - timedelta(seconds=100)
    WebSocketSession.objects.filter(pk=his.session.pk).update(updated_on=long_ago)
    recent = project.chat.recent.recent
    assert [session.user for session in recent("lobby")] == [alice]
    his.send({"action": "hello"})
    assert {session.user for session in recent("lobby")} == {alice, bob}
