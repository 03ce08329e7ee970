"""The secret header of API Gateway gets into no log, no error report and no handler's hands."""

from __future__ import annotations

import logging
import sys

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import OperationalError, connection
from django.test import AsyncClient, Client
from django.urls import path
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketTicket
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, event_headers, post

pytestmark = pytest.mark.django_db


def shown(request):
    """What is to be read in a request."""
    scope = getattr(request, "scope", None)
    return f"{request!r} {request.META} {dict(request.headers)} {scope}"


class ShowingView(WebSocketView):
    """Notes what its handlers see of the request."""

    seen: list = []

    def work(self, request, *args, **kwargs):
        self.seen.append(shown(request))
        self.seen.append(repr(request.headers.get(proof.HEADER)))

    def fail(self, request, *args, **kwargs):
        raise LookupError

    def suspect(self, request, *args, **kwargs):
        raise SuspiciousOperation


class FailingView(WebSocketView):
    """Fails when the session has been made, so that the ticket is given back."""

    def connect(self, request, *args, **kwargs):
        super().connect(request, *args, **kwargs)
        raise LookupError(shown(request), request.GET, request.build_absolute_uri())


@pytest.fixture
def ws(websocket, mount, monkeypatch):
    monkeypatch.setattr(ShowingView, "seen", [])
    return websocket(mount(ShowingView))


@pytest.fixture
def secret(ws):
    return proof.value_for(ws.gateway)


def ask(ws, action, **options):
    body = b'{"action": "%s"}' % action.encode()
    return post(ws, body=body, http=Client(raise_request_exception=False), **options)


def test_a_handler_does_not_see_it(ws, secret):
    assert ask(ws, "work").status_code == 200
    everything, header = ShowingView.seen
    assert ws.connection_id in everything
    assert secret not in everything
    assert header == "None"


def reads_headers(get_response):
    """A site's own middleware, after which Django has a copy of the headers."""

    def middleware(request):
        assert request.headers[proof.HEADER]
        return get_response(request)

    return middleware


def test_a_handler_does_not_see_it_after_a_middleware_did(ws, secret, settings):
    settings.MIDDLEWARE = [f"{__name__}.reads_headers", *settings.MIDDLEWARE]
    assert ask(ws, "work").status_code == 200
    assert secret not in "".join(ShowingView.seen)


def test_a_handler_does_not_see_it_under_asgi(ws, secret):
    headers = event_headers(ws, Host=None)  # AsyncClient adds one

    async def send():
        body = b'{"action": "work"}'
        return await AsyncClient().generic("POST", "/ws/default", body, headers=headers)

    assert async_to_sync(send)().status_code == 200
    assert ws.connection_id in "".join(ShowingView.seen)
    assert secret not in "".join(ShowingView.seen)


def test_who_hears_of_the_exception_does_not_see_it(ws, secret):
    seen = []

    def receiver(request, **kwargs):
        seen.append(shown(request))

    got_request_exception.connect(receiver)
    ask(ws, "fail")
    got_request_exception.disconnect(receiver)
    (everything,) = seen
    assert ws.connection_id in everything
    assert secret not in everything


@pytest.mark.parametrize("action", ["work", "fail", "suspect", "nothing"])
def test_it_is_in_no_line_of_the_log(ws, secret, caplog, action):
    caplog.set_level(logging.DEBUG)
    ask(ws, action)
    post(ws, "connect", headers=HANDSHAKE)
    records = [logging.Formatter().format(record) for record in caplog.records]
    extras = [str(vars(record)) for record in caplog.records]
    assert ws.connection_id in "".join(extras)
    assert secret not in "".join(records + extras)


# Error reports


class Mails(AdminEmailHandler):
    """Keeps what it would send to the ADMINS, at its most talkative."""

    def __init__(self):
        super().__init__(include_html=True)
        self.setLevel(logging.ERROR)
        self.sent = []

    def send_mail(self, subject, message, *args, html_message=None, **kwargs):
        self.sent.append(f"{subject} {message} {html_message}")


