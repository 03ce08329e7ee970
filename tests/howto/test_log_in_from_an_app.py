from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered


def ask_for_ticket(authorization=None):
    headers = {"Authorization": authorization} if authorization else {}
    return Client(enforce_csrf_checks=True).post("/app/ticket/", headers=headers)


def token_of(user):
    return f"Bearer {signing.dumps(user.pk, salt='app')}"


@pytest.fixture
def app(project, connect, alice):
    """A connection of alice's app."""
    response = ask_for_ticket(token_of(alice))
    assert response.status_code == 200
    assert set(response.json()) == {"ws_token", "token", "expires_in"}
    return connect(ticket=response.json()["ws_token"], headers={"Origin": None})


def test_an_app_is_known_by_its_token(app):
    app.send({"action": "whoami"})
    assert app.received == [{"you": "alice"}]


@pytest.mark.parametrize("authorization", [None, "Bearer stolen"])
def test_an_app_without_a_token_gets_no_ticket(project, db, authorization):
    response = ask_for_ticket(authorization)
    assert (response.status_code, response.json()) == (403, {"error": "Log in first"})


def test_an_app_without_a_ticket_does_not_connect(project, websocket_outbox, db):
    refused = WebSocketClient("/ws/", headers={"Origin": None}).connect()
    assert answered(refused) == (403, b"Log in first")


def test_a_logout_in_a_browser_leaves_the_app_alone_and_a_new_password_does_not(
    app, client, commit, alice
):
    client.force_login(alice)
    with commit():
        client.logout()
    assert not app.is_closed
    with commit():
        alice.set_password("new")
        alice.save()
    assert app.is_closed


def test_who_takes_the_token_back_closes_the_connections(project, app, commit, alice):
    with commit():
        project.app.tokens.close_connections(alice)
    assert app.is_closed
