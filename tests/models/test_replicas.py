"""Replicas that lag: rows that decide something are read from the primary."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.security.identity import Identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")


class ReplicaRouter:
    """Sends reads to a replica, which is down, so that they fail."""

    def db_for_read(self, model, **hints):
        return "replica" if model._meta.app_label.startswith("django_aws") else None

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, one, other, **hints):
        return True


@pytest.fixture
def gateway():
    return WebSocketClient("/ws/").gateway


@pytest.fixture
def site(gateway, settings, websocket_outbox, alice):
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    settings.DATABASE_ROUTERS = [f"{__name__}.{ReplicaRouter.__name__}"]
    return WebSocketClient("/ws/", gateway=gateway, ticket=ticket)


def session_of(ws):
    return WebSocketSession.objects.using("default").get(connection_id=ws.connection_id)


def test_the_replica_of_this_test_is_asked_by_default(site):
    with pytest.raises(Exception, match="replica"):
        WebSocketSession.objects.count()


def test_a_connection_lives_without_the_replica(site):
    assert answered(site.connect()) == WELCOME
    assert answered(site.connect()) == WELCOME  # AWS may repeat it
    assert site.send({"action": "whoami"}).json() == {"user": "alice"}
    assert answered(site.disconnect()) == WELCOME
    assert not session_of(site).connected


def test_a_ticket_is_found_and_given_back_without_the_replica(site, mount):
    from tests.chat import ChatView

    mount(ChatView, permissions_required=["auth.view_user"])
    assert site.connect().status_code == 403
    mount(ChatView)
    assert answered(site.connect()) == WELCOME


def test_connections_are_closed_without_the_replica(site, alice, commit):
    site.connect()
    with commit():
        alice.is_active = False
        alice.save()
    assert site.is_closed
    assert not session_of(site).connected
