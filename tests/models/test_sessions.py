"""What saving a session writes, and closing sessions from this end."""

from __future__ import annotations

import re

import django
import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_aws_api_gateway_websockets.models import WebSocketSession
from tests.factories import fresh, make_session
from tests.site_models import APP, proxy

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


@pytest.fixture
def session(gateway):
    return make_session(gateway, channel_name="lobby")


def close_elsewhere(session):
    """Close it as another process would."""
    sessions.filter(pk=session.pk).update(connected=False, request_count=7)


def written(act, *arguments, **options):
    """The columns that the UPDATEs of this write, or "all" for an INSERT."""
    with CaptureQueriesContext(connection) as captured:
        act(*arguments, **options)
    columns = []
    for query in captured:
        verb, _, rest = query["sql"].replace("`", '"').partition(" ")
        if verb == "INSERT":
            columns.append("all")
        elif verb == "UPDATE":
            assigned = rest.partition(" SET ")[2].partition(" WHERE ")[0]
            columns += re.findall(r'"(\w+)" = ', assigned)
    return sorted(columns)


# Saving


def test_a_stale_object_does_not_open_a_closed_session_again(session):
    stale = fresh(session)
    close_elsewhere(session)
    stale.channel_name = "attic"
    stale.save()
    row = fresh(session)
    assert (row.channel_name, row.connected, row.request_count) == ("attic", False, 7)


def test_a_stale_object_that_is_saved_asynchronously_does_not_either(session):
    stale = fresh(session)
    close_elsewhere(session)
    stale.channel_name = "attic"
    async_to_sync(stale.asave)()
    row = fresh(session)
    assert (row.channel_name, row.connected, row.request_count) == ("attic", False, 7)


@pytest.mark.parametrize(
    "options",
    [
        {"update_fields": None},
        {"force_insert": False, "force_update": False},
        {"force_update": True},
        {"using": "default"},
    ],
    ids=str,
)
def test_options_that_choose_no_columns_do_not_either(session, options):
    stale = fresh(session)
    close_elsewhere(session)
    stale.save(**options)
    assert not fresh(session).connected


def test_a_new_object_is_stale_once_others_have_written(gateway):
    made = sessions.create(connection_id="new", api_gateway=gateway)
    close_elsewhere(made)
    made.channel_name = "attic"
    made.save()
    assert (fresh(made).channel_name, fresh(made).connected) == ("attic", False)


def test_what_has_changed_is_written_and_nothing_else(session, alice):
    session.user, session.channel_name = alice, "attic"
    assert written(session.save) == ["channel_name", "updated_on", "user_id"]
    assert (fresh(session).user, fresh(session).channel_name) == (alice, "attic")


def test_without_a_change_only_the_time_is_written(session):
    before = session.updated_on
    assert written(session.save) == ["updated_on"]
    assert fresh(session).updated_on > before


def test_a_change_is_written_once(session):
    session.channel_name = "attic"
    session.save()
    assert written(session.save) == ["updated_on"]


def test_a_column_can_be_changed_back(session):
    for channel_name in ("attic", "lobby"):
        session.channel_name = channel_name
        session.save()
    assert fresh(session).channel_name == "lobby"


@pytest.mark.parametrize("insert", ["save", "force_insert", "create", "bulk_create"])
def test_a_new_session_is_written_whole(gateway, insert):
    columns = {"connection_id": "new", "api_gateway": gateway, "channel_name": "lobby"}
    new = WebSocketSession(**columns)
    inserts = {
        "save": new.save,
        "force_insert": lambda: new.save(force_insert=True),
        "create": lambda: sessions.create(**columns),
        "bulk_create": lambda: sessions.bulk_create([new]),
    }
    assert written(inserts[insert]) == ["all"]
    row = sessions.get()
    assert (row.channel_name, row.connected, row.request_count) == ("lobby", True, 1)


def test_an_insert_can_be_forced_on_a_row_that_exists(session):
    with pytest.raises(IntegrityError), transaction.atomic():
        session.save(force_insert=True)


def test_update_fields_are_taken_at_their_word(session):
    stale = fresh(session)
    stale.channel_name, stale.connected = "attic", False
    assert written(stale.save, update_fields=["channel_name"]) == ["channel_name"]
    assert written(stale.save) == ["connected", "updated_on"]  # It was not forgotten.
    assert written(stale.save, update_fields=[]) == []


@pytest.mark.skipif(django.VERSION >= (5, 1), reason="Django gave up positional arguments")
def test_positional_arguments_are_taken_at_their_word(session):
    session.channel_name = "attic"
    assert written(session.save, False, False, None, ["channel_name"]) == ["channel_name"]
    close_elsewhere(session)
    session.save()
    assert not fresh(session).connected


@pytest.mark.parametrize("load", ["defer", "only"])
def test_a_deferred_column_is_left_alone_until_it_is_set(session, load):
    rows = {"defer": sessions.defer("connected", "user"), "only": sessions.only("channel_name")}
    partial = rows[load].get()
    close_elsewhere(session)
    partial.channel_name = "attic"
    assert written(partial.save) == ["channel_name", "updated_on"]
    partial.connected = True
    assert written(partial.save) == ["connected", "updated_on"]


def test_a_deferred_column_that_is_read_is_not_written_back(session):
    partial = sessions.defer("connected").get()
    assert partial.connected
    close_elsewhere(session)
    partial.save()
    assert not fresh(session).connected


def test_a_deferred_column_can_be_emptied(gateway, alice):
    session = make_session(gateway, user=alice)
    partial = sessions.defer("user").get()
    partial.user = None
    partial.save()
    assert fresh(session).user is None


def test_what_is_refreshed_is_not_written_back(session):
    stale = fresh(session)
    close_elsewhere(session)
    stale.channel_name = "attic"
    stale.refresh_from_db(fields=["connected"])
    sessions.update(connected=True)
    assert written(stale.save) == ["channel_name", "updated_on"]
    stale.refresh_from_db()
    assert (stale.connected, stale.request_count) == (True, 7)
    assert written(stale.save) == ["updated_on"]


def test_a_session_is_copied_as_django_copies(session):
    original = fresh(session)
    session.pk, session._state.adding, session.connection_id = None, True, "copy"
    session.save()
    assert sorted(sessions.values_list("connection_id", flat=True)) == sorted(
        ["copy", original.connection_id]
    )


def test_a_deleted_session_can_be_saved_again(session):
    session.delete()
    session.save()
    assert sessions.get() == session


@isolate_apps(APP)
def test_a_proxys_stale_object_does_not_open_a_closed_session_again(session):
    stale = proxy().objects.get()
    close_elsewhere(session)
    stale.channel_name = "attic"
    assert written(stale.save) == ["channel_name", "updated_on"]
    assert not fresh(session).connected
