"""A connection's life: $connect makes its session, once, and $disconnect closes it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, post
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db


def columns(connection_id):
    """The session's row, but for the time of its latest change."""
    row = WebSocketSession.objects.filter(connection_id=connection_id).values().get()
    del row["updated_on"]
    return row


def test_connect_makes_a_session(alice):
    gateway = make_created_gateway()
    ws = WebSocketClient("/ws/", gateway=gateway, user=alice, channel="lobby")
    response = ws.connect()
    assert (response.status_code, response.json()) == (200, {})
    session = ws.session
    assert (session.user, session.api_gateway, session.channel_name) == (alice, gateway, "lobby")
    assert (session.connected, session.request_count) == (True, 1)


def test_connect_without_login_makes_a_session_of_nobody(websocket):
    assert websocket("/ws/").session.user is None


def test_each_event_is_counted(websocket):
    ws = websocket("/ws/")
    ws.send({"action": "later"})
    ws.send({"action": "later"})
    assert ws.session.request_count == 3
    ws.disconnect()
    assert ws.session.request_count == 4


def test_an_event_moves_updated_on(websocket):
    ws = websocket("/ws/")
    before = ws.session.updated_on
    ws.send({"action": "later"})
    assert ws.session.updated_on > before


@pytest.mark.parametrize("channel", ["lobby", "my example channel", "Zürich ☕ 🙂", "x" * 128])
def test_a_client_chooses_its_channel(websocket, channel):
    assert websocket("/ws/", channel=channel).session.channel_name == channel


def test_a_client_that_asks_for_no_channel_gets_the_gateways_default(websocket):
    gateway = make_created_gateway(default_channel_name="Chatroom 1")
    assert websocket("/ws/", gateway=gateway).session.channel_name == "Chatroom 1"


def test_without_a_default_there_is_no_channel(websocket):
    assert websocket("/ws/").session.channel_name == ""


NO_CHANNEL = {
    "NUL": "lob\0by",
    "a line end": "lobby\n",
    "129 characters": "x" * 129,
    "a line separator": "lob\u2028by",
    "DEL": "lobby\x7f",
    "written right to left": "lobby\u202e",
}


@pytest.mark.parametrize("channel", NO_CHANNEL.values(), ids=NO_CHANNEL)
def test_a_channel_that_is_no_name_is_refused(channel):
    ws = WebSocketClient("/ws/", channel=channel)
    response = ws.connect()
    assert (response.status_code, response.content) == (400, b"Invalid channel name")
    assert ws.session is None


def test_a_query_of_too_many_fields_is_refused():
    ws = WebSocketClient("/ws/")
    # API Gateway lets 4,096 characters through, and Django takes 1,000 fields.
    response = post(ws, "connect", headers=HANDSHAKE, QUERY_STRING="&" * 4000)
    assert (response.status_code, response.content) == (400, b"The query cannot be read")
    assert ws.session is None


NO_CONNECTION_ID = {
    "300 characters": "x" * 300,
    "256 characters": "x" * 256,
    "NUL": "JC1dgf9y\0AMCK-g=",
    "a space": "JC1dgf9y AMCK-g=",
    "a line end": "JC1dgf9yAMCK-g=\n",
    "not ASCII": "JC1dgf9yéAMCK-g=",
}


@pytest.mark.parametrize("connection_id", NO_CONNECTION_ID.values(), ids=NO_CONNECTION_ID)
@pytest.mark.parametrize("event", ["connect", "send", "disconnect"])
def test_a_connection_id_that_is_none_is_refused(connection_id, event):
    ws = WebSocketClient("/ws/", connection_id=connection_id)
    arguments = [{"action": "later"}] if event == "send" else []
    response = getattr(ws, event)(*arguments)
    assert (response.status_code, response.content) == (400, b"Invalid connection id")
    assert not WebSocketSession.objects.exists()


def test_a_connection_id_as_wide_as_its_column_is_taken(websocket):
    assert websocket("/ws/", connection_id="x" * 255).session


def test_a_repeated_connect_is_welcome_and_changes_nothing(websocket, alice):
    ws = websocket("/ws/", user=alice, channel="lobby")
    before = columns(ws.connection_id)
    response = ws.connect()
    assert (response.status_code, response.json()) == (200, {})
    assert columns(ws.connection_id) == before


def test_a_repeated_connect_without_login_is_welcome(websocket):
    ws = websocket("/ws/")
    assert ws.connect().status_code == 200
    assert WebSocketSession.objects.count() == 1


