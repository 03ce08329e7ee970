"""The admin's action that closes connections."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from django_aws_api_gateway_websockets.testing import outbox
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db

PAGES = "admin:django_aws_api_gateway_websockets_websocketsession"
SESSIONS = reverse(f"{PAGES}_changelist")


def close(client, *sessions):
    """Choose the action for these sessions; the page that follows."""
    data = {"action": "close_connections", "_selected_action": [s.pk for s in sessions]}
    return client.post(SESSIONS, data, follow=True)


def said(response):
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def test_chosen_connections_are_closed_and_their_fate_is_told(admin_client, websocket):
    one, other, gone = (websocket("/ws/") for _ in range(3))
    outbox.gone.add(gone.connection_id)
    response = close(admin_client, one.session, gone.session)
    assert said(response) == [("success", "1 closed, 1 were gone, 0 failed")]
    assert outbox.closed == [one.connection_id]
    assert [ws.session.connected for ws in (one, other, gone)] == [False, True, False]


def test_a_connection_that_aws_does_not_close_is_told_as_an_error(admin_client, websocket):
    ws = websocket("/ws/")
    outbox.failing[ws.connection_id] = "ForbiddenException"
    response = close(admin_client, ws.session)
    text = "0 closed, 0 were gone, 1 failed; ForbiddenException"
    assert said(response) == [("error", text)]
    assert not ws.session.connected


def test_a_missing_region_is_told(admin_client, settings):
    settings.AWS_REGION_NAME = None
    session = make_session(make_created_gateway(api_endpoint=""))
    ((level, text),) = said(close(admin_client, session))
    assert level == "error"
    assert "Set AWS_GATEWAY_REGION_NAME" in text


@pytest.mark.django_db(transaction=True)
def test_deleting_a_session_closes_its_connection(admin_client, websocket):
    one, two, three = (websocket("/ws/") for _ in range(3))
    url = reverse(f"{PAGES}_delete", args=[one.session.pk])
    admin_client.post(url, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [two.session.pk], "post": "yes"}
    admin_client.post(SESSIONS, chosen)
    assert outbox.closed == [one.connection_id, two.connection_id]
    assert [ws.session is None for ws in (one, two, three)] == [True, True, False]


def test_connections_are_closed_by_those_who_may_change_sessions(client, websocket):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_websocketsession"))
    client.force_login(user)
    ws = websocket("/ws/")
    assert "close_connections" not in client.get(SESSIONS).content.decode()
    close(client, ws.session)
    assert not ws.is_closed
    user.user_permissions.add(Permission.objects.get(codename="change_websocketsession"))
    close(client, ws.session)
    assert ws.is_closed
