from __future__ import annotations

import pytest
from django.test import Client

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered

TICKET_URL = "https://www.example.com/ticket/"


def ticket_of(response):
    assert response.status_code == 200
    return response.json()["ws_token"]


def assert_is_alice(ws):
    assert ws.send({"action": "whoami"}).json() == {"you": "alice"}


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


def test_the_page_asks_for_a_ticket_and_shows_who_is_logged_in(connect, client, script, alice):
    client.force_login(alice)
    gateway = connect(ticket=ticket_of(client.post("/ticket/"))).gateway
    asked, url, said, name = script(
        client.get("/").content.decode(),
        """
        await last().accept();
        const [{ action, ref }] = last().said;
        await last().bring({ ref, reply: { you: "alice" } });
        return [asked, last().url, action, find("name").textContent];
        """,
    )
    assert [request["url"] for request in asked] == ["/ticket/"]
    assert url == f"{gateway.socket_url}?ws_token=abc"
    assert (said, name) == ("whoami", "alice")


def test_the_page_is_for_those_who_can_get_a_ticket(project, client):
    assert client.get("/").status_code == 302


@pytest.fixture
def _origins(project, settings):
    for name, value in project.run("log-in-origins").items():
        if name.isupper():
            setattr(settings, name, value)


ORIGIN = {"Origin": "https://app.example.com"}


def test_a_page_of_another_host_is_refused_at_first(project, client, websocket_outbox, alice):
    client.force_login(alice)
    ticket = ticket_of(client.post("/ticket/"))
    refused = WebSocketClient("/ws/", ticket=ticket, headers=ORIGIN).connect()
    assert answered(refused) == (400, b"Host is not in Origin")


@pytest.mark.usefixtures("_origins")
def test_a_page_of_another_host_asks_with_its_cookies(project, connect, script, settings, alice):
    settings.ALLOWED_HOSTS = ["www.example.com", "testserver"]
    asked, url = script(
        project.files["app/room.js"],
        """
        return [asked, last().url];
        """,
        cookie="csrftoken=" + "t" * 32,
    )
    (request,) = asked
    assert url == "wss://ws.example.com?ws_token=abc"
    assert (request["url"], request["credentials"]) == (TICKET_URL, "include")
    page = Client(enforce_csrf_checks=True)
    page.force_login(alice)
    page.cookies[settings.CSRF_COOKIE_NAME] = "t" * 32
    headers = {**request["headers"], **ORIGIN, "Host": "www.example.com"}
    answer = page.post("/ticket/", secure=True, headers=headers)
    assert page.post("/ticket/", secure=True, headers=ORIGIN).status_code == 403
    assert_is_alice(connect(ticket=ticket_of(answer), headers=ORIGIN))
