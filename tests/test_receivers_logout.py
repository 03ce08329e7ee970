"""Receivers of a logout: they close the login's connections and delete its tickets."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import pytest
from django.contrib.auth.signals import user_logged_out
from django.contrib.auth.views import LogoutView
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.factories import make_created_gateway

pytestmark = pytest.mark.django_db

WHOAMI = {"action": "whoami"}
WELCOME = (200, b"{}")
CONNECTION_UNKNOWN = (400, b"Unknown connection")
TICKET_INVALID = (403, b"The ticket is not valid")


def remember(request):
    """Gives a guest a session."""
    request.session["basket"] = "full"
    return HttpResponse()


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = (
        path("ws/<slug:route>", ChatView.as_view()),
        path("ticket/", WebSocketTokenView.as_view()),
        path("logout/", LogoutView.as_view(next_page="/")),
        path("remember/", remember),
    )


@pytest.fixture
def log_out(commit):
    """``log_out(browser)`` posts to Django's own view, and the transaction is committed."""

    def post(browser):
        with commit():
            assert browser.post("/logout/").status_code == 302

    return post


@pytest.fixture(params=["db", "file", "signed_cookies"])
def session_engine(request, settings, tmp_path):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    return request.param


def logged_in(user):
    browser = Client()
    browser.force_login(user)
    return browser


def returning_guest():
    browser = Client()
    browser.get("/remember/")
    return browser


def open_ones(*sockets):
    """Which of these are open; the row and AWS have to agree."""
    for ws in sockets:
        assert ws.session.connected is not ws.is_closed
    return [ws for ws in sockets if not ws.is_closed]


def connect_with(ticket):
    return answered(WebSocketClient("/ws/", ticket=ticket).connect())


def test_a_logout_closes_the_connections_of_that_login_alone(websocket, log_out, alice, bob):
    phone = logged_in(alice)
    ending = [websocket("/ws/", browser=phone), websocket("/ws/", browser=phone)]
    others = [websocket("/ws/", user=user) for user in (alice, bob, None)]
    log_out(phone)
    assert open_ones(*ending, *others) == others
    assert answered(ending[0].send(WHOAMI)) == CONNECTION_UNKNOWN
    assert [ws.send(WHOAMI).json()["user"] for ws in others] == ["alice", "bob", ""]


def test_a_logout_closes_what_the_session_engine_can_tell(
    websocket, session_engine, log_out, alice, bob
):
    here, elsewhere, his = (websocket("/ws/", user=user) for user in (alice, alice, bob))
    log_out(here.browser)
    # Signed cookies have no key, so that one login cannot be told from another.
    others = [his] if session_engine == "signed_cookies" else [elsewhere, his]
    assert open_ones(here, elsewhere, his) == others


def test_a_guests_connection_closes_with_the_guests_session(
    websocket, session_engine, log_out, alice
):
    guest = returning_guest()
    ws = websocket("/ws/", browser=guest)
    others = [websocket("/ws/", user=user) for user in (alice, None)]
    others.append(websocket("/ws/", browser=returning_guest()))
    log_out(guest)
    left = [ws, *others] if session_engine == "signed_cookies" else others
    assert open_ones(ws, *others) == left


def test_a_logout_of_a_guest_without_a_session_closes_nothing(websocket, log_out, alice):
    sockets = [websocket("/ws/", user=alice), websocket("/ws/")]
    log_out(Client())
    assert open_ones(*sockets) == sockets


def test_a_connection_that_has_ended_is_not_closed_again(
    websocket, websocket_outbox, log_out, alice
):
    ws = websocket("/ws/", user=alice)
    ws.disconnect()
    log_out(ws.browser)
    assert websocket_outbox.closed == []


@pytest.mark.parametrize("has_request", [False, True])
def test_a_logout_that_knows_no_session_closes_all_that_its_user_has(
    websocket, commit, rf, alice, bob, has_request
):
    """A library for tokens sends such a signal."""
    hers = [websocket("/ws/", user=alice), websocket("/ws/", user=alice)]
    others = [websocket("/ws/", user=bob), websocket("/ws/")]
    request = rf.post("/") if has_request else None
    with commit():
        user_logged_out.send(type(alice), request=request, user=alice)
    assert open_ones(*hers, *others) == others


