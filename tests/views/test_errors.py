"""A handler fails: who hears of it, what is undone, and what goes on."""

from __future__ import annotations

import json
import logging

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.exceptions import RequestRefused
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, post

pytestmark = pytest.mark.django_db

FAILED = (500, b"Internal server error")
FAIL = {"action": "fail"}


class FailingView(WebSocketView):
    def fail(self, request, *args, **kwargs):
        raise LookupError("the handler's own text")

    async def fail_later(self, request, *args, **kwargs):
        raise LookupError("the handler's own text")

    def work(self, request, *args, **kwargs):
        return {"works": True}


class TellingView(FailingView):
    """Tells the client."""

    def handler_failed(self, request, error):
        self.websocket_session.send_message({"error": type(error).__name__})


def ask(ws, message, route="default", **headers):
    """The answer to a message, or to a $connect, where an exception is not raised here too."""
    body = json.dumps(message).encode() if message else b""
    http = Client(raise_request_exception=False)
    return post(ws, route, body, http=http, headers=headers)


@pytest.fixture
def ws(websocket, mount):
    return websocket(mount(FailingView))


@pytest.fixture
def failures():
    """The requests of which ``got_request_exception`` told."""
    seen = []

    def receiver(request, **kwargs):
        seen.append(request)

    got_request_exception.connect(receiver)
    yield seen
    got_request_exception.disconnect(receiver)


def errors(caplog):
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


each_handler = pytest.mark.parametrize("action", ["fail", "fail_later"])


# The answer


@each_handler
@pytest.mark.parametrize("debug", [False, True])
def test_an_exception_is_answered_without_details_with_debug_too(ws, settings, debug, action):
    settings.DEBUG = debug
    response = ask(ws, {"action": action})
    assert answered(response) == FAILED
    assert response["Content-Type"].startswith("text/plain")


@each_handler
def test_the_connection_goes_on(ws, action):
    ask(ws, {"action": action})
    assert ask(ws, {"action": "work"}).json() == {"works": True}
    assert (ws.session.connected, ws.is_closed, ws.session.request_count) == (True, False, 3)


def test_a_hook_that_fails_lets_nobody_in(mount):
    class BrokenView(WebSocketView):
        def can_join_channel(self, request, channel_name):
            raise LookupError(channel_name)

    ws = WebSocketClient(mount(BrokenView), channel="lobby")
    assert answered(ask(ws, None, "connect", **HANDSHAKE)) == FAILED
    assert ws.session is None


def test_a_disconnect_that_fails_is_answered_likewise(websocket, mount, caplog):
    class BrokenView(WebSocketView):
        def disconnect(self, request, *args, **kwargs):
            super().disconnect(request, *args, **kwargs)
            raise LookupError

    ws = websocket(mount(BrokenView))
    assert answered(ask(ws, None, "disconnect")) == FAILED
    assert not ws.session.connected
    assert "route='disconnect'" in errors(caplog)[0].getMessage()


# The log and the signal


@each_handler
def test_an_exception_is_an_error_in_the_log_of_djangos_with_its_event_and_traceback(
    ws, caplog, action
):
    ask(ws, {"action": action}, Requestid="request1=")
    (record,) = errors(caplog)
    assert (record.name, record.levelname) == ("django.request", "ERROR")
    assert (record.status_code, record.request.path) == (500, "/ws/default")
    assert record.getMessage() == (
        f"Handler failed route='default' connection_id={ws.connection_id!r} request_id='request1='"
    )
    text = logging.Formatter().format(record)
    assert "LookupError: the handler's own text" in text
    assert f"in {action}\n" in text


def test_the_log_line_of_an_event_stays_one_line(ws, caplog):
    ask(ws, FAIL, Requestid="a\nforged")
    (record,) = errors(caplog)
    assert "\n" not in record.getMessage()


@each_handler
def test_got_request_exception_is_sent(ws, failures, action):
    ask(ws, {"action": action})
    assert [request.path for request in failures] == ["/ws/default"]


def test_a_refusal_is_no_failure(websocket, mount, failures, caplog):
    class PoliteView(TellingView):
        def refuse(self, request, *args, **kwargs):
            raise RequestRefused("Not now")

    ws = websocket(mount(PoliteView))
    assert answered(ask(ws, {"action": "refuse"})) == (400, b"Not now")
    assert (failures, errors(caplog), ws.received) == ([], [], [])


# handler_failed


@each_handler
def test_handler_failed_tells_the_client(websocket, mount, action):
    ws = websocket(mount(TellingView))
    assert answered(ask(ws, {"action": action})) == FAILED
    assert ws.received == [{"error": "LookupError"}]