@pytest.fixture
def mails():
    handler = Mails()
    logger = logging.getLogger("django")
    logger.addHandler(handler)
    yield handler.sent
    logger.removeHandler(handler)


def is_told_without(secret, ws, report):
    """True if it is a report of an event of that connection, and the secret is not in it."""
    assert "HTTP_CONNECTIONID" in report
    assert ws.connection_id in report
    return secret not in report


@pytest.mark.parametrize(("action", "status"), [("fail", 500), ("suspect", 400)])
def test_it_is_in_no_error_report_by_mail(ws, secret, mails, action, status):
    assert ask(ws, action).status_code == status
    (mail,) = mails
    assert is_told_without(secret, ws, mail)


def test_it_is_in_no_page_of_djangos_for_debugging(ws, secret, settings):
    settings.DEBUG = True
    response = ask(ws, "suspect")
    assert response.status_code == 400
    assert is_told_without(secret, ws, response.content.decode())


@pytest.mark.parametrize("many", [False, True], ids=["one", "several"])
def test_a_secret_of_ones_own_is_not_shown_among_the_settings_either(ws, settings, many):
    own = "a-secret-of-the-operators-own"
    settings.DEBUG = True
    settings.WEBSOCKETS = {"max_in_flight": 7, "source_secret": [own, "older"] if many else own}
    page = ask(ws, "suspect", headers={proof.HEADER: own}).content.decode()
    assert "max_in_flight" in page
    assert is_told_without(own, ws, page)


def test_it_is_in_no_report_that_somebody_makes_of_the_exception(ws, secret):
    reports = []

    def receiver(request, **kwargs):
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    got_request_exception.connect(receiver)
    ask(ws, "fail")
    got_request_exception.disconnect(receiver)
    (report,) = reports
    assert "LookupError" in report
    assert is_told_without(secret, ws, report)


def test_it_is_in_no_error_report_of_settings_that_cannot_be_read(ws, secret, settings, mails):
    """Those of the view's own frames that have it in a variable are in the report."""
    settings.WEBSOCKETS = "no dict"
    response = ask(ws, "work", headers={proof.HEADER: secret})
    assert answered(response) == (500, b"Internal server error")
    (mail,) = mails
    assert is_told_without(secret, ws, mail)


def fails(get_response):
    """A site's own middleware that fails before the view is reached."""

    def middleware(request):
        raise LookupError

    return middleware


@pytest.mark.parametrize("debug", [False, True])
def test_django_blanks_it_where_a_middleware_fails_before_the_view(
    ws, secret, settings, mails, debug
):
    settings.DEBUG = debug
    settings.MIDDLEWARE = [f"{__name__}.fails"]
    response = ask(ws, "work")
    assert response.status_code == 500
    (report,) = [response.content.decode()] if debug else mails
    assert "HTTP_X_WEBSOCKET_SECRET" in report
    assert is_told_without(secret, ws, report)


# The header of 4.1.0


OWN = "a-secret-of-4.1.0-in-its-header"


@pytest.fixture
def old(ws, settings):
    """The headers of an event of a gateway that 4.1.0 deployed."""
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "source_secret": OWN}
    return {proof.HEADER: None, proof.OLD_HEADER: OWN}


def test_a_handler_does_not_see_the_old_header_either(ws, old, settings):
    settings.MIDDLEWARE = [f"{__name__}.reads_old_headers", *settings.MIDDLEWARE]
    assert ask(ws, "work", headers=old).status_code == 200
    assert OWN not in "".join(ShowingView.seen)


def reads_old_headers(get_response):
    """A site's own middleware, after which Django has a copy of the headers."""

    def middleware(request):
        assert request.headers[proof.OLD_HEADER]
        return get_response(request)

    return middleware


def test_a_handler_does_not_see_the_old_header_under_asgi(ws, old):
    headers = {**event_headers(ws, Host=None), proof.HEADER: OWN, proof.OLD_HEADER: OWN}

    async def send():
        body = b'{"action": "work"}'
        return await AsyncClient().generic("POST", "/ws/default", body, headers=headers)

    assert async_to_sync(send)().status_code == 200
    assert OWN not in "".join(ShowingView.seen)


