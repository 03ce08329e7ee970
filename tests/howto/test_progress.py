from __future__ import annotations

import re
from itertools import count

import pytest
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.howto.window import data_of

pytest.importorskip("celery")


@pytest.fixture(autouse=True)
def _worker(project):
    """A Celery that runs each task where it is enqueued."""
    from celery import Celery, current_app

    before = current_app._get_current_object()
    app = Celery("eager", set_as_current=False)
    app.conf.task_always_eager = True
    app.set_current()
    yield
    before.set_current()


@pytest.fixture(autouse=True)
def _site(project, settings):
    views = project.reports.views
    settings.ROOT_URLCONF = (
        path("export/", views.ExportView.as_view()),
        path("ws/<slug:route>", views.ExportSocketView.as_view()),
    )


@pytest.fixture
def _slow(project, monkeypatch):
    """Whoever looks at the clock finds that half a second has gone."""
    clock = count(0, 0.5)
    monkeypatch.setattr(project.reports.tasks, "monotonic", lambda: next(clock))
    monkeypatch.setattr(project.reports.tasks, "rows_of", lambda user_pk: ["row"] * 4)


def channel_of(client):
    html = client.get("/export/").content.decode()
    return data_of(html)["url"].partition("?channel=")[2]


@pytest.mark.usefixtures("_slow")
def test_the_page_that_started_it_is_told_once_a_second(connect, client, alice):
    other = connect(alice, channel="export-0")
    client.force_login(alice)
    window = connect(alice, channel=channel_of(client))
    window.send({"action": "start"})
    assert window.received == [
        {"done": 2, "of": 4},
        {"done": 4, "of": 4},
        {"done": 4, "of": 4, "url": "/exports/1/"},
    ]
    assert other.received == []


def test_other_channels_are_closed(project, websocket_outbox, alice):
    refused = WebSocketClient("/ws/", user=alice, channel="lobby").connect()
    assert answered(refused) == (403, b"This channel is closed to you")


def test_a_page_that_comes_back_hears_of_the_rest(project, connect, alice):
    connect(alice, channel="export-1").disconnect()
    window = connect(alice, channel="export-1")
    project.reports.tasks.export(alice.pk, "export-1")
    assert [message["done"] for message in window.received] == [1000]


def test_each_page_has_a_channel_of_its_own(connect, client, alice):
    connect(alice, channel="export-0")
    client.force_login(alice)
    first, second = channel_of(client), channel_of(client)
    assert first != second
    assert re.fullmatch(r"export-[0-9a-f-]{36}", first)


def test_the_page_starts_once_and_shows_how_far_it_is(connect, client, script, alice):
    connect(alice, channel="export-0")
    client.force_login(alice)
    result = script(
        client.get("/export/").content.decode(),
        """
        await last().accept();
        await last().bring({ done: 2, of: 4 });
        const bar = { ...find("bar") };
        await last().end(1001);
        while (sockets.length < 2) await pause();
        await last().accept();
        await last().bring({ done: 4, of: 4, url: "/exports/1/" });
        return [sockets.map(({ said }) => said), bar, find("bar").value, find("file")];
        """,
    )
    file = {"href": "/exports/1/", "hidden": False}
    assert result == [[[{"action": "start"}], []], {"max": 4, "value": 2}, 4, file]
