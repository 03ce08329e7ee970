"""What the page on broadcasts shows is so: its blocks of code are run."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from django_aws_api_gateway_websockets import checks
from django_aws_api_gateway_websockets.broadcasts import worker
from django_aws_api_gateway_websockets.models import Broadcast, broadcasts
from tests.pages import PAGES, run
from tests.queues import HeldBackend

pytestmark = pytest.mark.django_db


@pytest.fixture
def module(settings, monkeypatch):
    """``module(names, Class)`` makes it the engine."""

    def engine(names, name):
        queues = ModuleType("queues")
        vars(queues).update(names)
        monkeypatch.setitem(sys.modules, "queues", queues)
        settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_backend": f"queues.{name}"}

    return engine


def test_a_broadcast_goes_out_and_tells_how_far_it_is(outbox, room, module, commit, capsys):
    HeldBackend.enqueued.clear()
    module(vars(sys.modules["tests.queues"]), "HeldBackend")
    with commit():
        run("broadcasts-start")
    HeldBackend.work()
    run("broadcasts-progress")
    assert capsys.readouterr().out == "3 of 3 True\n3 0 0\n"
    assert [message.data for message in outbox] == [{"text": "The shop opens."}] * 3
    Broadcast.objects.update(created_on="2001-01-01T00:00Z")
    run("broadcasts-forget")
    assert not Broadcast.objects.exists()


def test_the_numbers_of_the_page_are_those_of_the_code():
    page = PAGES["broadcasts"]
    assert f"*chunks* of {broadcasts.CHUNK_SIZE:,} recipients" in page
    assert f"*batches* of {worker.BATCH_SIZE}." in page


def test_what_is_said_to_celery_is_understood(settings):
    celery = pytest.importorskip("celery")
    app = celery.Celery("page", broker="memory://", set_as_current=False)
    run("broadcasts-celery", app=app)
    run("broadcasts-visibility", app=app)
    app.loader.import_default_modules()
    task = app.tasks["django_aws_api_gateway_websockets.deliver_chunk"]
    assert app.amqp.router.route({}, task.name)["queue"].name == "broadcasts"
    assert app.conf.broker_transport_options == {"visibility_timeout": 300}
    settings.WEBSOCKETS = run("broadcasts-celery-settings")["WEBSOCKETS"]
    assert checks.check_settings(None) == []


def test_the_settings_for_djangos_tasks_pass_the_checks(settings):
    pytest.importorskip("django_tasks_db")
    shown = run("broadcasts-django-settings", INSTALLED_APPS=[])
    assert shown["INSTALLED_APPS"] == ["django_tasks_db"]
    settings.TASKS, settings.WEBSOCKETS = shown["TASKS"], shown["WEBSOCKETS"]
    assert checks.check_settings(None) == []


class Timer:
    """A timer that is over at once."""

    def __init__(self, seconds, work, arguments):
        self.start = lambda: work(*arguments)


def test_an_engine_of_ones_own_delivers(outbox, room, module, commit):
    names = run("broadcasts-own-backend")
    names["Timer"] = Timer
    module(names, "TimerBackend")
    with commit():
        room.broadcast("x")
    assert len(outbox) == 3