def test_a_repeated_connect_gives_its_view_the_session_of_the_first(websocket, mount):
    seen = []

    class WelcomingView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            response = super().connect(request, *args, **kwargs)
            seen.append(self.websocket_session)
            return response

    ws = websocket(mount(WelcomingView))
    ws.connect()
    assert seen == [ws.session, ws.session]


def refused_as_duplicate(ws):
    """Connect; True if that was refused and did not change what there was."""
    before = columns(ws.connection_id)
    response = ws.connect()
    assert (response.status_code, response.content) == (409, b"The connection exists")
    return columns(ws.connection_id) == before


def test_a_connect_for_somebody_elses_connection_is_refused(websocket, alice, bob):
    held = websocket("/ws/", user=alice)
    for user in (bob, None):
        assert refused_as_duplicate(
            WebSocketClient("/ws/", user=user, connection_id=held.connection_id)
        )


def test_a_connect_with_login_for_a_connection_without_is_refused(websocket, alice):
    held = websocket("/ws/")
    assert refused_as_duplicate(
        WebSocketClient("/ws/", user=alice, connection_id=held.connection_id)
    )


def test_a_connect_to_another_channel_is_refused(websocket):
    held = websocket("/ws/", channel="lobby")
    assert refused_as_duplicate(
        WebSocketClient("/ws/", channel="attic", connection_id=held.connection_id)
    )


def test_a_connect_through_another_gateway_is_refused(websocket):
    held = websocket("/ws/")
    assert refused_as_duplicate(
        WebSocketClient("/ws/", gateway=make_created_gateway(), connection_id=held.connection_id)
    )


def test_a_connect_after_a_message_is_refused(websocket):
    ws = websocket("/ws/")
    ws.send({"action": "later"})
    assert refused_as_duplicate(ws)


def test_a_connect_for_a_closed_connection_is_refused(websocket):
    ws = websocket("/ws/")
    ws.disconnect()
    assert refused_as_duplicate(ws)


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def committing(request, transactional_db, monkeypatch):
    """Nothing is around a request's transaction, and perhaps it has one."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


class OvertakenView(WebSocketView):
    """Another $connect for the same id comes in between the look at the table and the INSERT."""

    def _additional_connection_checks(self, request, *args, **kwargs):
        make_session(self.api_gateway, connection_id=request.headers["connectionId"])
        return True, ""


@pytest.mark.usefixtures("committing")
def test_a_connect_that_is_overtaken_by_another_is_refused(mount):
    ws = WebSocketClient(mount(OvertakenView), channel="lobby")
    response = ws.connect()
    assert (response.status_code, response.content) == (409, b"The connection exists")


class RacingView(WebSocketView):
    """Both of two $connects have looked at the table when the first of them goes on."""

    start = threading.Barrier(2, timeout=30)

    def _additional_connection_checks(self, request, *args, **kwargs):
        self.start.wait()
        return True, ""


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="Threads share SQLite's database in memory"
)
@pytest.mark.usefixtures("committing")
def test_of_two_simultaneous_connects_one_is_refused(mount):
    url = mount(RacingView)
    one = WebSocketClient(url, channel="lobby")
    two = WebSocketClient(url, channel="attic", connection_id=one.connection_id)

    def connect(ws):
        try:
            return ws.connect().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(connect, [one, two])) == [200, 409]
    welcome = one if one.response.status_code == 200 else two
    assert columns(one.connection_id)["channel_name"] == welcome.channel


def test_disconnect_closes_the_session(websocket):
    ws = websocket("/ws/")
    response = ws.disconnect()
    assert (response.status_code, response.json()) == (200, {})
    assert not ws.session.connected


def test_a_repeated_disconnect_is_welcome(websocket):
    ws = websocket("/ws/")
    ws.disconnect()
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


def test_a_disconnect_of_an_unknown_connection_is_refused():
    response = WebSocketClient("/ws/").disconnect()
    assert (response.status_code, response.content) == (400, b"Unknown connection")
    assert not WebSocketSession.objects.exists()


def test_a_view_that_disconnects_before_it_connects_makes_no_session(mount):
    class RevolvingView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            return self.disconnect(request, *args, **kwargs)

    ws = WebSocketClient(mount(RevolvingView))
    assert ws.connect().json() == {}
    assert ws.session is None


def test_a_disconnect_closes_no_other_session(websocket):
    kept, closed = websocket("/ws/"), websocket("/ws/")
    closed.disconnect()
    assert kept.session.connected
