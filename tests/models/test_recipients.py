"""What a broadcast reports, logs and tells of its progress."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from django_aws_api_gateway_websockets.exceptions import MessageNotSerializable, RegionMissing
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.sending import BATCH_SIZE, Report, reports
from django_aws_api_gateway_websockets.sending.reports import LOGGED_PER_REASON
from tests import factories
from tests.factories import make_created_gateway, make_gateway, make_session

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects

#: They have sent a message, so they are not connecting any more.
make_many = partial(factories.make_many, request_count=2)


# The report


def test_the_counts_add_up_to_all(outbox, gateway):
    make_many(gateway, 20)
    make_many(None, 3, first=20)
    outbox.gone.update("0123")
    outbox.failing.update(dict.fromkeys("45", "ForbiddenException"), **{"6": "404"})
    report = sessions.send_message("x")
    assert (report.sent, report.gone, report.failed) == (13, 4, 6)
    assert report.total == 23
    assert report.reasons == {
        "ForbiddenException": 2,
        "404": 1,
        "The session has no created gateway": 3,
    }


def test_a_report_of_nobody_is_empty(outbox):
    assert sessions.send_message("x") == Report()


# The log


def test_a_reason_is_logged_for_twenty_and_then_by_its_number(outbox, gateway, caplog):
    make_many(gateway, 60)
    outbox.failing.update({f"{n}": "ForbiddenException" for n in range(LOGGED_PER_REASON + 30)})
    outbox.failing.update({f"{n}": "404" for n in range(50, 55)})
    sessions.send_message("secret")
    of_one = [text for text in caplog.messages if text.endswith("reason=ForbiddenException")]
    assert len(of_one) == LOGGED_PER_REASON + 1
    assert of_one[-1] == "Not reached either: 30 more reason=ForbiddenException"
    assert len(caplog.messages) == LOGGED_PER_REASON + 1 + 5
    assert {record.name for record in caplog.records} == {
        "django_aws_api_gateway_websockets.sending"
    }
    assert "secret" not in caplog.text


def test_exactly_twenty_are_logged_without_a_number(outbox, gateway, caplog):
    make_many(gateway, LOGGED_PER_REASON)
    outbox.failing.update({f"{n}": "404" for n in range(LOGGED_PER_REASON)})
    sessions.send_message("x")
    assert len(caplog.messages) == LOGGED_PER_REASON


def test_those_that_are_gone_are_not_logged(outbox, gateway, caplog):
    make_many(gateway, 2)
    outbox.gone.update("01")
    sessions.send_message("x")
    assert caplog.messages == []


# Progress


@pytest.mark.parametrize(
    ("choose", "total"),
    [
        (lambda rows: rows, 10),
        (lambda rows: rows.order_by("pk")[2:7], 5),
        (lambda rows: rows.filter(connection_id="1").union(rows.filter(connection_id="2")), 2),
        (lambda rows: rows.filter(user__groups__name__in="ab"), 10),
        (lambda rows: rows.distinct(), 10),
        (lambda rows: rows.none(), 0),
    ],
    ids=["all", "sliced", "union", "joined", "distinct", "none"],
)
def test_progress_grows_to_the_number_of_all(outbox, gateway, talkative, choose, total):
    user = User.objects.create_user("alice")
    user.groups.set([Group.objects.create(name=name) for name in "ab"])
    make_many(gateway, 10, user=user)
    make_many(gateway, 5, first=10, user=user, connected=False)
    told = []
    choose(gateway.sessions.all()).send_message("x", progress=lambda *words: told.append(words))
    done = [number for number, _ in told]
    assert done == sorted(done)
    assert {number for _, number in told} == {total}
    assert told[-1] == (total, total)


def test_progress_is_not_told_more_often_than_ten_times_a_second(outbox, gateway, monkeypatch):
    make_many(gateway, 1000)
    seconds = iter(range(100_000))
    # Each look at the clock is a hundredth of a second later.
    monkeypatch.setattr(reports.time, "monotonic", lambda: next(seconds) / 100)
    told = []
    sessions.send_message("x", progress=lambda *words: told.append(words))
    assert 50 < len(told) <= 1000 / 10 + 2


class Stop(Exception):
    pass


def stop_at(number):
    def progress(done, total):
        if done >= number:
            raise Stop

    return progress


def test_what_progress_raises_ends_the_broadcast(outbox, gateway, talkative):
    make_many(gateway, 20)
    outbox.gone.update("012")
    with pytest.raises(Stop):
        sessions.order_by("pk").send_message("x", progress=stop_at(10))
    assert len(outbox) == 7
    assert sessions.filter(connected=False).count() == 3


def test_a_broadcast_that_was_ended_leaves_the_next_one_unharmed(
    edge, gateway, talkative, transport
):
    make_many(gateway, 300)
    edge.when("/5$", 410)
    with pytest.raises(Stop):
        sessions.send_message("first", progress=stop_at(20))
    report = sessions.send_message("second")
    assert report.total == sessions.filter(connected=True).count() + report.gone
    assert report.failed == 0
    second = [request.connection_id for request in edge.requests if request.json == "second"]
    assert len(second) == len(set(second)) == report.total


def test_what_is_under_way_ends_with_the_broadcast(gateway, talkative, settings):
    make_many(gateway, 3)
    settings.WEBSOCKETS = {"transport": f"{__name__}.ClosingTransport"}
    with pytest.raises(Stop) as stopped:
        sessions.send_message("x", progress=stop_at(1))
    assert stopped.value.__traceback__ is not None, "which would hold the generator"
    assert ClosingTransport.closed == ["x"]


class ClosingTransport:
    closed: list = []

    def send(self, body, recipients):
        from django_aws_api_gateway_websockets.sending import SENT

        try:
            for recipient in recipients:
                yield recipient, SENT
        finally:
            self.closed.append(body.decode().strip('"'))


# What is wrong is raised


def test_a_gateway_without_a_region_stops_all_even_if_it_is_the_last(outbox, settings):
    settings.AWS_REGION_NAME = None
    make_many(make_created_gateway(), 1200)
    make_session(make_created_gateway(api_endpoint=""))
    with pytest.raises(RegionMissing):
        sessions.send_message("x")
    assert outbox == []


def test_a_region_that_aws_does_not_have_fails_its_own_recipients(outbox, gateway, settings):
    settings.AWS_REGION_NAME = None
    make_many(gateway, 3)
    endpoint = "wss://b1.execute-api.atlantis-1.amazonaws.com"
    make_many(make_created_gateway(api_id="b1", api_endpoint=endpoint), 2, first=3)
    report = sessions.send_message("x")
    assert (report.sent, report.failed) == (3, 2)
    assert report.reasons == {"atlantis-1 is not an AWS region.": 2}


def test_a_session_of_a_gateway_in_no_region_fails_when_it_is_alone_too(outbox, settings):
    endpoint = "wss://b1.execute-api.atlantis-1.amazonaws.com"
    session = make_session(make_created_gateway(api_id="b1", api_endpoint=endpoint))
    assert session.send_message("x").reasons == {"atlantis-1 is not an AWS region.": 1}
    assert make_session(make_gateway()).send_message("x").failed == 1


def test_a_database_that_fails_half_way_is_raised_and_the_gone_are_marked(outbox, gateway):
    make_many(gateway, BATCH_SIZE + 1)
    outbox.gone.update("012")
    selects = []

    def fail(execute, sql, *rest):
        selects.extend(["SELECT"] if sql.startswith("SELECT") else [])
        # The first finds that there are many, the second their keys, the third the first batch.
        if len(selects) == 4 and sql.startswith("SELECT"):
            raise OSError("The database has gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail), pytest.raises(OSError, match="database has gone"):
        sessions.send_message("x")
    assert len(outbox) == BATCH_SIZE - 3
    assert sessions.filter(connected=False).count() == 3


def test_two_broadcasts_of_one_process_do_not_mix(edge, gateway, transport, settings):
    make_many(gateway, 40)
    gateway.sessions.filter(connection_id__gte="2").update(channel_name="b")
    rooms = {name: list(gateway.sessions.filter(channel_name=name)) for name in ("", "b")}
    for room in rooms.values():
        for session in room:
            session.api_gateway = gateway

    def send(name):
        for session in rooms[name]:
            session.send_message(name)

    threads = [threading.Thread(target=send, args=[name]) for name in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = {request.connection_id: request.json for request in edge.requests}
    assert got == {s.connection_id: name for name, room in rooms.items() for s in room}


@pytest.mark.parametrize("on_commit", [False, True])
def test_a_bad_message_is_raised_at_once(outbox, gateway, on_commit):
    make_many(gateway, 1)
    for sender in (sessions, sessions.get()):
        with pytest.raises(MessageNotSerializable):
            sender.send_message(object(), on_commit=on_commit)
