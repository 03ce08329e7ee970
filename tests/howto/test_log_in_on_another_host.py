from __future__ import annotations

import json
import re

from django.template.loader import render_to_string
from django.test import Client

from django_aws_api_gateway_websockets.testing import WebSocketClient, make_gateway
from tests.aws_requests import answered


def ticket_of(response):
    assert response.status_code == 200
    return response.json()["ws_token"]


def assert_is_alice(ws):
    ws.send({"action": "whoami", "ref": 1})
    assert ws.received == [{"ref": 1, "reply": {"you": "alice"}}]


def test_a_ticket_carries_the_login_over_once(project, connect, client, alice):
    client.force_login(alice)
    ticket = ticket_of(client.post("/ticket/"))
    assert_is_alice(connect(ticket=ticket))
    again = WebSocketClient("/ws/", ticket=ticket).connect()
    assert answered(again) == (403, b"The ticket is not valid")


def test_a_cookie_is_not_looked_at(project, websocket_outbox, alice):
    assert answered(WebSocketClient("/ws/", user=alice).connect()) == (403, b"Log in first")


def test_a_guest_gets_no_ticket_nor_does_who_has_no_csrf_token(project, client, alice):
    assert client.post("/ticket/").status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post("/ticket/").status_code == 403


def test_a_page_of_another_site_is_let_in_by_name(project, connect, client, settings, alice):
    origin = {"Origin": "https://app.example.com"}
    client.force_login(alice)
    ticket = ticket_of(client.post("/ticket/"))
    refused = WebSocketClient("/ws/", ticket=ticket, headers=origin).connect()
    assert answered(refused) == (400, b"Host is not in Origin")
    settings.CSRF_TRUSTED_ORIGINS = project.run("log-in-origins")["CSRF_TRUSTED_ORIGINS"]
    assert_is_alice(connect(ticket=ticket, headers=origin))


def test_the_page_tells_the_client_where_tickets_are(project, websocket_outbox, rf, alice):
    make_gateway()
    request = rf.get("/")
    request.user = alice
    html = render_to_string("chat/room.html", request=request)
    data = re.search(r'id="websocket" type="application/json">(.*)</script>', html)[1]
    assert json.loads(data)["ticketUrl"] == "/ticket/"
