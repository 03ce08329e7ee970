"""What changes while a $connect is being let in is answered as what it is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    WebSocketSession,
    WebSocketTicket,
)
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.factories import make_session
from tests.models.test_database_troubles import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[False, True], ids=["", "atomic"])
def _perhaps_atomic(request):
    if request.param:
        request.getfixturevalue("atomic_requests")


@pytest.fixture
def beside(mount):
    """``beside(act)`` mounts a view that acts when the checks are over, and once only."""

    def at_ws(act):
        left = [act]

        class InterruptedView(ChatView):
            def _additional_connection_checks(self, request, *args, **kwargs):
                while left:
                    left.pop()()
                return True, ""

        return mount(InterruptedView)

    return at_ws


@pytest.mark.usefixtures("_perhaps_atomic")
@pytest.mark.parametrize("by_ticket", [False, True])
def test_a_repetition_gets_what_the_first_one_makes_at_the_same_moment(beside, alice, by_ticket):
    ticket = WebSocketTicket.objects.issue_for(alice) if by_ticket else ""
    first = WebSocketClient(beside(lambda: answers.append(first.connect())), ticket=ticket)
    answers = []
    if not by_ticket:
        first.browser.force_login(alice)
    answers.append(first.connect())
    assert [response.status_code for response in answers] == [200, 200]
    assert WebSocketSession.objects.get().user == alice


@pytest.mark.usefixtures("_perhaps_atomic")
def test_an_id_that_somebody_else_takes_at_that_moment_is_a_conflict(beside, gateway):
    ws = WebSocketClient(beside(lambda: make_session(gateway, connection_id=ws.connection_id)))
    assert answered(ws.connect()) == (409, b"The connection exists")


def test_a_gateway_that_is_deleted_at_that_moment_is_not_known(beside):
    ws = WebSocketClient(beside(lambda: ApiGateway.objects.all().delete()))
    assert answered(ws.connect()) == (400, b"Some of the required headers are missing")


def test_a_user_who_is_deleted_at_that_moment_is_refused(beside, alice):
    ws = WebSocketClient(beside(lambda: User.objects.all().delete()))
    ws.browser.force_login(alice)
    assert answered(ws.connect()) == (403, b"Log in again")
    assert not WebSocketSession.objects.exists()


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="Threads share SQLite's database in memory"
)
@pytest.mark.usefixtures("_perhaps_atomic")
def test_a_logout_that_cannot_see_the_session_yet_ends_it_nevertheless(mount, outbox, alice):
    class SlowView(ChatView):
        def connect(self, request, *args, **kwargs):
            answer = super().connect(request, *args, **kwargs)
            elsewhere(ws.browser.logout)
            return answer

    ws = WebSocketClient(mount(SlowView))
    ws.browser.force_login(alice)
    assert ws.connect().status_code == 200
    assert not ws.session.connected
