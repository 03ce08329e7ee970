"""A ticket opens one connection, in time, for the login that asked for it."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import RequestRefused
from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.models.tickets import DELETED_AT_ONCE
from django_aws_api_gateway_websockets.security import identity
from django_aws_api_gateway_websockets.security.digests import digest
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.aws_requests import answered
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

WHOAMI = {"action": "whoami"}
WELCOME = (200, b"{}")
INVALID = (403, b"The ticket is not valid")
LOG_IN_AGAIN = (403, b"Log in again")


@pytest.fixture
def site(settings):
    """``site(view)`` mounts a view beside the one that gives tickets."""

    def mount(view=ChatView, **initkwargs):
        settings.ROOT_URLCONF = (
            path("ws/<slug:route>", view.as_view(**initkwargs)),
            path("ticket/", WebSocketTokenView.as_view()),
        )

    mount()
    return mount


@pytest.fixture
def ticket_of(site):
    """``ticket_of(user)``: what a page of the user's, in a browser of its own, is given."""

    def ask(user, browser=None):
        browser = browser or Client()
        browser.force_login(user)
        return browser.post("/ticket/").json()["ws_token"]

    return ask


def client(ticket, **options):
    """A page that has the ticket and no cookies."""
    return WebSocketClient("/ws/", ticket=ticket, **options)


def connect(ticket, **options):
    return answered(client(ticket, **options).connect())


# Its login


def test_a_ticket_opens_a_connection_of_its_login_without_any_cookie(ticket_of, alice):
    browser = Client()
    ws = client(ticket_of(alice, browser))
    assert answered(ws.connect()) == WELCOME
    assert ws.send(WHOAMI).json() == {"user": "alice"}
    session = ws.session
    assert session.user == alice
    assert session.login == digest(browser.session.session_key)
    assert [session.auth_hash] == identity.auth_hashes(alice)


def test_a_connection_by_ticket_ends_with_the_password_as_one_by_cookie_does(ticket_of, alice):
    ws = client(ticket_of(alice))
    ws.connect()
    type(alice).objects.update(password=make_password("new"))
    assert answered(ws.send(WHOAMI)) == LOG_IN_AGAIN


@pytest.mark.parametrize(("column", "value"), [("is_active", False), ("password", "another")])
def test_a_ticket_is_worth_nothing_once_its_login_has_ended(ticket_of, alice, column, value):
    ticket = ticket_of(alice)
    type(alice).objects.update(**{column: value})
    assert connect(ticket) == INVALID
    assert not WebSocketSession.objects.exists()


def test_a_ticket_survives_a_new_secret_key_as_its_login_does(ticket_of, settings, alice):
    one, two = ticket_of(alice), ticket_of(alice)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert connect(one) == WELCOME
    settings.SECRET_KEY_FALLBACKS = []
    assert connect(two) == INVALID


# Once


def test_a_ticket_opens_one_connection(ticket_of, alice):
    ticket = ticket_of(alice)
    assert [connect(ticket) for _ in range(3)] == [WELCOME, INVALID, INVALID]
    assert WebSocketSession.objects.count() == 1


def test_whoever_has_a_used_ticket_learns_nothing_more_of_the_view(ticket_of, site, alice):
    ticket = ticket_of(alice)
    connect(ticket)
    site(RefusingView, fault="checks")
    assert connect(ticket) == INVALID


def test_a_repeated_connect_with_its_ticket_is_welcome(ticket_of, alice):
    ws = client(ticket_of(alice))
    assert [answered(ws.connect()) for _ in range(2)] == [WELCOME, WELCOME]
    assert WebSocketSession.objects.count() == 1
    assert connect(ws.ticket) == INVALID


def test_a_ticket_that_is_used_is_not_given_back_when_the_connection_ends(ticket_of, alice):
    ws = client(ticket_of(alice))
    ws.connect()
    ws.disconnect()
    assert connect(ws.ticket) == INVALID


class RefusingView(ChatView):
    """Refuses in the way that ``fault`` names."""

    fault = ""

    def can_join_channel(self, request, channel_name):
        return self.fault != "can_join_channel"

    def _additional_connection_checks(self, request, *args, **kwargs):
        return self.fault != "checks", "The room is full"

    def connect(self, request, *args, **kwargs):
        response = super().connect(request, *args, **kwargs)
        if self.fault == "connect answers":
            return HttpResponse(status=403)
        if self.fault in self.raised:
            raise self.raised[self.fault]
        return response

    raised = {
        "connect fails": LookupError,
        "connect denies": PermissionDenied,
        "connect refuses": RequestRefused("Not now"),
    }


#: What is wrong, of the view and of the client, and the answer's status.
REFUSALS = {
    "origin": ({}, {"headers": {"Origin": "https://evil.test"}}, 400),
    "channel": ({}, {"channel": "x" * 129}, 400),
    "permission": ({"permissions_required": ["auth.view_user"]}, {}, 403),
    "can_join_channel": ({"fault": "can_join_channel"}, {}, 403),
    "checks": ({"fault": "checks"}, {}, 400),
    "connect answers": ({"fault": "connect answers"}, {}, 403),
    "connect fails": ({"fault": "connect fails"}, {}, 500),
    "connect denies": ({"fault": "connect denies"}, {}, 403),
    "connect refuses": ({"fault": "connect refuses"}, {}, 400),
}