@pytest.mark.parametrize("fingerprint", [None, "of an upgraded gateway"])
def test_the_old_header_is_in_no_error_report_of_settings_that_cannot_be_read(
    ws, settings, mails, fingerprint
):
    ApiGateway.objects.update(source_proof=fingerprint)
    settings.WEBSOCKETS = "no dict"
    headers = {proof.HEADER: None, proof.OLD_HEADER: OWN}
    assert ask(ws, "work", headers=headers).status_code == 500
    (mail,) = mails
    assert is_told_without(OWN, ws, mail)


@pytest.mark.parametrize(("action", "status"), [("fail", 500), ("suspect", 400)])
def test_the_old_header_is_in_no_error_report_by_mail(ws, old, mails, action, status):
    assert ask(ws, action, headers=old).status_code == status
    (mail,) = mails
    assert is_told_without(OWN, ws, mail)


def test_django_blanks_the_old_header_too(ws, old, settings, mails):
    settings.MIDDLEWARE = [f"{__name__}.fails"]
    assert ask(ws, "work", headers=old).status_code == 500
    (report,) = mails
    assert "HTTP_X_WS_GATEWAY_SECRET" in report
    assert is_told_without(OWN, ws, report)


# Tickets


@pytest.fixture(params=["RAW_URI", "REQUEST_URI"])
def refused(request, mount, alice):
    """A connection by ticket that fails when its session is made, and the ticket."""
    ticket = WebSocketTicket.objects.issue_for(alice)
    browser = Client(raise_request_exception=False)
    browser.defaults[request.param] = f"/ws/connect?channel=a&ws_token={ticket}"
    ws = WebSocketClient(mount(FailingView), ticket=ticket, channel="a", browser=browser)
    return ws, ticket


def test_a_ticket_is_in_no_error_report_by_mail(refused, mails):
    ws, ticket = refused
    assert ws.connect().status_code == 500
    (mail,) = mails
    assert "channel=a" in mail
    assert is_told_without(ticket, ws, mail)


def test_a_ticket_is_in_no_error_report_of_a_database_that_fails(refused, mails):
    ws, ticket = refused

    def refuse(execute, sql, *arguments):
        if "websocketticket" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        assert ws.connect().status_code == 500
    (mail,) = mails
    assert is_told_without(ticket, ws, mail)


def test_a_handler_does_not_see_a_ticket_under_asgi(mount, alice):
    ticket = WebSocketTicket.objects.issue_for(alice)
    ws = WebSocketClient(mount(FailingView), ticket=ticket)
    seen = []

    def receiver(request, **kwargs):
        seen.append(f"{shown(request)} {request.GET} {request.build_absolute_uri()}")

    async def send():
        client = AsyncClient(raise_request_exception=False)
        headers = {**event_headers(ws, Host=None), **HANDSHAKE, "Content-Length": "0"}
        url = f"/ws/connect?channel=a&ws%5Ftoken={ticket}"
        return await client.generic("POST", url, headers=headers)

    got_request_exception.connect(receiver)
    response = async_to_sync(send)()
    got_request_exception.disconnect(receiver)
    assert response.status_code == 500
    (everything,) = seen
    assert "channel=a" in everything
    assert ticket not in everything


# What strangers choose


def longest_of_ours(caplog):
    """The length of our longest line. Django logs the URL besides."""
    ours = [line for line in caplog.records if line.name.startswith("django_aws")]
    return max(len(line.getMessage()) for line in ours)


@pytest.mark.parametrize("name", ["Connectionid", "requestId"])
def test_a_stranger_writes_no_long_lines(ws, caplog, name):
    post(ws, headers={name: "\x80" * 7000, proof.HEADER: None})
    assert 0 < longest_of_ours(caplog) < 1000


def test_a_stranger_names_no_long_route(ws, caplog, settings):
    settings.ROOT_URLCONF = (path("ws/<path:route>", ShowingView.as_view()),)
    post(ws, "x" * 7000, headers={proof.HEADER: None})
    assert 0 < longest_of_ours(caplog) < 1000
