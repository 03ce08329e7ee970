"""Tickets in a crowd: many try one ticket at the same time, or ask for tickets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models.signals import pre_save
from django.test import Client
from django.utils import timezone

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.models.tickets import DELETED_AT_ONCE
from django_aws_api_gateway_websockets.security.digests import digest
from django_aws_api_gateway_websockets.security.identity import Identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.chat import ChatView

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="Threads share SQLite's database in memory"
    ),
]

PATIENCE = 30


def at_once(count, act):
    """What ``act(number)`` returns for each number, each in a thread with its own connection."""

    def in_thread(number):
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(in_thread, range(count)))


class BarrierView(ChatView):
    """Lets all go on when each of them has found the ticket valid."""

    barrier = None

    def _additional_connection_checks(self, request, *args, **kwargs):
        self.barrier.wait()
        return True, ""


def crowd_with(ticket, url, count):
    return [
        WebSocketClient(url, ticket=ticket, browser=Client(raise_request_exception=False))
        for _ in range(count)
    ]


@pytest.mark.parametrize("atomic_requests", [False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def test_of_50_connects_at_once_with_one_ticket_one_succeeds(
    mount, alice, monkeypatch, atomic_requests
):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic_requests)
    url = mount(BarrierView, barrier=threading.Barrier(50, timeout=PATIENCE))
    crowd = crowd_with(WebSocketTicket.objects.issue(Identity(alice)), url, 50)
    statuses = at_once(50, lambda number: crowd[number].connect().status_code)
    assert sorted(statuses) == [200] + [403] * 49
    (welcome,) = [ws for ws in crowd if ws.response.status_code == 200]
    assert WebSocketSession.objects.get().connection_id == welcome.connection_id


@pytest.mark.parametrize("atomic_requests", [False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def test_a_connect_that_comes_ten_times_at_once_keeps_its_ticket(
    mount, alice, monkeypatch, atomic_requests
):
    """AWS may repeat a $connect; each repetition may find that the session is being made."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic_requests)
    url = mount(BarrierView, barrier=threading.Barrier(10, timeout=PATIENCE))
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    crowd = crowd_with(ticket, url, 10)
    for ws in crowd:
        ws.connection_id = crowd[0].connection_id
    statuses = at_once(10, lambda number: crowd[number].connect().status_code)
    assert 200 in statuses
    assert set(statuses) <= {200, 409}
    assert crowd[0].session.connected
    mount(ChatView)
    assert WebSocketClient(url, ticket=ticket).connect().status_code == 403


def test_a_logout_during_a_connect_by_ticket_closes_what_opens(websocket_outbox, alice):
    browser = Client()
    browser.force_login(alice)
    login = Identity(alice, None, digest(browser.session.session_key))
    ws = WebSocketClient("/ws/", ticket=WebSocketTicket.objects.issue(login))
    logouts = []

    def log_out(instance, **kwargs):
        """The ticket is spent, the session not yet there."""
        logouts.append(threading.Thread(target=at_once, args=(1, lambda _: browser.logout())))
        logouts[0].start()
        logouts[0].join(1)  # It waits for the ticket's row. If it does not, it is done by then.

    pre_save.connect(log_out, sender=WebSocketSession)
    try:
        assert ws.connect().status_code == 200
    finally:
        pre_save.disconnect(log_out, sender=WebSocketSession)
    logouts[0].join(PATIENCE)
    assert ws.is_closed
    assert not ws.session.connected


class FailingOnceView(BarrierView):
    """Fails for the first one that has the ticket, while all the others wait for it."""

    failures: list = []

    def connect(self, request, *args, **kwargs):
        response = super().connect(request, *args, **kwargs)
        if not self.failures:
            self.failures.append(request)
            raise LookupError
        return response


def test_a_transaction_that_fails_leaves_its_ticket_to_the_next(mount, alice, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    FailingOnceView.failures.clear()
    url = mount(FailingOnceView, barrier=threading.Barrier(10, timeout=PATIENCE))
    crowd = crowd_with(WebSocketTicket.objects.issue(Identity(alice)), url, 10)
    statuses = at_once(10, lambda number: crowd[number].connect().status_code)
    assert sorted(statuses) == [200] + [403] * 8 + [500]


def make_expired(user, count):
    past = timezone.now() - timedelta(seconds=1)
    WebSocketTicket.objects.bulk_create(
        WebSocketTicket(digest=f"expired {number}", user=user, expires_on=past)
        for number in range(count)
    )


@pytest.fixture(params=["read committed", "repeatable read"])
def isolation(request, monkeypatch):
    """Under the second, which is InnoDB's own default, its locks are of gaps, too."""
    if connection.vendor == "mysql":
        options = connections.settings["default"]["OPTIONS"]
        monkeypatch.setitem(options, "isolation_level", request.param)
    elif request.param != "read committed":
        pytest.skip("PostgreSQL has no locks of gaps")


@pytest.mark.usefixtures("isolation")
@pytest.mark.parametrize("expired", [1, DELETED_AT_ONCE * 2])
def test_20_transactions_that_make_tickets_at_once_do_not_lock_each_other_out(alice, bob, expired):
    make_expired(alice, expired)
    barrier = threading.Barrier(20, timeout=PATIENCE)
    users = [alice, bob]

    def issue(number):
        with transaction.atomic():
            barrier.wait()
            return [WebSocketTicket.objects.issue(Identity(users[number % 2])) for _ in range(2)]

    tickets = {ticket for pair in at_once(20, issue) for ticket in pair}
    assert len(tickets) == 40
    left = WebSocketTicket.objects.filter(digest__startswith="expired").count()
    assert left <= max(0, expired - DELETED_AT_ONCE)
    opened = [WebSocketClient("/ws/", ticket=ticket).connect().status_code for ticket in tickets]
    assert opened == [200] * 40
