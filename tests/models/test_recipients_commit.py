"""Messages that leave when the transaction has committed."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.exceptions import RegionMissing
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.sending import Report
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db(transaction=True)

sessions = WebSocketSession.objects


@pytest.fixture(params=["send_message", "send_text"])
def method(request):
    return request.param


@pytest.fixture(params=["a session", "a queryset"])
def send(request, method, room, outbox):
    """``send(message)`` sends it on commit."""
    chosen = room.filter(connection_id="a")
    if request.param == "a session":
        return lambda data: getattr(chosen.get(), method)(data, on_commit=True)
    return lambda data: getattr(chosen, method)(data, on_commit=True)


def test_a_message_leaves_after_the_commit(send, outbox):
    with transaction.atomic():
        report = send("x")
        assert (outbox, report) == ([], Report())
    assert [message.connection_id for message in outbox] == ["a"]
    assert report.sent == report.total == 1


def test_outside_a_transaction_it_leaves_at_once(send, outbox):
    assert send("x").sent == 1
    assert len(outbox) == 1


class Undo(Exception):
    pass


def test_after_a_rollback_nothing_leaves(send, outbox):
    with pytest.raises(Undo), transaction.atomic():
        report = send("x")
        raise Undo
    assert (outbox, report) == ([], Report())


def test_a_savepoint_that_is_rolled_back_takes_its_messages_along(send, outbox):
    with transaction.atomic():
        send("kept")
        with pytest.raises(Undo), transaction.atomic():
            send("lost")
            raise Undo
        with transaction.atomic():
            send("inner")
        assert outbox == []
    assert [message.data for message in outbox] == ["kept", "inner"]


def test_a_durable_block_sends_at_its_end(send, outbox):
    with transaction.atomic(durable=True):
        send("x")
        assert outbox == []
    assert len(outbox) == 1


def test_who_gets_it_is_looked_up_after_the_commit(room, outbox):
    with transaction.atomic():
        room.send_message("x", on_commit=True)
        sessions.filter(connection_id="a").update(connected=False)
        make_session(room[0].api_gateway, connection_id="new", channel_name="room")
    assert sorted(message.connection_id for message in outbox) == ["b", "c", "new"]


def test_the_message_is_what_it_was_when_it_was_sent(room, outbox):
    data = {"text": "as it was"}
    with transaction.atomic():
        room.send_message(data, on_commit=True)
        data["text"] = "changed"
    assert {message.data["text"] for message in outbox} == {"as it was"}


def test_what_fails_then_is_logged_and_not_raised(settings, caplog, outbox):
    settings.AWS_REGION_NAME = None
    make_session(make_created_gateway(api_endpoint=""))
    done = []
    with transaction.atomic():
        sessions.send_message("x", on_commit=True)
        transaction.on_commit(lambda: done.append("the next one"))
    assert done == ["the next one"]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert isinstance(record.exc_info[1], RegionMissing)


def test_a_recipient_that_fails_then_is_logged_and_in_the_report(room, outbox, caplog):
    outbox.failing["a"] = "ForbiddenException"
    with transaction.atomic():
        report = room.send_message("x", on_commit=True)
    assert (report.sent, report.reasons) == (2, {"ForbiddenException": 1})
    assert caplog.messages == ["Not reached connection_id=a reason=ForbiddenException"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_request_in_a_transaction_sends_at_its_end(
    atomic_requests, room, outbox, settings, fails
):
    seen = []

    def view(request):
        sessions.filter(channel_name="room").send_message("x", on_commit=True)
        seen.append(list(outbox))
        if fails:
            raise Undo
        return HttpResponse()

    settings.ROOT_URLCONF = (path("", view),)
    Client(raise_request_exception=False).get("/")
    assert seen == [[]]
    assert len(outbox) == (0 if fails else 3)
