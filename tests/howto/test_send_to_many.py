from __future__ import annotations

import django
import pytest
from django.db import transaction

from django_aws_api_gateway_websockets import checks
from django_aws_api_gateway_websockets.models import Broadcast
from tests.pages import PAGES

pytest.importorskip("celery")

NEWS = {"type": "news", "text": "We open."}


@pytest.fixture(autouse=True)
def _worker(project, websocket_outbox):
    """The project's Celery runs each task where it is enqueued."""
    from celery import current_app

    before = current_app._get_current_object()
    app = project.mysite.celery.app
    app.conf.task_always_eager = True
    app.set_current()
    yield
    before.set_current()


def test_a_broadcast_reaches_everybody_after_the_commit(project, connect, commit, outbox, alice):
    guest, hers, closed = connect(), connect(alice), connect()
    closed.send({"action": "chat", "text": "I go"})
    outbox.clear()
    outbox.gone.add(closed.connection_id)
    with commit():
        broadcast = project.shop.news.announce("We open.")
        assert len(outbox) == 0
    assert (guest.received, hers.received) == ([NEWS], [NEWS])
    assert project.shop.news.progress(broadcast) == {
        "done": 3,
        "of": 3,
        "is_finished": True,
        "sent": 2,
        "gone": 1,
        "failed": 0,
    }


def test_nothing_is_sent_of_what_is_rolled_back(project, connect, commit, outbox):
    connect()
    with commit(), pytest.raises(ZeroDivisionError), transaction.atomic():
        project.shop.news.announce("We open.")
        1 / 0  # noqa: B018
    assert len(outbox) == 0
    assert not Broadcast.objects.exists()


def test_a_task_of_ones_own_can_send(project, connect, alice):
    hers = connect(alice)
    assert project.shop.tasks.remind.delay(alice.pk, "tea").get() == 1
    assert hers.received == [{"type": "reminder", "text": "tea"}]


@pytest.mark.django_db  # Celery runs the checks of the models.
def test_celery_finds_the_task_of_the_package(project):
    app = project.mysite.celery.app
    app.loader.import_default_modules()
    assert "django_aws_api_gateway_websockets.deliver_chunk" in app.tasks


def test_the_settings_for_celery_pass_the_checks(project):
    assert checks.check_settings(None) == []


def test_the_settings_for_djangos_tasks_pass_the_checks(project, settings):
    if django.VERSION < (6, 0):
        pytest.importorskip("django_tasks")
    settings.WEBSOCKETS = project.run("send-to-many-django")["WEBSOCKETS"]
    assert checks.check_settings(None) == []


def test_the_size_of_a_piece_is_that_of_the_reference(project):
    assert "*chunks* of 1,000 recipients" in PAGES["broadcasts"]
    assert "in pieces of 1,000 recipients" in project.text
