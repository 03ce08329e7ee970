"""Identity: a message is accepted while the login of its connection holds."""

from __future__ import annotations

import logging

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import isolate_apps

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.security import identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import answered
from tests.factories import fresh, make_created_gateway

pytestmark = pytest.mark.django_db

WHOAMI = {"action": "whoami"}
LOGIN_ENDED = (403, b"Log in again")
CONNECTION_UNKNOWN = (400, b"Unknown connection")

#: Ways to end a login without a save() of the user, which would close the connection at once.
SILENT_ENDS = {
    "deactivated": lambda: {"is_active": False},
    "a new password": lambda: {"password": make_password("new")},
    "the same password, hashed anew": lambda: {"password": make_password("old")},
    "no password any more": lambda: {"password": make_password(None)},
}


@pytest.fixture
def alice(alice):
    alice.set_password("old")
    alice.save()
    return alice


def change_silently(user, **columns):
    assert type(user).objects.filter(pk=user.pk).update(**columns) == 1


@pytest.fixture(params=SILENT_ENDS.values(), ids=SILENT_ENDS)
def end_silently(request):
    """``end_silently(user)`` ends the user's logins without a signal."""
    return lambda user: change_silently(user, **request.param())


# The next message


def test_a_message_is_refused_when_the_login_has_ended(websocket, alice, end_silently):
    ws = websocket("/ws/", user=alice)
    assert ws.send(WHOAMI).json() == {"user": "alice"}
    end_silently(alice)
    assert answered(ws.send(WHOAMI)) == LOGIN_ENDED


def test_the_refused_connection_is_closed(
    websocket, websocket_outbox, commit, alice, end_silently
):
    ws, other = websocket("/ws/", user=alice), websocket("/ws/", user=alice)
    end_silently(alice)
    assert not ws.is_closed  # No message has shown it yet.
    with commit():
        ws.send(WHOAMI)
    assert websocket_outbox.closed == [ws.connection_id]
    assert (ws.session.connected, other.session.connected) == (False, True)
    assert answered(ws.send(WHOAMI)) == CONNECTION_UNKNOWN


def test_the_refused_connection_is_deleted_at_aws(edge, commit, alice):
    ws = WebSocketClient("/ws/", user=alice, connection_id="JC1dgf9yoAMCK-g=")
    ws.connect()
    change_silently(alice, is_active=False)
    with commit():
        assert answered(ws.send(WHOAMI)) == LOGIN_ENDED
    (request,) = edge.requests
    assert (request.method, request.path) == (
        "DELETE",
        "/production/@connections/JC1dgf9yoAMCK-g%3D",
    )


@pytest.mark.parametrize("status", [403, 410])
def test_whatever_aws_answers_the_message_is_refused_and_the_row_closed(
    edge, commit, alice, status
):
    edge.when("DELETE", status, error_type="OfTheTest")
    ws = WebSocketClient("/ws/", user=alice)
    ws.connect()
    change_silently(alice, is_active=False)
    with commit():
        assert answered(ws.send(WHOAMI)) == LOGIN_ENDED
    assert len(edge.requests) == 1
    assert not ws.session.connected


@pytest.mark.django_db(transaction=True)
def test_settings_that_are_wrong_do_not_let_the_message_through(websocket, settings, alice):
    ws = websocket("/ws/", user=alice, gateway=make_created_gateway(api_endpoint=""))
    change_silently(alice, is_active=False)
    settings.AWS_REGION_NAME = None
    assert answered(ws.send(WHOAMI)) == LOGIN_ENDED
    assert not ws.session.connected


def test_the_refused_message_reaches_no_handler_and_counts_for_nothing(websocket, alice):
    listener = websocket("/ws/", channel="lobby")
    ws = websocket("/ws/", user=alice, channel="lobby")
    change_silently(alice, is_active=False)
    ws.send({"action": "chat", "text": "hello"})
    assert (listener.received, ws.received) == ([], [])
    assert ws.session.request_count == 1


@pytest.mark.parametrize("route", ["default", "whoami", "anything"])
def test_every_route_of_messages_is_checked(websocket, alice, route):
    ws = websocket("/ws/", user=alice)
    change_silently(alice, is_active=False)
    assert answered(ws.send(WHOAMI, route=route)) == LOGIN_ENDED


def test_a_disconnect_is_heard_from_a_login_that_has_ended(websocket, alice):
    ws = websocket("/ws/", user=alice)
    change_silently(alice, is_active=False)
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


def test_the_log_says_whose_login_ended_and_the_answer_does_not(websocket, caplog, alice):
    ws = websocket("/ws/", user=alice)
    change_silently(alice, is_active=False)
    with caplog.at_level(logging.WARNING, "django_aws_api_gateway_websockets.views"):
        response = ws.send(WHOAMI)
    (line,) = [r.getMessage() for r in caplog.records if r.name.endswith(".views")]
    assert f"AccessDenied Log in again the login of user={alice.pk} ended" in line
    assert str(alice.pk).encode() not in response.content
    hashes = {alice.password, alice.get_session_auth_hash(), *identity.auth_hashes(alice)}
    assert not any(secret in line for secret in hashes)


def test_the_connections_of_others_go_on(websocket, alice, bob):
    websocket("/ws/", user=alice)
    his, guests = websocket("/ws/", user=bob), websocket("/ws/")
    change_silently(alice, is_active=False)
    assert his.send(WHOAMI).json() == {"user": "bob"}
    assert guests.send(WHOAMI).json() == {"user": ""}


