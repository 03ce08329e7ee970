from __future__ import annotations

import logging
from datetime import datetime, timezone

import pytest

from django_aws_api_gateway_websockets.models import WebSocketSession
from tests.factories import make_session

pytest.importorskip("celery")

HOUR = 3600


def test_the_task_deletes_what_is_closed_or_expired(project, gateway, capsys):
    make_session(gateway, connected=False)
    make_session(gateway, age=2 * HOUR + 11 * 60)
    young = make_session(gateway, age=2 * HOUR)
    project.chat.tasks.clear_sessions()
    assert list(WebSocketSession.objects.all()) == [young]
    assert capsys.readouterr().out.startswith("Closed 1 expired session, deleted 2 closed")


def test_the_task_is_due_once_an_hour(project):
    (entry,) = project.mysite.celery.app.conf.beat_schedule.values()
    assert entry["task"] == project.chat.tasks.clear_sessions.name
    assert entry["schedule"].minute == {17}
    assert len(entry["schedule"].hour) == 24


def test_the_line_for_cron_is_for_the_same_minute(project):
    minute, *rest = project.block("clean-up-cron").code.split()
    assert (minute, rest[:4], rest[-1]) == ("17", ["*"] * 4, "clearWebSocketSessions")


def test_what_a_view_logs_of_a_connection(project, mount, connect, caplog, alice):
    mount(project.chat.views.ChatView)
    ws = connect(alice)
    start = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
    end = start.replace(minute=5)
    WebSocketSession.objects.update(created_on=start, updated_on=end)
    with caplog.at_level(logging.INFO, "chat.views"):
        ws.disconnect()
    assert f"user={alice.pk} lasted=0:05:00" in caplog.messages
    assert not ws.session.connected
