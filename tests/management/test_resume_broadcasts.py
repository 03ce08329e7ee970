"""resumeBroadcasts: what is left of broadcasts is enqueued again."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_aws_api_gateway_websockets.models import BroadcastChunk
from tests.queues import HeldBackend

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _queue(outbox, settings):
    backend = f"{HeldBackend.__module__}.{HeldBackend.__name__}"
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_backend": backend}
    HeldBackend.enqueued.clear()


def run():
    """The lines that the command prints."""
    out = StringIO()
    call_command("resumeBroadcasts", stdout=out)
    return out.getvalue().splitlines()


def test_unfinished_chunks_that_no_worker_has_are_enqueued(outbox, room):
    room.broadcast("finished")
    assert run() == ["Enqueued 1 chunks."]
    HeldBackend.work()
    lost = [room.broadcast(text).chunks.get() for text in ("one", "two")]
    at_work = room.broadcast("at work").chunks.get()
    assert at_work.claim()
    assert run() == ["Enqueued 2 chunks."]
    assert HeldBackend.enqueued == [chunk.pk for chunk in lost]
    HeldBackend.work()
    assert {message.data for message in outbox} == {"finished", "one", "two"}


def test_nothing_to_resume_is_a_success():
    assert run() == ["Enqueued 0 chunks."]


def test_without_a_backend_it_says_what_to_set(room, settings):
    room.broadcast("x")
    settings.WEBSOCKETS = {}
    with pytest.raises(CommandError, match=r'Set WEBSOCKETS\["task_backend"\]'):
        run()
    assert BroadcastChunk.objects.filter(claimed_by=None).count() == 1
