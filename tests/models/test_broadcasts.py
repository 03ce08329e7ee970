"""Broadcasts: what is recorded, and how their progress is read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import (
    ConfigurationError,
    MessageNotSerializable,
    MessageTooLarge,
)
from django_aws_api_gateway_websockets.models import Broadcast, BroadcastChunk, WebSocketSession
from django_aws_api_gateway_websockets.models.broadcasts import CHUNK_SIZE, CONNECTION_LIFETIME
from tests.factories import fresh, make_many, make_session
from tests.models.test_sessions_sending import QUERYSETS, recipients
from tests.queues import HeldBackend

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


@pytest.fixture(autouse=True)
def queue(outbox, settings):
    """The queue, whose tasks run only when a test runs them."""
    settings.WEBSOCKETS = {
        **settings.WEBSOCKETS,
        "task_backend": f"{HeldBackend.__module__}.{HeldBackend.__name__}",
    }
    HeldBackend.enqueued.clear()
    return HeldBackend


def start(commit, chosen=sessions, data="x", **options):
    """The broadcast of a transaction that has committed."""
    with commit():
        return chosen.broadcast(data, **options)


# What is recorded


@pytest.mark.parametrize(("choose", "expected"), QUERYSETS.values(), ids=QUERYSETS)
def test_the_connected_sessions_of_any_queryset_get_it(
    outbox, queue, room, commit, choose, expected
):
    broadcast = start(commit, choose(room), {"text": "hello"})
    assert outbox == []
    queue.work()
    assert recipients(outbox) == sorted(expected)
    assert (broadcast.size, broadcast.report.sent) == (len(expected), len(expected))


def test_the_manager_and_a_gateway_broadcast_likewise(outbox, queue, room, gateway, commit):
    start(commit, sessions)
    start(commit, gateway.sessions)
    queue.work()
    assert recipients(outbox) == ["a", "a", "b", "b", "c", "c"]


def test_the_message_arrives_as_it_was(outbox, queue, room, commit):
    message = {"text": "NUL \0, snowman \u2603, rocket \U0001f680", "numbers": [1, 1.5, 10**30]}
    start(commit, room, message)
    queue.work()
    assert [sent.data for sent in outbox] == [message] * 3


def test_a_text_arrives_as_it_was(outbox, queue, room, commit):
    text = "<p>Grüße, \U0001f680</p>\r\n"
    with commit():
        broadcast = room.broadcast_text(text, at_most_once=True)
    assert outbox == []
    queue.work()
    assert [sent.text for sent in outbox] == [text] * 3
    assert broadcast.at_most_once
    assert broadcast.report.sent == 3


def test_each_task_is_for_a_run_of_consecutive_keys(queue, gateway, commit):
    make_many(gateway, CHUNK_SIZE + 1)
    broadcast = start(commit)
    (first, second) = broadcast.chunks.order_by("pk")
    keys = list(sessions.order_by("pk").values_list("pk", flat=True))
    assert first.recipients + second.recipients == keys
    assert (len(first.recipients), len(second.recipients)) == (CHUNK_SIZE, 1)
    assert queue.enqueued == [first.pk, second.pk]


def test_a_broadcast_to_nobody_is_finished(queue, commit):
    broadcast = start(commit, sessions.none())
    assert (broadcast.is_finished, broadcast.size, broadcast.reached) == (True, 0, 0)
    assert queue.enqueued == []


def test_who_joins_later_is_not_in_it(outbox, queue, room, gateway, commit):
    start(commit)
    make_session(gateway, connection_id="late")
    queue.work()
    assert recipients(outbox) == ["a", "b", "c"]


def test_who_has_left_since_counts_as_gone(outbox, queue, room, commit):
    broadcast = start(commit)
    sessions.filter(connection_id="a").update(connected=False)
    sessions.filter(connection_id="b").delete()
    queue.work()
    assert recipients(outbox) == ["c"]
    assert (broadcast.report.sent, broadcast.report.gone) == (1, 2)


def test_broadcasting_takes_few_queries(gateway, django_assert_num_queries):
    make_many(gateway, CHUNK_SIZE * 3)
    with django_assert_num_queries(5):  # Two of them are of the savepoint.
        sessions.broadcast("x")


# When it is enqueued


def test_nothing_is_enqueued_before_the_commit(queue, room, commit):
    with commit():
        room.broadcast("x")
        assert queue.enqueued == []
    assert len(queue.enqueued) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_neither_recorded_nor_enqueued(queue, room):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        room.broadcast("x")
        1 / 0  # noqa: B018
    assert not Broadcast.objects.exists()
    assert queue.enqueued == []


# What is refused


@pytest.mark.parametrize(
    ("data", "error"), [(float("nan"), MessageNotSerializable), ("x" * 2**17, MessageTooLarge)]
)
def test_a_message_that_cannot_be_sent_is_not_recorded(room, data, error):
    with pytest.raises(error):
        room.broadcast(data)
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"x", MessageNotSerializable),
        ("", MessageNotSerializable),
        ("NUL \0", MessageNotSerializable),
        ("x" * (2**17 + 1), MessageTooLarge),
    ],
    ids=["bytes", "empty", "NUL", "large"],
)
def test_a_text_that_cannot_be_sent_or_kept_is_not_recorded(room, text, error):
    with pytest.raises(error):
        room.broadcast_text(text)
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize("method", ["broadcast", "broadcast_text"])
@pytest.mark.parametrize("backend", [None, "", "nobody.Knows", "rabbit", 7])
def test_without_a_backend_nothing_is_recorded(room, settings, backend, method):
    settings.WEBSOCKETS = {"task_backend": backend}
    with pytest.raises(ConfigurationError, match=r'WEBSOCKETS\["task_backend"\]'):
        getattr(room, method)("x")
    assert not Broadcast.objects.exists()


# Progress


def test_a_report_has_counts_and_reasons(outbox, queue, gateway, commit):
    make_many(gateway, CHUNK_SIZE * 2)
    for number in (0, 1, CHUNK_SIZE):
        outbox.failing[f"{number}"] = "LimitExceededException"
    outbox.gone.add("2")
    broadcast = start(commit)
    assert (broadcast.is_finished, broadcast.reached, broadcast.report.sent) == (False, 0, 0)
    queue.work()
    report = broadcast.report
    assert (report.sent, report.gone, report.failed) == (CHUNK_SIZE * 2 - 4, 1, 3)
    assert report.reasons == {"LimitExceededException": 3}
    assert (broadcast.is_finished, broadcast.reached) == (True, CHUNK_SIZE * 2)


# What remains afterwards


def test_what_was_lost_is_enqueued_again(queue, room, commit):
    broadcast = start(commit)
    lost = queue.enqueued.copy()
    queue.enqueued.clear()
    assert broadcast.resume() == 1
    assert queue.enqueued == lost


def test_what_is_finished_is_not_enqueued_again(queue, room, commit):
    broadcast = start(commit)
    queue.work()
    assert broadcast.resume() == 0
    assert queue.enqueued == []


def test_what_a_living_worker_has_is_not_enqueued_again(queue, room, commit):
    broadcast = start(commit)
    queue.enqueued.clear()
    chunk = broadcast.chunks.get()
    assert chunk.claim()
    assert broadcast.resume() == 0
    broadcast.chunks.update(claimed_until=timezone.now())
    assert broadcast.resume() == 1


def make_old(broadcast):
    """Make it as old as the oldest connection can be."""
    started = timezone.now() - CONNECTION_LIFETIME - timedelta(seconds=1)
    Broadcast.objects.filter(pk=broadcast.pk).update(created_on=started)


def test_a_broadcast_that_is_older_than_any_connection_is_left_alone(outbox, queue, room, commit):
    broadcast = start(commit)
    make_old(broadcast)
    queue.work()
    assert outbox == []
    assert broadcast.resume() == 0


def test_those_broadcasts_are_forgotten_with_their_messages(queue, room, commit):
    old, young = start(commit), start(commit)
    make_old(old)
    assert Broadcast.objects.forget_old() == 1
    assert list(Broadcast.objects.all()) == [young]
    assert {chunk.broadcast for chunk in BroadcastChunk.objects.all()} == {young}
    assert Broadcast.objects.forget_old() == 0


def test_a_task_of_a_forgotten_broadcast_does_nothing(outbox, queue, room, commit):
    start(commit)
    Broadcast.objects.all().delete()
    queue.work()
    assert outbox == []


def test_its_texts_tell_which_it_is(room, commit):
    broadcast = start(commit)
    chunk = broadcast.chunks.get()
    assert str(fresh(broadcast)) == f"Broadcast {broadcast.pk}"
    assert str(chunk) == f"Chunk {chunk.pk} of broadcast {broadcast.pk}"
