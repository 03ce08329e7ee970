"""Who is told that a session has opened or ended: the package's signals, and post_save."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.signals import session_closed, session_opened
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.factories import fresh, make_session

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


class ProxySession(WebSocketSession):
    class Meta:
        proxy = True
        app_label = "tests"


@pytest.fixture
def told():
    """(what, connection id, reason) of each signal of ours, in their order."""
    heard = []

    def opened(session, **kwargs):
        heard.append(("opened", session.connection_id, kwargs["request"].method))

    def closed(session, reason, **kwargs):
        assert not session.connected
        heard.append(("closed", session.connection_id, reason))

    session_opened.connect(opened, sender=WebSocketSession)
    session_closed.connect(closed, sender=WebSocketSession)
    yield heard
    session_opened.disconnect(opened, sender=WebSocketSession)
    session_closed.disconnect(closed, sender=WebSocketSession)


@pytest.fixture
def saved():
    """(connected, request count, created) of each post_save of a session."""
    heard = []

    def note(instance, created, raw, using, update_fields, **kwargs):
        assert (raw, using, update_fields) == (False, "default", None)
        heard.append((instance.connected, instance.request_count, created))

    post_save.connect(note, sender=WebSocketSession)
    yield heard
    post_save.disconnect(note, sender=WebSocketSession)


@pytest.fixture
def gone(outbox, gateway):
    """``gone("a", "b")``: sessions of connections that AWS no longer has."""

    def gone(*connection_ids):
        outbox.gone.update(connection_ids)
        for connection_id in connection_ids:
            make_session(gateway, connection_id=connection_id, request_count=2)

    return gone


# Signals of the package


def test_a_connection_opens_and_is_left(told, websocket):
    ws = websocket("/ws/")
    ws.send({"action": "later"})
    ws.disconnect()
    one = ws.connection_id
    assert told == [("opened", one, "POST"), ("closed", one, "left")]


def test_a_refused_connect_opens_nothing(told, mount):
    class RefusingView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            super().connect(request, *args, **kwargs)
            raise LookupError

    url = mount(RefusingView)
    with pytest.raises(LookupError):
        WebSocketClient(url).connect()
    foreign = WebSocketClient(url, headers={"Origin": "https://else.net"})
    assert foreign.connect().status_code == 400
    assert told == []


def test_a_repeated_connect_is_told_once(told, websocket):
    ws = websocket("/ws/")
    assert ws.connect().status_code == 200
    assert told == [("opened", ws.connection_id, "POST")]


def test_a_repeated_disconnect_is_told_once(told, websocket):
    ws = websocket("/ws/")
    for _ in range(2):
        ws.disconnect()
    assert [what for what, *_ in told] == ["opened", "closed"]


def test_the_disconnect_that_follows_a_close_is_not_told(told, websocket):
    ws = websocket("/ws/")
    ws.session.close()
    ws.disconnect()
    assert told[1:] == [("closed", ws.connection_id, "closed")]


def test_closing_is_told_of_each_that_was_open(told, outbox, room):
    sessions.filter(connection_id="b").update(connected=False)
    sessions.all().close()
    sessions.all().close()
    assert told == [("closed", "a", "closed"), ("closed", "c", "closed")]


def test_one_session_that_is_closed_is_told(told, outbox, room):
    sessions.get(connection_id="b").close()
    assert told == [("closed", "b", "closed")]


def test_a_gone_connection_is_told_once(told, gone, gateway):
    gone("a", "b")
    make_session(gateway, connection_id="c")
    for _ in range(2):
        sessions.send_message("x")
    assert sorted(told) == [("closed", "a", "gone"), ("closed", "b", "gone")]


@pytest.mark.django_db(transaction=True)
def test_a_gone_connection_is_told_from_asynchronous_code(told, gone):
    gone("a")
    async_to_sync(sessions.all().asend_message)("x")
    assert told == [("closed", "a", "gone")]


def test_a_session_whose_connect_is_being_answered_is_not_told_as_gone(told, gone):
    gone("new")
    sessions.update(request_count=1, created_on=timezone.now())
    sessions.send_message("x")
    assert told == []


def test_an_expired_session_is_told(told):
    session = make_session(connection_id="old")
    sessions.update(created_on=session.created_on - timedelta(hours=3))
    call_command("clearWebSocketSessions", verbosity=0)
    assert told == [("closed", "old", "expired")]


def test_the_end_of_a_login_is_told(told, websocket, alice):
    ws = websocket("/ws/", user=alice)
    alice.is_active = False
    alice.save()
    assert told[1:] == [("closed", ws.connection_id, "closed")]


def test_a_deleted_gateways_sessions_are_told(told, outbox, room, gateway):
    gateway.delete()
    assert told == [("closed", name, "closed") for name in "abc"]


def test_a_proxys_sessions_are_told_as_those_of_the_table(told, gone):
    gone("a")
    ProxySession.objects.send_message("x")
    assert told == [("closed", "a", "gone")]


def test_a_receiver_that_fails_stops_nothing(gone, gateway, caplog):
    def fail(**kwargs):
        raise LookupError("of a receiver")

    gone("a", "b")
    make_session(gateway, connection_id="c")
    session_closed.connect(fail)
    try:
        report = sessions.send_message("x")
    finally:
        session_closed.disconnect(fail)
    assert (report.sent, report.gone, report.failed) == (1, 2, 0)
    assert caplog.text.count("of a receiver") >= 2


def test_a_receiver_of_opened_that_fails_keeps_nobody_out(mount):
    def fail(**kwargs):
        raise LookupError("of a receiver")

    session_opened.connect(fail)
    try:
        assert answered(WebSocketClient(mount(ChatView)).connect()) == (200, b"{}")
    finally:
        session_opened.disconnect(fail)


# post_save, as 1.1.1 sent it


def test_messages_and_the_disconnect_are_heard_as_saved(saved, websocket):
    ws = websocket("/ws/")
    ws.send({"action": "later"})
    ws.disconnect()
    assert saved == [(True, 1, True), (True, 2, False), (False, 3, False)]


def test_closed_and_gone_connections_are_heard_as_saved(outbox, room, saved):
    outbox.gone.add("a")
    sessions.update(request_count=2)
    sessions.send_message("x")
    sessions.all().close()
    assert saved == [(False, 2, False)] * 3
    assert all(not session.connected for session in sessions.all())


def test_what_is_heard_has_been_written(websocket):
    written = []

    def note(instance, **kwargs):
        written.append((instance.request_count, fresh(instance).request_count))

    ws = websocket("/ws/")
    post_save.connect(note, sender=WebSocketSession)
    try:
        ws.send({"action": "later"})
    finally:
        post_save.disconnect(note, sender=WebSocketSession)
    assert written == [(2, 2)]


# Who does not listen pays nothing


def statements(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"].split()[0] for query in captured]


def test_without_listeners_an_ending_is_one_update(outbox, room):
    assert statements(sessions.all().close).count("UPDATE") == 1


def test_without_listeners_a_disconnect_is_a_select_and_an_update(websocket):
    ws = websocket("/ws/")
    assert statements(ws.disconnect) == ["SELECT", "UPDATE"]


def test_without_listeners_to_sessions_those_of_other_models_cost_nothing(outbox, room, alice):
    def note(**kwargs):
        raise AssertionError("A session was told to a listener of users")

    post_save.connect(note, sender=type(alice))
    try:
        assert statements(sessions.all().close).count("UPDATE") == 1
    finally:
        post_save.disconnect(note, sender=type(alice))
