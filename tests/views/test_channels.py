"""Which channel a connection may be in, when it opens and when it moves to another one."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.factories import make_created_gateway

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")
CLOSED = (403, b"This channel is closed to you")
INVALID = (400, b"Invalid channel name")


class OwnChannelView(ChatView):
    """Lets each user into the channel of the same name, and nobody else."""

    allow_channel_change = True

    def can_join_channel(self, request, channel_name):
        return channel_name in ("lobby", request.user.get_username())


@pytest.fixture
def own_channel(mount):
    return mount(OwnChannelView)


def move_to(channel):
    return {"action": "change_channel", "channel": channel}


# On $connect


def test_everybody_may_join_any_channel_unless_a_view_says_no(websocket):
    assert websocket("/ws/", channel="anywhere").session.channel_name == "anywhere"


@pytest.mark.parametrize("channel", ["bob", "ALICE", "alice ", "", "attic"])
def test_who_may_not_join_a_channel_does_not_get_in(own_channel, alice, channel):
    ws = WebSocketClient(own_channel, user=alice, channel=channel)
    assert answered(ws.connect()) == CLOSED
    assert ws.session is None


def test_who_may_join_a_channel_gets_in(websocket, own_channel, alice):
    assert websocket(own_channel, user=alice, channel="alice").session.channel_name == "alice"
    assert websocket(own_channel, channel="lobby").session.channel_name == "lobby"


class NoStaffView(ChatView):
    allow_channel_change = True

    def can_join_channel(self, request, channel_name):
        return channel_name != "staff"


ALIKE = ["STAFF", "Staff", "staff ", "st\u00e1ff", "\uff53taff"]


@pytest.mark.parametrize("name", ALIKE)
def test_who_is_in_a_channel_of_a_name_that_looks_alike_hears_nothing(websocket, mount, name):
    """MariaDB and MySQL take these names for "staff", where the column does not say otherwise."""
    view = mount(NoStaffView)
    newcomer, mover = websocket(view, channel=name), websocket(view, channel="lobby")
    assert mover.send(move_to(name)).status_code == 200
    assert WebSocketSession.objects.filter(channel_name="staff").send_message("secret").sent == 0
    assert newcomer.received == mover.received == []


def test_connection_ids_that_look_alike_are_two_connections(websocket):
    sessions = [websocket("/ws/", connection_id=name).session for name in ("Abc=", "abc=")]
    assert len({session.pk for session in sessions}) == 2


@pytest.mark.parametrize(("default", "answer"), [("lobby", WELCOME), ("attic", CLOSED)])
def test_the_gateways_default_channel_is_asked_for_as_well(own_channel, default, answer):
    gateway = make_created_gateway(default_channel_name=default)
    assert answered(WebSocketClient(own_channel, gateway=gateway).connect()) == answer


def test_the_channel_that_a_view_chooses_is_asked_for_as_well(mount):
    class ChoosingView(OwnChannelView):
        def _get_channel_name(self, request):
            return "attic"

    ws = WebSocketClient(mount(ChoosingView), channel="lobby")
    assert answered(ws.connect()) == CLOSED


def test_the_log_names_the_channel_and_the_answer_does_not(own_channel, caplog):
    response = WebSocketClient(own_channel, channel="attic").connect()
    assert "channel='attic'" in caplog.text
    assert b"attic" not in response.content


# change_channel


def test_nobody_changes_channels_unless_a_view_allows_it(websocket, mount):
    ws = websocket(mount(type("ShyView", (WebSocketView,), {})), channel="lobby")
    assert answered(ws.send(move_to("garden"))) == (400, b"Unknown action")
    assert ws.session.channel_name == "lobby"


def test_where_it_is_not_allowed_it_is_an_action_like_any_other(websocket):
    ws = websocket("/ws/", channel="lobby")
    assert ws.send(move_to("garden")).json() == {"default": "change_channel"}
    assert ws.session.channel_name == "lobby"


def test_where_it_is_allowed_the_connection_moves_and_hears_what_is_said_there(websocket, mount):
    url = mount(ChatView, allow_channel_change=True)
    mover, there = websocket(url, channel="lobby"), websocket(url, channel="garden")
    left = websocket(url, channel="lobby")
    assert mover.send(move_to("garden")).json() == {"channel": "garden"}
    there.send({"action": "chat", "text": "welcome"})
    left.send({"action": "chat", "text": "gone"})
    assert mover.received == [{"text": "welcome"}]


def columns():
    (row,) = WebSocketSession.objects.values()
    return row


def test_a_move_is_one_more_event_and_changes_nothing_else_of_the_session(websocket, mount, alice):
    ws = websocket(mount(ChatView, allow_channel_change=True), user=alice, channel="lobby")
    ws.send({"action": "later"})
    before = columns()
    ws.send(move_to("garden"))
    after = columns()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"channel_name", "request_count", "updated_on"}
    assert after["request_count"] == before["request_count"] + 1


@pytest.mark.parametrize("channel", ["", "x" * 128, "Zürich ☕ 🙂"])
def test_any_name_of_a_channel_will_do(websocket, mount, channel):
    ws = websocket(mount(ChatView, allow_channel_change=True), channel="lobby")
    assert ws.send(move_to(channel)).json() == {"channel": channel}
    assert ws.session.channel_name == channel


WRONG = {
    "a number": move_to(5),
    "null": move_to(None),
    "true": move_to(True),
    "a list": move_to(["garden"]),
    "a dict": move_to({"channel": "garden"}),
    "nothing": {"action": "change_channel"},
    "another letter case": {"action": "change_channel", "Channel": "garden"},
    "NUL": move_to("gar\0den"),
    "a line end": move_to("garden\n"),
    "a line separator": move_to("gar\u2028den"),
    "129 characters": move_to("x" * 129),
}


@pytest.mark.parametrize("message", WRONG.values(), ids=WRONG)
def test_what_is_no_name_of_a_channel_is_refused(websocket, mount, message):
    ws = websocket(mount(ChatView, allow_channel_change=True), channel="lobby")
    assert answered(ws.send(message)) == INVALID
    assert ws.session.channel_name == "lobby"


def test_who_may_not_join_a_channel_stays_where_he_is(websocket, own_channel, alice):
    ws = websocket(own_channel, user=alice, channel="lobby")
    assert answered(ws.send(move_to("bob"))) == CLOSED
    assert ws.session.channel_name == "lobby"
    assert ws.send(move_to("alice")).json() == {"channel": "alice"}
    assert ws.session.channel_name == "alice"


def test_can_join_channel_is_not_asked_for_what_is_no_name(websocket, mount):
    class NarrowView(ChatView):
        allow_channel_change = True

        def can_join_channel(self, request, channel_name):
            return 0 < len(channel_name) <= 128

    ws = websocket(mount(NarrowView), channel="lobby")
    assert answered(ws.send(move_to(5))) == answered(ws.send(move_to("x" * 129))) == INVALID
    assert answered(ws.send(move_to(""))) == CLOSED


def test_change_channel_can_have_a_route_of_its_own(websocket, mount):
    ws = websocket(mount(ChatView, allow_channel_change=True), channel="lobby")
    ws.send(move_to("garden"), route="change_channel")
    assert ws.session.channel_name == "garden"


@pytest.mark.parametrize("allowed", [False, True])
def test_a_method_of_ones_own_comes_first(websocket, mount, allowed):
    class OwnWayView(ChatView):
        allow_channel_change = allowed

        def change_channel(self, request, *args, **kwargs):
            return {"own": self.body["channel"]}

    ws = websocket(mount(OwnWayView), channel="lobby")
    assert ws.send(move_to("garden")).json() == {"own": "garden"}
    assert ws.session.channel_name == "lobby"