def test_handler_failed_is_not_called_for_a_handler_that_works(websocket, mount):
    ws = websocket(mount(TellingView))
    ask(ws, {"action": "work"})
    assert ws.received == []


def test_handler_failed_has_no_session_to_tell_if_the_connect_failed(mount):
    found = []

    class LateView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            super().connect(request, *args, **kwargs)
            raise LookupError

        def handler_failed(self, request, error):
            found.append(self.websocket_session)

    ask(WebSocketClient(mount(LateView)), None, "connect", **HANDSHAKE)
    assert found == [False]


def test_the_exception_has_been_logged_when_handler_failed_is_called(websocket, mount, caplog):
    logged = []

    class NotingView(FailingView):
        def handler_failed(self, request, error):
            logged.extend(record.exc_info[1] is error for record in errors(caplog))

    ask(websocket(mount(NotingView)), FAIL)
    assert logged == [True]


def test_an_exception_inside_handler_failed_is_logged_and_the_answer_is_the_same(
    websocket, mount, caplog
):
    class ClumsyView(FailingView):
        def handler_failed(self, request, error):
            raise ZeroDivisionError

    ws = websocket(mount(ClumsyView))
    assert answered(ask(ws, FAIL)) == FAILED
    first, second = errors(caplog)
    assert (first.exc_info[0], second.exc_info[0]) == (LookupError, ZeroDivisionError)
    assert "handler_failed() failed itself route='default'" in second.getMessage()
    assert repr(ws.connection_id) in second.getMessage()
    assert ask(ws, {"action": "work"}).status_code == 200


# What Django answers by itself


DJANGOS = [(Http404, 404), (PermissionDenied, 403), (SuspiciousOperation, 400), (BadRequest, 400)]


@pytest.mark.parametrize(("error", "status"), DJANGOS)
@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
def test_what_django_answers_with_a_4xx_is_left_to_it(
    websocket, mount, failures, error, status, is_async
):
    class RefusingView(TellingView):
        def refuse(self, request, *args, **kwargs):
            raise error("No such room")

        async def refuse_later(self, request, *args, **kwargs):
            raise error("No such room")

    ws = websocket(mount(RefusingView))
    response = ask(ws, {"action": "refuse_later" if is_async else "refuse"})
    assert response.status_code == status
    assert b"<h1>" in response.content
    assert (failures, ws.received) == ([], [])
    assert ask(ws, {"action": "work"}).status_code == 200


# Transactions


class WritingView(TellingView):
    """Writes, and then fails."""

    def fail(self, request, *args, **kwargs):
        Group.objects.create(name="written")
        raise LookupError

    def refuse(self, request, *args, **kwargs):
        Group.objects.create(name="written")
        raise Http404

    def work(self, request, *args, **kwargs):
        Group.objects.create(name="written")

    def clash(self, request, *args, **kwargs):
        for _ in range(2):
            Group.objects.create(name="written")


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize(
    ("action", "status", "written"),
    [("fail", 500, 0), ("clash", 500, 0), ("refuse", 404, 0), ("work", 200, 1)],
)
def test_with_atomic_requests_what_a_handler_wrote_is_undone_if_it_fails(
    websocket, mount, action, status, written
):
    ws = websocket(mount(WritingView))
    assert ask(ws, {"action": action}).status_code == status
    assert Group.objects.count() == written
    assert ws.session.request_count == 1 + written
    assert ask(ws, {"action": "work"}).status_code == (200 if not written else 500)


@pytest.mark.usefixtures("atomic_requests")
def test_with_atomic_requests_a_client_is_told_of_a_transaction_that_is_broken(websocket, mount):
    ws = websocket(mount(WritingView))
    assert answered(ask(ws, {"action": "clash"})) == FAILED
    assert ws.received == [{"error": IntegrityError.__name__}]


@pytest.mark.django_db
def test_a_view_that_is_exempt_from_atomic_requests_rolls_nothing_back(
    websocket, mount, settings, monkeypatch
):
    """Also inside the transaction of somebody's TestCase, which here is that of this test."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    ws = websocket(mount(WritingView))
    exempt = transaction.non_atomic_requests(WritingView.as_view())
    settings.ROOT_URLCONF = (path("ws/<slug:route>", exempt),)
    ask(ws, FAIL)
    assert Group.objects.count() == 1


def test_without_atomic_requests_what_a_handler_wrote_stays(websocket, mount):
    ask(websocket(mount(WritingView)), FAIL)
    assert Group.objects.count() == 1
