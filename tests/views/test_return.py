"""Sessions that AWS has called gone, though their connections lived: a message proves it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.signals import session_closed, session_opened
from tests.aws_requests import answered
from tests.factories import fresh
from tests.overheard import heard

pytestmark = pytest.mark.django_db

WHOAMI = {"action": "whoami"}
CONNECTION_UNKNOWN = (400, b"Unknown connection")


@pytest.fixture
def ws(websocket, outbox, alice):
    """A connection that AWS has called gone once."""
    ws = websocket("/ws/", user=alice)
    assert ws.send(WHOAMI).status_code == 200
    outbox.gone.add(ws.connection_id)
    assert ws.session.send_message("x").gone == 1
    outbox.gone.clear()
    assert not ws.session.connected
    return ws


def test_a_message_connects_it_again_by_two_statements(ws):
    with CaptureQueriesContext(connection) as queries:
        assert ws.send(WHOAMI).json() == {"user": "alice"}
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "UPDATE"]
    assert (ws.session.connected, ws.session.request_count) == (True, 3)
    assert WebSocketSession.objects.send_message("hello").sent == 1
    assert ws.received == ["hello"]


def test_who_listens_hears_that_it_is_back(ws):
    with heard(session_opened, WebSocketSession) as opened:
        ws.send(WHOAMI)
        ws.send(WHOAMI)
    assert [call["session"] for call in opened] == [ws.session]


def close_all(session):
    type(session).objects.all().close()


@pytest.mark.parametrize("listener_to", [WebSocketSession, None])
@pytest.mark.parametrize("close", [WebSocketSession.close, close_all])
def test_one_that_has_been_closed_since_does_not_return(ws, close, listener_to):
    with heard(session_closed, listener_to or ApiGateway) as told:
        close(ws.session)
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN
    assert not ws.session.connected
    assert told == []
    assert ws.is_closed


def test_one_that_was_closed_before_does_not_return(websocket, outbox):
    ws = websocket("/ws/")
    ws.session.close()
    outbox.gone.add(ws.connection_id)
    assert ws.session.send_message("x").gone == 1
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


def test_it_ends_for_good_with_its_login(ws, alice, commit):
    with commit():
        ws.browser.logout()
    assert ws.is_closed
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


def test_it_ends_for_good_with_its_disconnect(ws):
    assert ws.disconnect().status_code == 200
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


def test_one_whose_user_has_another_password_does_not_return(ws, alice, django_user_model):
    django_user_model.objects.filter(pk=alice.pk).update(password="changed by no save()")
    assert answered(ws.send(WHOAMI)) == (403, b"Log in again")
    assert not fresh(ws.session).connected
