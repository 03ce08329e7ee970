"""Closing sessions from this end: one, or a queryset of them; now, or on commit."""

from __future__ import annotations

import logging

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.sending import BATCH_SIZE
from tests.factories import fresh, make_created_gateway, make_gateway, make_many, make_session

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects
NO_GATEWAY = "The session has no created gateway"


def connected():
    return "".join(sorted(sessions.filter(connected=True).values_list("connection_id", flat=True)))


def counts(report):
    assert report.sent == 0
    return report.closed, report.gone, report.failed


def verbs(captured):
    return [query["sql"].split()[0] for query in captured]


# One


def test_a_session_closes_its_connection(outbox, room):
    session = sessions.get(connection_id="b")
    assert counts(session.close()) == (1, 0, 0)
    assert outbox.closed == ["b"]
    assert (session.connected, connected()) == (False, "ac")


def test_a_closed_session_that_is_saved_stays_closed(outbox, room):
    session, stale = (sessions.get(connection_id="b") for _ in range(2))
    session.close()
    session.save()
    stale.save()
    assert connected() == "ac"


def test_closing_a_session_moves_updated_on(outbox, room):
    session = sessions.get(connection_id="b")
    session.close()
    assert fresh(session).updated_on > session.updated_on


def test_a_session_is_tried_even_if_its_row_says_closed(outbox, room):
    assert counts(sessions.get(connection_id="closed").close()) == (1, 0, 0)
    assert outbox.closed == ["closed"]


@pytest.mark.parametrize("make", [lambda: None, make_gateway], ids=["none", "not created"])
def test_a_session_without_a_created_gateway_is_closed_in_its_row_alone(edge, make):
    session = make_session(make())
    report = session.close()
    assert (counts(report), report.reasons) == ((0, 0, 1), {NO_GATEWAY: 1})
    assert not fresh(session).connected
    assert edge.requests == []


# At AWS


def test_a_connection_is_deleted_at_the_stage_of_its_gateway_with_the_id_escaped(edge):
    gateway = make_created_gateway(stage_name="beta")
    make_session(gateway, connection_id="JC1dgf9yoAMCK-g=").close()
    (request,) = edge.requests
    assert (request.method, request.path) == ("DELETE", "/beta/@connections/JC1dgf9yoAMCK-g%3D")


@pytest.mark.parametrize(
    ("status", "error_type", "expected"),
    [
        (204, "", (1, 0, 0)),
        (410, "GoneException", (0, 1, 0)),
        (410, "", (0, 1, 0)),
        (403, "ForbiddenException", (0, 0, 1)),
        (500, "InternalServerException", (0, 0, 1)),
    ],
)
def test_whatever_aws_answers_the_row_is_closed_and_the_report_says_so(
    edge, gateway, caplog, status, error_type, expected
):
    edge.when("DELETE", status, error_type=error_type)
    session = make_session(gateway, age=0)  # That it has just connected does not matter either.
    report = session.close()
    assert counts(report) == expected
    assert not fresh(session).connected
    assert dict(report.reasons) == ({error_type: 1} if expected[2] else {})
    assert (f"connection_id={session.connection_id}" in caplog.text) is bool(expected[2])


def test_one_that_fails_does_not_keep_the_others(edge, room):
    edge.when("DELETE .*/a$", 403, error_type="ForbiddenException")
    edge.when("DELETE .*/b$", 410, error_type="GoneException")
    report = room.close()
    assert (counts(report), report.reasons) == ((1, 1, 1), {"ForbiddenException": 1})
    assert sorted(edge.lines) == [f"DELETE /production/@connections/{name}" for name in "abc"]
    assert connected() == ""


def test_sessions_of_two_gateways_are_closed_each_at_its_own(edge):
    for stage_name in ("one", "two"):
        make_session(make_created_gateway(stage_name=stage_name), connection_id=stage_name)
    assert counts(sessions.all().close()) == (2, 0, 0)
    assert sorted(edge.lines) == [
        "DELETE /one/@connections/one",
        "DELETE /two/@connections/two",
    ]


def test_a_gateway_of_an_unknown_region_keeps_no_other_from_being_closed(outbox, settings):
    settings.AWS_REGION_NAME = None
    make_session(make_created_gateway(api_endpoint=""), connection_id="lost")
    make_session(make_created_gateway(), connection_id="found")
    report = sessions.all().close()
    assert counts(report) == (1, 0, 1)
    assert "No AWS region is known" in str(report.reasons)
    assert outbox.closed == ["found"]


def test_an_aws_that_does_not_answer_is_given_up_after_one_try(edge, gateway):
    """Somebody may be waiting for a logout."""
    edge.when("DELETE", hold=True)
    make_session(gateway, connection_id="a")
    report = sessions.all().close()
    assert report.reasons == {"ReadTimeoutError": 1}
    assert edge.lines == ["DELETE /production/@connections/a"]


# Many


