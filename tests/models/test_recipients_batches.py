"""The recipients of a full batch are those that the ORM would read, with the same columns."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    WebSocketSession,
    WebSocketSessionQuerySet,
)
from django_aws_api_gateway_websockets.sending import BATCH_SIZE
from tests import factories
from tests.factories import make_created_gateway, make_session
from tests.overheard import executed
from tests.second_database import ALIAS
from tests.site_models import APP, manager_of, own_table, proxy

pytestmark = pytest.mark.django_db

MANY = 2 * BATCH_SIZE + 20

sessions = WebSocketSession.objects

#: They have sent a message, so they are not connecting any more.
make_many = partial(factories.make_many, request_count=2)


class OwnQuerySet(WebSocketSessionQuerySet):
    """A site's own class, whose batches the ORM reads."""


def sent_to(outbox):
    """The connections that have got a message, in their order, which is forgotten then."""
    found = [message.connection_id for message in outbox]
    outbox.clear()
    return found


def at_first(act):
    """A progress callback that acts once, when the first recipient is done."""
    return lambda done, total: act() if done == 1 else None


def reads(captured):
    return [query["sql"] for query in captured if query["sql"].startswith("SELECT")]


@pytest.fixture
def crowd(outbox):
    """Sessions of two gateways and of none, every tenth of them closed."""
    for start in range(0, MANY, 170):
        make_many([None, make_created_gateway()][start % 340 // 170], 170, first=start)
    keys = list(sessions.values_list("pk", flat=True).order_by("pk"))
    sessions.filter(pk__in=keys[::10]).update(connected=False)


def test_a_batch_has_the_rows_that_the_orm_reads(outbox, crowd):
    report = sessions.send_message("x")
    urls = {message.connection_id: message.url for message in outbox}
    assert report == OwnQuerySet(WebSocketSession).send_message("x")
    assert urls == {message.connection_id: message.url for message in outbox}
    connected = sessions.filter(connected=True)
    assert report.failed == connected.filter(api_gateway=None).count() > BATCH_SIZE / 2
    assert report.sent == connected.exclude(api_gateway=None).count() > BATCH_SIZE / 2


def test_each_recipient_gets_it_at_its_own_gateway(outbox, crowd):
    sessions.send_message("x")
    api_ids = dict(sessions.values_list("connection_id", "api_gateway__api_id"))
    assert len(outbox) > BATCH_SIZE / 2
    for message in outbox:
        assert f"{api_ids[message.connection_id]}." in message.url


def test_a_batch_costs_the_statement_that_the_orm_writes(outbox, gateway):
    make_many(gateway, MANY)
    with CaptureQueriesContext(connection) as ours:
        sessions.send_message("x")
    with CaptureQueriesContext(connection) as of_the_orm:
        OwnQuerySet(WebSocketSession).send_message("x")
    assert reads(ours) == reads(of_the_orm)
    assert len(ours) == 1 + 1 + 3


def test_the_statement_of_full_batches_is_written_once(outbox, gateway):
    make_many(gateway, MANY)
    with executed() as statements:
        for _ in range(2):
            sessions.send_message("x")
    batches = [sql for sql in statements if sql.count("%s") >= BATCH_SIZE]
    assert [sql is batches[0] for sql in batches] == [True] * 4


@isolate_apps(APP)
def test_what_a_database_converts_is_converted(outbox, gateway, monkeypatch):
    plain = connection.ops.get_db_converters

    def converters(expression):
        is_text = expression.output_field.get_internal_type() == "CharField"
        return [*plain(expression), *([lambda value, *_: value and value.lower()] * is_text)]

    monkeypatch.setattr(connection.ops, "get_db_converters", converters)
    ApiGateway.objects.update(stage_name="TEST")
    make_many(gateway, MANY)
    assert proxy().objects.send_message("x").sent == MANY
    assert {message.url.rpartition("/")[2] for message in outbox} == {"test"}


def test_who_is_closed_meanwhile_gets_nothing(outbox, gateway, talkative):
    make_many(gateway, 2 * BATCH_SIZE)
    last = sessions.order_by("-pk")[0]

    def close_last():
        sessions.filter(pk=last.pk).update(connected=False)

    assert sessions.send_message("x", progress=at_first(close_last)).sent == 2 * BATCH_SIZE - 1
    assert last.connection_id not in sent_to(outbox)


def test_who_is_deleted_or_moved_meanwhile_is_not_mistaken(outbox, gateway, talkative):
    make_many(gateway, 2 * BATCH_SIZE)
    other = make_created_gateway()
    deleted, moved = sessions.order_by("-pk")[:2]

    def change():
        sessions.filter(pk=deleted.pk).delete()
        sessions.filter(pk=moved.pk).update(api_gateway=other)

    sessions.send_message("x", progress=at_first(change))
    urls = {message.connection_id: message.url for message in outbox}
    assert deleted.connection_id not in urls
    assert f"{other.api_id}." in urls[moved.connection_id]


def test_each_broadcast_reads_anew(outbox, gateway):
    make_many(gateway, MANY)
    assert sessions.send_message("x").sent == MANY
    ApiGateway.objects.update(api_id="moved", api_endpoint="", stage_name="test")
    sent_to(outbox)
    assert sessions.send_message("x").sent == MANY
    assert {message.url.rpartition("/")[2] for message in outbox} == {"test"}


@pytest.mark.parametrize(
    "choose",
    [
        lambda rows: rows.filter(channel_name="room"),
        lambda rows: rows.filter(channel_name="room").order_by("-pk")[:MANY],
        lambda rows: rows.filter(channel_name="room").union(rows.filter(pk=0)),
    ],
    ids=["filtered", "sliced", "union"],
)
def test_only_the_chosen_get_it(outbox, gateway, choose):
    make_many(gateway, MANY, channel_name="room")
    make_many(gateway, MANY, first=MANY, channel_name="hall")
    choose(sessions.all()).send_message("x")
    assert sorted(map(int, sent_to(outbox))) == list(range(MANY))


def test_a_queryset_of_the_sites_own_may_add_a_condition_each_time(outbox, gateway, talkative):
    muted = []

    class Unmuted(WebSocketSessionQuerySet):
        def filter(self, *args, **kwargs):
            return super().filter(*args, **kwargs).exclude(connection_id__in=muted)

    make_many(gateway, MANY)
    assert Unmuted(WebSocketSession).send_message("x").sent == MANY

    def mute():
        muted[:] = [f"{MANY - 1}", f"{BATCH_SIZE * 2 - 1}"]

    sent_to(outbox)
    report = Unmuted(WebSocketSession).send_message("x", progress=at_first(mute))
    assert report.sent == MANY - len(muted)
    assert not {*muted} & {*sent_to(outbox)}


@isolate_apps(APP)
def test_a_managers_condition_holds(outbox, gateway):
    in_room = proxy(objects=manager_of(lambda rows: rows.filter(channel_name="room")))
    make_many(gateway, MANY, channel_name="room")
    make_many(gateway, MANY, first=MANY, channel_name="hall")
    assert in_room.objects.send_message("x").sent == MANY
    assert sorted(map(int, sent_to(outbox))) == list(range(MANY))


@pytest.mark.django_db(transaction=True)
@isolate_apps(APP)
def test_sessions_with_a_table_of_their_own_alone_get_it(outbox, gateway):
    make_session(gateway)
    with own_table() as visits:
        for number in range(BATCH_SIZE + 3):
            visits.objects.create(connection_id=f"{number}", api_gateway=gateway)
        assert visits.objects.send_message("x").sent == BATCH_SIZE + 3
        assert sorted(map(int, sent_to(outbox))) == list(range(BATCH_SIZE + 3))


def test_the_rows_of_the_database_that_the_router_chooses_are_read(
    outbox, gateway, on_second_database
):
    make_many(gateway, MANY)
    assert sessions.send_message("x").sent == MANY
    on_second_database()
    make_many(make_created_gateway(), BATCH_SIZE + 1)
    with CaptureQueriesContext(connections[ALIAS]) as captured:
        assert sessions.send_message("x").sent == BATCH_SIZE + 1
    assert len(reads(captured)) == 1 + 1 + 2
    assert sessions.using(ALIAS).send_message("x").sent == BATCH_SIZE + 1
    assert sessions.using("default").send_message("x").sent == MANY


def test_more_recipients_than_a_batch_are_closed(outbox, gateway):
    make_many(gateway, MANY)
    assert sessions.all().close().closed == MANY
    assert sorted(map(int, outbox.closed)) == list(range(MANY))
    assert not sessions.filter(connected=True).exists()