def test_who_logs_in_anew_connects_anew(websocket, alice):
    websocket("/ws/", user=alice)
    change_silently(alice, password=make_password("new"))
    ws = websocket("/ws/", user=fresh(alice))
    assert ws.send(WHOAMI).json() == {"user": "alice"}


def test_a_cookie_of_a_login_that_has_ended_opens_a_guests_connection(websocket, alice):
    browser = Client()
    browser.force_login(alice)
    change_silently(alice, password=make_password("new"))
    assert websocket("/ws/", browser=browser).session.user is None


def test_a_change_that_is_none_of_the_logins_leaves_the_connection_alone(websocket, alice):
    ws = websocket("/ws/", user=alice)
    change_silently(alice, first_name="Alice", email="alice@example.com", is_staff=True)
    assert ws.send(WHOAMI).json() == {"user": "alice"}


def test_a_view_that_shows_its_handlers_another_user_vets_the_one_who_connected(
    websocket, mount, alice, bob
):
    class DisguisedView(WebSocketView):
        def _add_user_to_request(self, request):
            request.user = bob

        def whoami(self, request, *args, **kwargs):
            return {"user": request.user.get_username()}

    ws = websocket(mount(DisguisedView), user=alice)
    assert ws.send(WHOAMI).json() == {"user": "bob"}
    change_silently(alice, is_active=False)
    assert answered(ws.send(WHOAMI)) == LOGIN_ENDED


@isolate_apps("django_aws_api_gateway_websockets")
def test_a_view_with_a_session_model_of_its_own_vets_it_and_closes_it(
    websocket, mount, commit, alice
):
    class Visit(WebSocketSession):
        class Meta:
            app_label = "django_aws_api_gateway_websockets"
            proxy = True

    class VisitView(WebSocketView):
        model = Visit

    ws = websocket(mount(VisitView), user=alice)
    change_silently(alice, is_active=False)
    with commit():
        assert answered(ws.send(WHOAMI)) == LOGIN_ENDED
    assert (ws.is_closed, ws.session.connected) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_with_atomic_requests_the_refusal_is_committed(websocket, monkeypatch, alice):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    ws = websocket("/ws/", user=alice)
    change_silently(alice, is_active=False)
    assert answered(ws.send(WHOAMI)) == LOGIN_ENDED
    assert (ws.is_closed, ws.session.connected) == (True, False)


def test_what_other_gateways_send_closes_nothing(websocket, alice):
    ws = websocket("/ws/", user=alice)
    change_silently(alice, is_active=False)
    foreign = WebSocketClient(
        "/ws/", gateway=make_created_gateway(), connection_id=ws.connection_id
    )
    assert answered(foreign.send(WHOAMI)) == CONNECTION_UNKNOWN
    assert (ws.is_closed, ws.session.connected) == (False, True)


# By which login


def test_the_row_has_digests_of_the_login_and_no_secret(websocket, alice):
    browser = Client()
    session = websocket("/ws/", user=alice, browser=browser).session
    secrets = {browser.session.session_key, alice.get_session_auth_hash(), alice.password}
    stored = {str(value) for value in vars(session).values()}
    assert len(session.auth_hash) == len(session.login) == 64
    assert secrets & stored == set()
    assert not any(secret in value for secret in secrets for value in stored)


def test_a_guest_without_a_session_has_no_login(websocket):
    session = websocket("/ws/").session
    assert (session.user, session.auth_hash, session.login) == (None, None, None)


def older(ws):
    """Make a connection's row one that an older release has written."""
    WebSocketSession.objects.filter(connection_id=ws.connection_id).update(
        auth_hash=None, login=None
    )


def test_a_session_of_an_older_release_is_served(websocket, alice):
    ws = websocket("/ws/", user=alice)
    older(ws)
    change_silently(alice, password=make_password("new"))
    assert ws.send(WHOAMI).json() == {"user": "alice"}


def test_a_session_of_an_older_release_ends_with_its_users_account(websocket, alice):
    ws = websocket("/ws/", user=alice)
    older(ws)
    change_silently(alice, is_active=False)
    assert answered(ws.send(WHOAMI)) == LOGIN_ENDED


def test_a_new_secret_key_ends_no_connection_until_the_old_one_is_dropped(
    websocket, settings, alice
):
    before = websocket("/ws/", user=alice)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    after = websocket("/ws/", user=alice)
    assert before.send(WHOAMI).json() == after.send(WHOAMI).json() == {"user": "alice"}
    settings.SECRET_KEY_FALLBACKS = []
    assert answered(before.send(WHOAMI)) == LOGIN_ENDED
    assert after.send(WHOAMI).json() == {"user": "alice"}


def test_a_users_model_without_session_auth_hashes_has_none_to_compare():
    class Robot:
        is_active = True

    robot = Robot()
    assert identity.auth_hashes(robot) == []
    assert identity.still_holds(robot, None)
    robot.is_active = False
    assert not identity.still_holds(robot, None)


def test_a_backend_that_lets_inactive_users_in_gives_them_no_socket_of_their_own(settings, alice):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    change_silently(alice, is_active=False)
    ws = WebSocketClient("/ws/", user=fresh(alice))
    ws.connect()
    assert ws.session.user is None
