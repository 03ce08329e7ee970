"""Receivers: a new password or a deleted account closes connections. Other saves cost little."""

from __future__ import annotations

import pytest
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import PasswordChangeView
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.security import identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.factories import fresh

pytestmark = pytest.mark.django_db

WHOAMI = {"action": "whoami"}
CONNECTION_UNKNOWN = (400, b"Unknown connection")
TICKET_INVALID = (403, b"The ticket is not valid")


@pytest.fixture
def alice(alice):
    alice.set_password("old")
    alice.save()
    return alice


@pytest.fixture
def sockets(websocket, alice, bob):
    """Two of alice's, one of bob's, one of a guest's."""
    return [websocket("/ws/", user=user) for user in (alice, alice, bob, None)]


def open_ones(*sockets):
    """Which of these are open; the row, if it is there, and AWS have to agree."""
    for ws in sockets:
        assert ws.session is None or ws.session.connected is not ws.is_closed
    return [ws for ws in sockets if not ws.is_closed]


def change_password(user):
    user.set_password("new")
    user.save()


def make_password_unusable(user):
    user.set_unusable_password()
    user.save(update_fields=["password"])


def deactivate(user):
    user.is_active = False
    user.save()


ENDS = {
    "a new password": change_password,
    "an unusable password": make_password_unusable,
    "deactivated": deactivate,
    "deleted": lambda user: user.delete(),
    "deleted by a queryset": lambda user: User.objects.filter(username="alice").delete(),
}


@pytest.fixture(params=ENDS.values(), ids=ENDS)
def end(request):
    """``end(user)`` ends all logins of alice."""
    return request.param


def test_what_ends_a_users_logins_closes_all_connections_of_that_user(sockets, commit, end, alice):
    with commit():
        end(fresh(alice))
    assert open_ones(*sockets) == sockets[2:]
    assert answered(sockets[0].send(WHOAMI)) == CONNECTION_UNKNOWN
    assert sockets[2].send(WHOAMI).json() == {"user": "bob"}


def test_what_ends_a_users_logins_ends_the_users_tickets(end, alice, bob):
    hers, his = (
        WebSocketTicket.objects.issue(identity.Identity(user, *identity.auth_hashes(user)[:1]))
        for user in (alice, bob)
    )
    end(fresh(alice))
    assert answered(WebSocketClient("/ws/", ticket=hers).connect()) == TICKET_INVALID
    assert WebSocketClient("/ws/", ticket=his).connect().status_code == 200


def test_nothing_is_closed_before_the_commit(sockets, commit, end, alice):
    with commit():
        end(fresh(alice))
        assert not any(ws.is_closed for ws in sockets)
    assert sockets[0].is_closed


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_closes_nothing(sockets, end, alice):
    with pytest.raises(LookupError), transaction.atomic():
        end(fresh(alice))
        raise LookupError
    assert open_ones(*sockets) == sockets
    assert sockets[0].send(WHOAMI).json() == {"user": "alice"}


def test_an_aws_that_refuses_does_not_keep_a_user(edge, commit, caplog, end, alice):
    edge.when("DELETE", 403, error_type="ForbiddenException")
    ws = WebSocketClient("/ws/", user=alice)
    ws.connect()
    with commit():
        end(fresh(alice))
    assert edge.lines == [f"DELETE /production/@connections/{ws.connection_id}"]
    assert f"Not reached connection_id={ws.connection_id} reason=ForbiddenException" in caplog.text
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


def test_the_sessions_of_a_deleted_user_are_deleted(sockets, commit, alice):
    with commit():
        alice.delete()
    users = WebSocketSession.objects.order_by("pk").values_list("user__username", flat=True)
    assert list(users) == ["bob", None]


def test_a_stale_object_that_saves_another_column_closes_nothing(sockets, commit, alice):
    """It still has the old password, and the row and the connections have the new one."""
    stale = fresh(alice)
    alice.set_password("new")
    User.objects.filter(pk=alice.pk).update(password=alice.password)
    ws = WebSocketClient("/ws/", user=fresh(alice))
    ws.connect()
    with commit():
        stale.save(update_fields=["first_name"])
    assert not ws.is_closed


# Who changes the password stays logged in


def change_by_form_of_ones_own(request):
    request.user.set_password("of the site's own form")
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse()


FORMS = {
    "of Django": (
        PasswordChangeView.as_view(success_url="/"),
        {"old_password": "old", "new_password1": "newer", "new_password2": "newer"},
    ),
    "of the site": (change_by_form_of_ones_own, {}),
}


@pytest.mark.parametrize(("view", "fields"), FORMS.values(), ids=FORMS)
def test_who_changes_the_password_keeps_the_login_and_opens_a_new_connection(
    websocket, sockets, settings, commit, alice, view, fields
):
    settings.ROOT_URLCONF = (
        path("password/", view),
        path("ws/<slug:route>", ChatView.as_view()),
    )
    with commit():
        sockets[0].browser.post("/password/", fields)
    assert not fresh(alice).check_password("old")
    assert open_ones(*sockets) == sockets[2:]
    here, elsewhere = (websocket("/ws/", browser=ws.browser) for ws in sockets[:2])
    assert here.send(WHOAMI).json() == {"user": "alice"}
    assert elsewhere.send(WHOAMI).json() == {"user": ""}


def test_a_connection_of_an_older_release_knows_no_password_but_ends_with_the_account(
    sockets, commit, alice
):
    WebSocketSession.objects.update(auth_hash=None, login=None)
    with commit():
        change_password(alice)
    assert open_ones(*sockets) == sockets
    with commit():
        deactivate(alice)
    assert open_ones(*sockets) == sockets[2:]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_user_who_is_saved_after_a_new_secret_key_keeps_what_the_old_one_keeps(
    sockets, settings, commit, alice, is_known
):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if is_known else ["another"]
    settings.SECRET_KEY = "new"
    with commit():
        alice.save()
    assert open_ones(*sockets) == (sockets if is_known else sockets[2:])


# What it costs where nothing ends


def verbs(act, *arguments, **options):
    """The verb of each statement that this takes."""
    with CaptureQueriesContext(connection) as captured:
        act(*arguments, **options)
    return [query["sql"].split()[0] for query in captured]


def test_a_login_elsewhere_is_no_change(sockets, alice):
    assert verbs(alice.save, update_fields=["last_login"]) == ["UPDATE"]
    with CaptureQueriesContext(connection) as captured:
        Client().force_login(alice)
    assert "websocketsession" not in str(captured.captured_queries)


def test_a_profile_that_is_saved_costs_one_select(sockets, commit, alice):
    alice.first_name = "Alice"
    with commit():
        assert verbs(alice.save) == ["UPDATE", "SAVEPOINT", "SELECT", "RELEASE"]
    assert open_ones(*sockets) == sockets


@pytest.mark.parametrize("name", ["first_name", "email"])
def test_a_column_that_ends_no_login_costs_nothing(sockets, alice, name):
    assert verbs(alice.save, update_fields=[name]) == ["UPDATE"]


def test_a_new_user_and_other_models_cost_nothing(sockets):
    assert verbs(User(username="carol").save) == ["INSERT"]
    group = Group(name="editors")
    assert verbs(group.save) == ["INSERT"]
    assert verbs(group.save) == ["UPDATE"]


def test_rows_of_other_models_are_deleted_in_one_statement_as_without_us(alice):
    """Otherwise ``clearsessions``, for example, would read every row that it deletes."""
    Client().force_login(alice)
    assert verbs(Session.objects.all().delete) == ["DELETE"]