QUERYSETS = {
    "all": (lambda room: room, "abc"),
    "filtered": (lambda room: room.filter(connection_id__gte="b"), "bc"),
    "ordered": (lambda room: room.order_by("-connection_id"), "abc"),
    "first two": (lambda room: room.order_by("connection_id")[:2], "ab"),
    "all but one": (lambda room: room.order_by("connection_id")[1:], "bc"),
    "none": (lambda room: room.none(), ""),
    "union": (lambda room: room.filter(connection_id="a").union(room.filter(pk=0)), "a"),
    "or": (lambda room: room.filter(connection_id="a") | room.filter(connection_id="c"), "ac"),
    "deferred": (lambda room: room.only("connection_id"), "abc"),
    "closed": (lambda room: room.filter(connected=False), ""),
}


@pytest.mark.parametrize(("choose", "expected"), QUERYSETS.values(), ids=QUERYSETS)
def test_the_connected_sessions_of_any_queryset_are_closed(outbox, room, choose, expected):
    assert counts(choose(room).close()) == (len(expected), 0, 0)
    assert "".join(sorted(outbox.closed)) == expected
    assert connected() == "".join(sorted(set("abc") - set(expected)))


def test_the_sessions_of_gateways_and_users_are_closed(outbox, room, gateway, alice):
    make_session(make_created_gateway(), connection_id="d", user=alice)
    make_session(make_created_gateway(), connection_id="e")
    alice.websocket_sessions.all().close()
    gateway.sessions.all().close()
    assert (sorted(outbox.closed), connected()) == (list("abcd"), "e")
    assert counts(sessions.all().close()) == (1, 0, 0)


def test_no_slip_closes_all_sessions_and_no_template_any(outbox, room, gateway, alice):
    assert not hasattr(sessions, "close")
    assert not hasattr(gateway.sessions, "close")
    page = Template("{{ session.close }}{{ room.close }}{{ gateway.upgrade_gateway }}")
    context = {"session": room.first(), "room": room, "gateway": gateway}
    assert page.render(Context(context)) == ""
    assert (outbox.closed, connected()) == ([], "abc")


def test_a_session_that_a_join_finds_twice_is_closed_once(outbox, gateway, alice):
    alice.groups.set([Group.objects.create(name=name) for name in ("editors", "readers")])
    make_session(gateway, connection_id="a", user=alice)
    both = sessions.filter(user__groups__name__in=["editors", "readers"])
    assert both.count() == 2
    assert counts(both.close()) == (1, 0, 0)
    assert outbox.closed == ["a"]


def test_closing_nothing_costs_no_more_than_to_find_nothing(outbox, room):
    with CaptureQueriesContext(connection) as captured:
        room.none().close()
        room.filter(connected=False).close()
    assert verbs(captured) == ["SELECT"]


@pytest.mark.parametrize("is_sliced", [False, True])
def test_more_than_a_batch_are_closed_in_batches(outbox, gateway, is_sliced):
    make_many(gateway, BATCH_SIZE + 1)
    outbox.gone.add("0")
    rows = sessions.order_by("pk")[: BATCH_SIZE + 1] if is_sliced else sessions.all()
    with CaptureQueriesContext(connection) as captured:
        report = rows.close()
    assert counts(report) == (BATCH_SIZE, 1, 0)
    assert len(set(outbox.closed)) == BATCH_SIZE
    assert connected() == ""
    to_find_them = ["SELECT"] if is_sliced else ["SELECT", "SELECT"]
    assert verbs(captured) == to_find_them + ["SELECT", "UPDATE"] * 2


# On commit


def test_on_commit_rows_are_closed_now_and_connections_with_the_commit(outbox, room, commit):
    with commit():
        report = room.close(on_commit=True)
        assert (outbox.closed, connected()) == ([], "")
    assert sorted(outbox.closed) == list("abc")
    assert counts(report) == (3, 0, 0)


def test_one_session_waits_for_the_commit_as_well(outbox, room, commit):
    session = sessions.get(connection_id="b")
    with commit():
        session.close(on_commit=True)
        assert (outbox.closed, session.connected, connected()) == ([], False, "ac")
    assert outbox.closed == ["b"]


def test_without_on_commit_nothing_waits_for_the_commit(outbox, room, commit):
    with commit():
        room.close()
        assert sorted(outbox.closed) == list("abc")


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_on_commit_is_at_once(outbox, room):
    room.close(on_commit=True)
    assert sorted(outbox.closed) == list("abc")


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_the_rows_connected(outbox, room):
    with pytest.raises(LookupError), transaction.atomic():
        room.close(on_commit=True)
        raise LookupError
    assert (outbox.closed, connected()) == ([], "abc")


@pytest.mark.django_db(transaction=True)
def test_on_commit_a_failure_is_logged_and_the_row_stays_closed(edge, gateway, caplog):
    edge.when("DELETE", 403, error_type="ForbiddenException")
    session = make_session(gateway)
    with transaction.atomic():
        sessions.all().close(on_commit=True)
    assert caplog.messages == [
        f"Not reached connection_id={session.connection_id} reason=ForbiddenException"
    ]
    assert not fresh(session).connected


@pytest.mark.django_db(transaction=True)
def test_on_commit_settings_that_are_wrong_are_logged_and_not_raised(outbox, settings, caplog):
    session = make_session(make_created_gateway(api_endpoint=""))
    settings.AWS_REGION_NAME = None
    with caplog.at_level(logging.WARNING), transaction.atomic():
        sessions.all().close(on_commit=True)
    assert "No AWS region is known" in caplog.text
    assert not fresh(session).connected
