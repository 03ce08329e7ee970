"""Which gateway a connection comes from, and making and counting its session."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError

from django_aws_api_gateway_websockets.exceptions import DuplicateConnection
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.views import openings, queries
from tests.factories import make_session

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


def open_session(connection_id, **columns):
    return openings.open_session(WebSocketSession, connection_id, **columns)


@pytest.mark.parametrize("taken", [True, False])
def test_one_select_finds_a_gateway_and_whether_the_connection_is_taken(
    gateway, django_assert_num_queries, taken
):
    make_session(gateway, connection_id="new" if taken else "another")
    with django_assert_num_queries(1):
        found = queries.gateway_of(WebSocketSession, gateway.api_id, "new")
    assert (found, found.connection_taken) == (gateway, taken)


def test_an_event_of_an_unknown_api_has_no_gateway(gateway):
    assert queries.gateway_of(WebSocketSession, f"not {gateway.api_id}", "new") is None


def test_a_repeated_connect_gets_the_session_of_the_first(gateway):
    columns = {"channel_name": "room", "user": None, "api_gateway": gateway}
    first, is_new = open_session("new", may_exist=False, **columns)
    assert is_new
    assert open_session("new", may_exist=True, **columns) == (first, False)


@pytest.mark.parametrize(
    "changed", [{"channel_name": "other"}, {"connected": False}, {"request_count": 2}]
)
def test_a_connect_for_an_id_that_somebody_else_holds_is_refused(gateway, changed):
    make_session(gateway, **{"connection_id": "new", "channel_name": "room", **changed})
    with pytest.raises(DuplicateConnection):
        open_session("new", may_exist=True, channel_name="room", user=None, api_gateway=gateway)


@pytest.mark.django_db(transaction=True)
def test_a_request_is_counted_in_the_row_and_in_the_object(gateway, django_assert_num_queries):
    session = make_session(gateway)
    WebSocketSession.objects.filter(pk=session.pk).update(request_count=7)
    with django_assert_num_queries(1):
        queries.record_request(session, channel_name="elsewhere")
    assert (session.request_count, session.channel_name) == (2, "elsewhere")
    session.refresh_from_db()
    assert (session.request_count, session.channel_name) == (8, "elsewhere")


def test_a_failed_count_lets_the_transaction_around_it_roll_back(gateway):
    session = make_session(gateway)
    with pytest.raises(TransactionManagementError), transaction.atomic():
        with pytest.raises(IntegrityError):
            queries.record_request(session, channel_name=None)
        sessions.count()
    assert session.request_count == 1