def test_nothing_is_closed_before_the_commit(websocket, commit, alice):
    ws = websocket("/ws/", user=alice)
    with commit():
        ws.browser.post("/logout/")
        assert not ws.is_closed
    assert ws.is_closed


# Tickets


def test_a_logout_takes_back_the_tickets_of_that_login_alone(log_out, alice):
    phone, desk = logged_in(alice), logged_in(alice)
    tickets = [browser.post("/ticket/").json()["ws_token"] for browser in (phone, desk)]
    log_out(phone)
    assert [connect_with(ticket) for ticket in tickets] == [TICKET_INVALID, WELCOME]


def test_with_signed_cookies_a_logout_takes_back_all_tickets_of_its_user(
    settings, log_out, alice, bob
):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    browsers = [logged_in(alice), logged_in(alice), logged_in(bob)]
    tickets = [browser.post("/ticket/").json()["ws_token"] for browser in browsers]
    log_out(browsers[0])
    answers = [connect_with(ticket) for ticket in tickets]
    assert answers == [TICKET_INVALID, TICKET_INVALID, WELCOME]


def test_a_connection_by_ticket_closes_with_the_login_that_asked_for_it(websocket, log_out, alice):
    phone, desk = logged_in(alice), logged_in(alice)
    by_ticket, other = (
        websocket("/ws/", ticket=browser.post("/ticket/").json()["ws_token"])
        for browser in (phone, desk)
    )
    log_out(phone)
    assert open_ones(by_ticket, other) == [other]


# AWS


def test_a_connection_that_ends_is_deleted_at_aws(edge, log_out, alice):
    ws = WebSocketClient("/ws/", user=alice, connection_id="JC1dgf9yoAMCK-g=")
    ws.connect()
    log_out(ws.browser)
    (request,) = edge.requests
    expected = ("DELETE", "/production/@connections/JC1dgf9yoAMCK-g%3D")
    assert (request.method, request.path) == expected


@pytest.mark.django_db(transaction=True)
def test_an_aws_that_refuses_does_not_break_the_logout(edge, caplog, alice):
    edge.when("DELETE", 403, error_type="ForbiddenException")
    ws = WebSocketClient("/ws/", user=alice)
    ws.connect()
    assert ws.browser.post("/logout/").status_code == 302
    assert ws.browser.cookies["sessionid"].value == ""
    assert f"Not reached connection_id={ws.connection_id} reason=ForbiddenException" in caplog.text
    assert not ws.session.connected
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


@pytest.mark.django_db(transaction=True)
def test_settings_that_are_wrong_do_not_break_the_logout(websocket, settings, caplog, alice):
    ws = websocket("/ws/", user=alice, gateway=make_created_gateway(api_endpoint=""))
    settings.AWS_REGION_NAME = None
    with caplog.at_level(logging.WARNING):
        assert ws.browser.post("/logout/").status_code == 302
    assert "No AWS region is known" in caplog.text
    assert not ws.session.connected
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


@pytest.mark.skipif(find_spec("websockets") is None, reason="The extra [local] is not installed")
def test_a_real_socket_sees_the_end_of_its_login(live_websocket, alice):
    from websockets.exceptions import ConnectionClosed

    phone = logged_in(alice)
    cookie = {"Cookie": f"sessionid={phone.cookies['sessionid'].value}"}
    ending, other = live_websocket("/ws/", headers=cookie), live_websocket("/ws/", user=alice)
    phone.post("/logout/")
    with pytest.raises(ConnectionClosed) as closed:
        ending.receive()
    assert closed.value.rcvd.code == 1000
    other.send({"action": "chat", "text": "still here"})
    assert other.receive() == {"text": "still here"}
    rows = WebSocketSession.objects.order_by("pk")
    assert list(rows.values_list("connected", flat=True)) == [False, True]
