from __future__ import annotations

import json

import pytest
from django.test import Client

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered

URL = "wss://api.example.com/production"


def ticket_of(response):
    assert response.status_code == 200
    return response.json()["ws_token"]


def assert_is_alice(ws):
    ws.send({"action": "whoami"})
    assert ws.received == [{"you": "alice"}]


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


@pytest.mark.parametrize(("query", "joint"), [("", "?"), ("?channel=lobby", "&")])
def test_the_script_sends_the_ticket_with_the_sockets_url(project, node, query, joint):
    opened = node(
        f"openSocket({json.dumps(URL + query)}, 'token').then((socket) => "
        "console.log(JSON.stringify({url: socket.url, asked})));",
        project.files["chat/static/chat/ticket.js"],
        """
        let asked;
        globalThis.WebSocket = class { constructor(url) { this.url = url } };
        globalThis.fetch = async (url, options) => {
          asked = {url, ...options};
          return {ok: true, json: async () => ({ws_token: "abc"})};
        };
        """,
    )
    assert opened["url"] == f"{URL}{query}{joint}ws_token=abc"
    headers = {"X-CSRFToken": "token"}
    assert opened["asked"] == {"url": "/ticket/", "method": "POST", "headers": headers}
