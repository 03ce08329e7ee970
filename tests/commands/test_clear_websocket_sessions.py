"""clearWebSocketSessions: closed connections go, open ones stay."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from django_aws_api_gateway_websockets.models import WebSocketSession
from tests.factories import make_session

pytestmark = pytest.mark.django_db


def run():
    """The lines that the command prints."""
    out = StringIO()
    call_command("clearWebSocketSessions", stdout=out)
    return out.getvalue().splitlines()


def test_closed_sessions_are_deleted_and_counted():
    make_session(connected=False)
    make_session(connected=False)
    open_session = make_session()
    assert run() == ["Deleted 2 closed sessions."]
    assert list(WebSocketSession.objects.all()) == [open_session]


def test_nothing_to_delete_is_a_success():
    assert run() == ["Deleted 0 closed sessions."]
