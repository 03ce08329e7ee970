"""Broadcasts in the queues of Celery and Django. tests/workers tests that they survive a kill."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_aws_api_gateway_websockets.models import BroadcastChunk, WebSocketSession
from tests.factories import fresh
from tests.models.test_sessions_sending import recipients
from tests.pages import run

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


def use(settings, backend):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_backend": backend}


# Celery


@pytest.fixture
def celery(outbox, settings):
    """A Celery that runs each task where it is enqueued."""
    app = pytest.importorskip("celery").Celery("eager", set_as_current=False)
    app.conf.task_always_eager = True
    use(settings, "celery")
    before = app_of_this_thread()
    app.set_current()
    yield app
    before.set_current()


def app_of_this_thread():
    from celery import current_app

    return current_app._get_current_object()


def test_celery_delivers(celery, outbox, room, commit):
    with commit():
        broadcast = room.broadcast("x")
    assert recipients(outbox) == ["a", "b", "c"]
    assert broadcast.is_finished


def test_celery_delivers_a_text_as_it_is(celery, outbox, room, commit):
    with commit():
        room.broadcast_text("<p>Grüße</p>")
    assert [sent.text for sent in outbox] == ["<p>Grüße</p>"] * 3


def test_celery_finds_the_task_and_keeps_its_message_until_it_is_done(celery):
    celery.autodiscover_tasks(["django_aws_api_gateway_websockets"], force=True)
    task = celery.tasks["django_aws_api_gateway_websockets.deliver_chunk"]
    assert (task.acks_late, task.reject_on_worker_lost, task.ignore_result) == (True, True, True)


def test_celery_comes_back_when_the_claim_of_another_worker_has_run_out(celery, room, settings):
    from celery.exceptions import Retry

    from django_aws_api_gateway_websockets.broadcasts.celery import deliver_chunk

    chunk = room.broadcast("x").chunks.get()
    assert fresh(chunk).claim()
    celery.conf.task_always_eager = False
    celery.conf.broker_url = "memory://"
    deliver_chunk.push_request(called_directly=False, id="1", args=[chunk.pk], kwargs={})
    try:
        with pytest.raises(Retry) as retry:
            deliver_chunk.run(chunk.pk)
    finally:
        deliver_chunk.pop_request()
    assert 50 < retry.value.when <= 60


# Django's tasks


@pytest.fixture
def django_tasks(outbox, settings):
    """Django's tasks, or their backport, with the backend that runs each where it is enqueued."""
    try:
        from django import tasks
    except ImportError:
        tasks = pytest.importorskip("django_tasks")
    settings.TASKS = {
        "default": {"BACKEND": f"{tasks.__name__}.backends.immediate.ImmediateBackend"},
        "slow": {"BACKEND": f"{__name__}.DeferringBackend", "QUEUES": ["broadcasts"]},
    }
    use(settings, "django")
    make_backend(tasks)
    return tasks


def make_backend(tasks):
    """A backend that can defer tasks, and only notes what it was given."""
    from django.utils.module_loading import import_string

    base = import_string(f"{tasks.__name__}.backends.dummy.DummyBackend")
    globals()["DeferringBackend"] = type("DeferringBackend", (base,), {"supports_defer": True})


def test_django_delivers(django_tasks, outbox, room, commit):
    with commit():
        broadcast = room.broadcast("x")
    assert recipients(outbox) == ["a", "b", "c"]
    assert broadcast.is_finished


def test_django_delivers_a_text_as_it_is(django_tasks, outbox, room, commit):
    with commit():
        room.broadcast_text("<p>Grüße</p>")
    assert [sent.text for sent in outbox] == ["<p>Grüße</p>"] * 3


def test_django_leaves_a_task_that_looks_after_this_one_unless_there_is_nothing_to_do(
    django_tasks, outbox, room
):
    from django_aws_api_gateway_websockets.broadcasts.django import deliver_chunk

    chunk = room.broadcast("x").chunks.get()
    slow = django_tasks.task_backends["slow"]
    task = deliver_chunk.using(backend="slow", queue_name="broadcasts")
    result = task.enqueue(chunk.pk)
    context = django_tasks.TaskContext(task_result=result)
    for _ in range(2):  # The second time the chunk is finished.
        task.call(context, chunk.pk)
    assert recipients(outbox) == ["a", "b", "c"]
    first, successor = slow.results
    assert first.id == result.id
    assert (successor.task.queue_name, successor.args) == ("broadcasts", [chunk.pk])
    wait = successor.task.run_after - timezone.now()
    assert timedelta(seconds=59) < wait <= timedelta(seconds=61)


def test_the_class_of_the_page_chooses_backend_and_queue(django_tasks, room, settings, commit):
    use(settings, f"{__name__}.SlowBackend")
    globals()["SlowBackend"] = run("broadcasts-queue")["SlowBackend"]
    with commit():
        room.broadcast("x")
    (result,) = django_tasks.task_backends["slow"].results
    assert result.args == [BroadcastChunk.objects.get().pk]
