"""Which sessions get a message, and what its outcome means for their rows."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import RegionMissing
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.sending import BATCH_SIZE
from tests.factories import make_created_gateway, make_gateway, make_many, make_session
from tests.overheard import marking, verbs

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


def recipients(outbox):
    return sorted(message.connection_id for message in outbox)


def connected():
    return set(sessions.filter(connected=True).values_list("connection_id", flat=True))


# Who gets it


QUERYSETS = {
    "all": (lambda room: room, "abc"),
    "filtered": (lambda room: room.filter(connection_id__gte="b"), "bc"),
    "excluded": (lambda room: room.exclude(connection_id="b"), "ac"),
    "ordered": (lambda room: room.order_by("-connection_id"), "abc"),
    "reversed": (lambda room: room.order_by("connection_id").reverse(), "abc"),
    "first two": (lambda room: room.order_by("connection_id")[:2], "ab"),
    "all but one": (lambda room: room.order_by("connection_id")[1:], "bc"),
    "none": (lambda room: room.none(), ""),
    "union": (lambda room: room.filter(connection_id="a").union(room.filter(pk=0)), "a"),
    "or": (lambda room: room.filter(connection_id="a") | room.filter(connection_id="c"), "ac"),
    "distinct": (lambda room: room.distinct(), "abc"),
    "joined": (lambda room: room.select_related("api_gateway", "user"), "abc"),
    "deferred": (lambda room: room.only("connection_id"), "abc"),
    "values": (lambda room: room.values("channel_name"), "abc"),
    "closed": (lambda room: room.filter(connected=False), ""),
}


@pytest.mark.parametrize(("choose", "expected"), QUERYSETS.values(), ids=QUERYSETS)
def test_the_connected_sessions_of_any_queryset_get_the_message(outbox, room, choose, expected):
    report = choose(room).send_message({"text": "hello"})
    assert recipients(outbox) == sorted(expected)
    assert (report.sent, report.gone, report.failed) == (len(expected), 0, 0)


@pytest.mark.parametrize("name", ["intersection", "difference"])
def test_sessions_of_other_set_operations_get_the_message(outbox, room, name):
    if not getattr(connection.features, f"supports_select_{name}"):
        pytest.skip(f"This database has no {name}")
    both = getattr(room.filter(connection_id="a"), name)
    both(room.filter(connection_id="a" if name == "intersection" else "b")).send_message("x")
    assert recipients(outbox) == ["a"]


def test_distinct_on_a_column_picks_one_session_each(outbox, room):
    if not connection.features.can_distinct_on_fields:
        pytest.skip("This database has no DISTINCT ON")
    room.order_by("channel_name", "connection_id").distinct("channel_name").send_message("x")
    assert recipients(outbox) == ["a"]


def test_a_session_that_a_join_finds_twice_gets_the_message_once(outbox, gateway):
    user = User.objects.create_user("alice")
    user.groups.set([Group.objects.create(name=name) for name in ("editors", "readers")])
    make_session(gateway, connection_id="a", user=user)
    both = sessions.filter(user__groups__name__in=["editors", "readers"])
    assert both.count() == 2
    assert both.send_message("x").sent == 1
    assert both[:2].send_message("x").sent == 1


def test_a_session_that_two_batches_of_a_slice_hold_gets_the_message_once(outbox, gateway):
    user = User.objects.create_user("alice")
    user.groups.set([Group.objects.create(name=name) for name in ("editors", "readers")])
    make_many(gateway, BATCH_SIZE, user=user)
    both = sessions.filter(user__groups__name__in=["editors", "readers"])
    both = both.order_by("user__groups__name", "pk")
    assert both.count() == BATCH_SIZE * 2
    assert both[: BATCH_SIZE * 2].send_message("x").sent == BATCH_SIZE


def test_the_manager_sends_to_everybody(outbox, room):
    make_session(make_created_gateway(), connection_id="elsewhere")
    sessions.send_message("x")
    assert recipients(outbox) == ["a", "b", "c", "elsewhere"]


def test_a_gateway_sends_to_its_own_sessions(outbox, room, gateway):
    make_session(make_created_gateway(), connection_id="elsewhere")
    gateway.sessions.send_message("x")
    assert recipients(outbox) == ["a", "b", "c"]


TEXT_SENDERS = {
    "a session": (lambda room: room.get(connection_id="a"), "a"),
    "a queryset": (lambda room: room.exclude(connection_id="a"), "bc"),
    "a slice": (lambda room: room.order_by("connection_id")[:2], "ab"),
    "the manager": (lambda room: sessions, "abc"),
    "a gateway": (lambda room: room[0].api_gateway.sessions, "abc"),
}


@pytest.mark.parametrize(("choose", "expected"), TEXT_SENDERS.values(), ids=TEXT_SENDERS)
def test_a_text_reaches_those_whom_a_message_reaches(outbox, room, choose, expected):
    outbox.gone.add("c")
    report = choose(room).send_text("<p>hello</p>")
    reached = expected.replace("c", "")
    assert {message.text for message in outbox} == {"<p>hello</p>"}
    assert recipients(outbox) == sorted(reached)
    assert (report.sent, report.gone) == (len(reached), len(expected) - len(reached))


def test_the_progress_of_a_text_is_told(outbox, room):
    told = []
    room.send_text("x", progress=lambda *words: told.append(words))
    assert told[-1] == (3, 3)


def test_a_session_is_tried_even_if_its_row_says_closed(outbox, room):
    assert sessions.get(connection_id="closed").send_message("x").sent == 1
    assert recipients(outbox) == ["closed"]


def test_more_recipients_than_a_batch_all_get_it_in_batches(outbox, gateway):
    make_many(gateway, BATCH_SIZE * 2)
    outbox.gone.update(f"{number}" for number in range(BATCH_SIZE * 2) if number % 2)
    sessions.update(request_count=2)
    with CaptureQueriesContext(connection) as queries:
        report = sessions.send_message("x")
    assert (report.sent, report.gone) == (BATCH_SIZE, BATCH_SIZE)
    assert len(set(recipients(outbox))) == BATCH_SIZE
    # The first finds that there are many, the second tells their keys.
    assert verbs(queries) == ["SELECT"] * 4 + marking(batches=1, rows=BATCH_SIZE)


def test_more_recipients_than_a_batch_of_a_slice_all_get_it(outbox, gateway):
    make_many(gateway, BATCH_SIZE + 1)
    assert sessions.order_by("pk")[: BATCH_SIZE + 1].send_message("x").sent == BATCH_SIZE + 1
    assert len(set(recipients(outbox))) == BATCH_SIZE + 1


def test_sending_to_many_costs_one_select(outbox, room, django_assert_num_queries):
    with django_assert_num_queries(1):
        room.send_message("x")


def test_the_sessions_of_a_room_are_sent_to_in_their_order(outbox, room):
    # PostgreSQL moves a row that is written to behind the others.
    sessions.filter(connection_id="a").update(request_count=2)
    room.send_message("x")
    assert [message.connection_id for message in outbox] == ["a", "b", "c"]


def test_sending_to_nobody_costs_no_query(outbox, room, django_assert_num_queries):
    with django_assert_num_queries(0):
        room.none().send_message("x")


# Each through its own gateway


def test_sessions_of_two_gateways_go_to_their_own_endpoints(outbox):
    ireland = make_created_gateway(api_id="ie1", stage_name="")
    china = make_created_gateway(
        api_id="cn1",
        api_endpoint="wss://cn1.execute-api.cn-north-1.amazonaws.com.cn",
        stage_name="beta",
    )
    make_session(ireland, connection_id="a")
    make_session(china, connection_id="b")
    make_session(None, connection_id="c")
    make_session(make_gateway(), connection_id="d")
    report = sessions.send_message("x")
    assert {message.connection_id: message.url for message in outbox} == {
        "a": "https://ie1.execute-api.eu-west-1.amazonaws.com/production",
        "b": "https://cn1.execute-api.cn-north-1.amazonaws.com.cn/beta",
    }
    assert report.reasons == {"The session has no created gateway": 2}


def test_a_session_and_a_queryset_agree_on_the_endpoint(outbox):
    session = make_session(make_created_gateway(stage_name="beta"))
    session.send_message("x")
    sessions.filter(pk=session.pk).send_message("x")
    assert outbox[0].url == outbox[1].url


def test_an_unknown_region_is_raised_before_anything_is_sent(outbox, settings):
    settings.AWS_REGION_NAME = None
    make_session(make_created_gateway())
    make_session(make_created_gateway(api_endpoint=""))
    with pytest.raises(RegionMissing):
        sessions.send_message("x")
    assert outbox == []


# What becomes of the rows


def test_gone_sessions_are_marked_in_one_update(outbox, room):
    before = timezone.now()
    outbox.gone.update("ac")
    with CaptureQueriesContext(connection) as queries:
        report = room.send_message("x")
    assert verbs(queries) == ["SELECT", *marking(batches=1, rows=2)]
    assert (report.sent, report.gone) == (1, 2)
    assert connected() == {"b"}
    assert sessions.get(connection_id="a").updated_on >= before


def test_a_gone_session_that_was_sent_to_alone_is_marked(outbox, room):
    outbox.gone.add("a")
    session = sessions.get(connection_id="a")
    assert session.send_message("x").gone == 1
    assert connected() == {"b", "c"}


def test_gone_sessions_of_a_slice_are_marked(outbox, room):
    outbox.gone.add("a")
    room.order_by("connection_id")[:1].send_message("x")
    assert connected() == {"b", "c"}


def test_a_failing_session_stays_connected(outbox, room):
    outbox.failing["b"] = "LimitExceededException"
    report = room.send_message("x")
    assert report.reasons == {"LimitExceededException": 1}
    assert connected() == {"a", "b", "c"}


def test_a_gone_answer_does_not_kill_a_session_that_is_still_connecting(outbox, gateway):
    make_session(gateway, age=1, connection_id="connecting")
    outbox.gone.add("connecting")
    assert sessions.send_message("x").gone == 1
    assert connected() == {"connecting"}


@pytest.mark.parametrize(("age", "requests"), [(31, 1), (1, 2)])
def test_a_gone_answer_closes_a_session_that_has_connected(outbox, gateway, age, requests):
    make_session(gateway, age=age, connection_id="a", request_count=requests)
    outbox.gone.add("a")
    sessions.send_message("x")
    assert connected() == set()


class Router:
    """Remembers what the database was asked for."""

    asked: list = []

    def db_for_read(self, model, **hints):
        self.asked.append("read")
        return "default"

    def db_for_write(self, model, **hints):
        self.asked.append("write")
        return "default"


def test_gone_sessions_are_marked_where_the_router_sends_writes(outbox, room, settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.Router"]
    outbox.gone.add("a")
    Router.asked.clear()
    room.send_message("x")
    assert Router.asked[0] == "read"
    assert set(Router.asked[1:]) == {"write"}