def is_spent_by(refusal, ticket, site):
    """Let a $connect be refused; True unless the ticket can still be used."""
    faults, wrong, status = refusal
    site(RefusingView, **faults)
    browser = Client(raise_request_exception=False)
    assert client(ticket, browser=browser, **wrong).connect().status_code == status
    assert not WebSocketSession.objects.exists()
    site()
    return connect(ticket) != WELCOME


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_ticket_is_not_spent_by_a_connect_that_is_refused(ticket_of, site, alice, refusal):
    assert not is_spent_by(refusal, ticket_of(alice), site)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["checks", "connect answers", "connect fails", "connect denies"])
def test_with_atomic_requests_it_is_not_either(ticket_of, site, alice, monkeypatch, name):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert not is_spent_by(REFUSALS[name], ticket_of(alice), site)


def test_a_connection_id_that_is_taken_spends_no_ticket(ticket_of, websocket, alice):
    held, ticket = websocket("/ws/"), ticket_of(alice)
    response = client(ticket, connection_id=held.connection_id).connect()
    assert answered(response) == (409, b"The connection exists")
    assert connect(ticket) == WELCOME


def test_a_refused_repetition_does_not_give_back_the_ticket_of_an_open_connection(
    ticket_of, site, alice
):
    ws = client(ticket_of(alice))
    ws.connect()
    site(RefusingView, fault="checks")
    assert ws.connect().status_code == 400
    assert ws.session.connected
    site()
    assert connect(ws.ticket) == INVALID


# In time


def test_a_ticket_expires(ticket_of, alice):
    ticket = ticket_of(alice)
    WebSocketTicket.objects.update(expires_on=timezone.now())
    assert connect(ticket) == INVALID


@pytest.mark.parametrize("chosen", [{}, {"ticket_lifetime": 5}])
def test_a_ticket_lives_as_long_as_the_settings_say(ticket_of, settings, alice, chosen):
    settings.WEBSOCKETS = chosen
    before = timezone.now()
    ticket_of(alice)
    lifetime = timedelta(seconds=chosen.get("ticket_lifetime", 60))
    assert before + lifetime <= WebSocketTicket.objects.get().expires_on
    assert WebSocketTicket.objects.get().expires_on <= timezone.now() + lifetime


def make_expired(user, count):
    """That many, of which every other one has been used."""
    past = timezone.now() - timedelta(seconds=1)
    WebSocketTicket.objects.bulk_create(
        WebSocketTicket(
            digest=f"expired {number}",
            user=user,
            expires_on=past,
            connection_id="JC1dgf9yoAMCK-g=" if number % 2 else None,
        )
        for number in range(count)
    )


def test_expired_tickets_go_as_new_ones_are_made_some_at_a_time(ticket_of, alice):
    make_expired(alice, 2 * DELETED_AT_ONCE + 1)
    left = []
    for _ in range(3):
        ticket_of(alice)
        left.append(WebSocketTicket.objects.filter(digest__startswith="expired").count())
    assert left == [DELETED_AT_ONCE + 1, 1, 0]


def test_what_has_not_expired_stays_used_or_not(ticket_of, alice, bob):
    used, unused = ticket_of(alice), ticket_of(bob)
    connect(used)
    make_expired(alice, 1)
    ticket_of(alice)
    assert connect(used) == INVALID  # It is refused though its row still exists.
    assert connect(unused) == WELCOME
    assert WebSocketTicket.objects.count() == 3


def test_a_new_ticket_costs_two_statements_where_none_has_expired(alice):
    with CaptureQueriesContext(connection) as captured:
        WebSocketTicket.objects.issue(identity.Identity(alice))
    assert [query["sql"].split()[0] for query in captured] == ["SELECT", "INSERT"]


# Secrets


def test_the_table_has_no_ticket_only_its_digest(ticket_of, alice):
    ticket = ticket_of(alice)
    (row,) = WebSocketTicket.objects.values()
    assert row["digest"] == digest(ticket)
    assert not any(ticket in str(value) for value in row.values())
    assert ticket not in str(WebSocketTicket.objects.get())
    assert connect(row["digest"]) == INVALID


FORGERIES = {
    "made up": lambda ticket: "x" * 43,
    "another letter case": str.swapcase,
    "a part": lambda ticket: ticket[:-1],
    "a space more": lambda ticket: f"{ticket} ",
    "a NUL more": lambda ticket: f"{ticket}\0",
    "not ASCII": lambda ticket: "☕" * 43,
    "long": lambda ticket: ticket * 2000,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_what_is_no_ticket_opens_nothing(ticket_of, alice, forge):
    assert connect(forge(ticket_of(alice))) == INVALID
    assert not WebSocketSession.objects.exists()


def test_no_ticket_gets_into_the_log(ticket_of, alice, caplog):
    caplog.set_level(logging.DEBUG)
    ticket = ticket_of(alice)
    for _ in range(2):
        connect(ticket)
    assert "TicketInvalid" in caplog.text
    assert ticket not in caplog.text
