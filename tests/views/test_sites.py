"""The site is configured in its own way, and the view works in it, and tells nobody how."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import django
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient
from django.test.utils import isolate_apps

from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, event_headers, post
from tests.factories import make_created_gateway
from tests.site_models import APP, proxy

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


def connect(host, origin="https://example.com"):
    ws = WebSocketClient("/ws/", headers={"Host": host, "Origin": origin})
    return ws.connect()


@pytest.mark.parametrize(
    ("allowed_hosts", "host"),
    [
        (["*"], "anything.example"),
        ([".example.com"], "example.com"),
        ([".example.com"], "www.example.com"),
        (["example.com"], "example.com:8443"),
        (["example.com"], "EXAMPLE.com"),
        (["Example.COM"], "example.com"),
        ([".Example.COM"], "WWW.example.com:443"),
        (["example.com"], "example.com."),
        (["[::1]"], "[::1]:8000"),
    ],
)
def test_a_host_that_allowed_hosts_matches_is_served(settings, allowed_hosts, host):
    settings.ALLOWED_HOSTS = allowed_hosts
    settings.CSRF_TRUSTED_ORIGINS = ["https://example.com"]
    assert connect(host).status_code == 200


FOREIGN_HOSTS = ["evil.net", "example.com.evil.net", "evilexample.com", "example.com:port", "a b"]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_host_that_allowed_hosts_does_not_match_is_refused_and_nothing_printed(settings, host):
    settings.ALLOWED_HOSTS = [".example.com"]
    settings.MIDDLEWARE = []  # CommonMiddleware would refuse it itself.
    response = connect(host)
    assert (response.status_code, response.content) == (400, b"Host is not allowed")


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_djangos_own_refusal_of_a_host_prints_nothing_either(settings, host):
    settings.ALLOWED_HOSTS = [".example.com"]
    response = connect(host)
    assert response.status_code == 400
    assert b"example" not in response.content


def test_no_refusal_tells_anything_about_the_site(settings, websocket):
    settings.ALLOWED_HOSTS = ["testserver", "secret.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://secret.example"]
    gateway = make_created_gateway(domain_name="ws.secret.example", api_id="secretid")
    ws = websocket("/ws/", gateway=gateway)
    foreign = WebSocketClient("/ws/", connection_id=ws.connection_id)
    without = WebSocketClient("/ws/", headers={"Origin": None})
    elsewhere = WebSocketClient("/ws/", gateway=gateway, headers={"Origin": "https://a.net"})
    unknown = WebSocketClient("/ws/", headers={"X-Amzn-Apigateway-Api-Id": "else"})
    answers = [
        elsewhere.connect(),
        foreign.connect(),
        foreign.send({"action": "later"}),
        without.connect(),
        unknown.connect(),
        unknown.send({"action": "later"}),
        ws.send({"action": None}),
        ws.send("["),
        post(ws, headers={"X-Forwarded-For": None}),
        post(ws, headers={"Host": "b.net"}),
    ]
    for response in answers:
        assert 400 <= response.status_code < 500
        told = f"{response.content.decode()}{dict(response.items())}"
        assert "secret" not in told
        assert "testserver" not in told


def test_without_any_middleware_a_connection_lives(settings, websocket):
    settings.MIDDLEWARE = []
    ws = websocket("/ws/", channel="lobby")
    assert ws.send({"action": "whoami"}).json() == {"user": ""}
    ws.send({"action": "chat", "text": "hello"})
    assert ws.received == [{"text": "hello"}]
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


def test_without_authentication_middleware_a_connection_is_nobodys(settings, websocket, alice):
    settings.MIDDLEWARE = [
        name
        for name in settings.MIDDLEWARE
        if not name.startswith(("django.contrib.auth", "django.contrib.messages"))
    ]
    assert websocket("/ws/", user=alice).session.user is None


@pytest.mark.skipif(django.VERSION < (5, 1), reason="LoginRequiredMiddleware came with Django 5.1")
def test_login_required_middleware_lets_the_gateway_in(settings, websocket):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    ws = websocket("/ws/")
    assert ws.send({"action": "later"}).json() == {"async": True}
    assert ws.disconnect().status_code == 200


class FailingView(WebSocketView):
    def connect(self, request, *args, **kwargs):
        super().connect(request, *args, **kwargs)
        raise LookupError

    def tell(self, request, *args, **kwargs):
        return {"atomic": connection.in_atomic_block}


@pytest.mark.usefixtures("atomic_requests")
def test_with_atomic_requests_a_connection_lives(websocket, mount):
    ws = websocket("/ws/")
    assert ws.connect().status_code == 200
    mount(FailingView)
    assert ws.send({"action": "tell"}).json() == {"atomic": True}
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


@pytest.mark.usefixtures("atomic_requests")
def test_with_atomic_requests_a_refusal_is_no_error(websocket):
    ws = websocket("/ws/")
    assert ws.send({"action": None}).status_code == 400
    other = WebSocketClient("/ws/", channel="lobby", connection_id=ws.connection_id)
    assert other.connect().status_code == 409
    assert ws.session.channel_name == ""


@pytest.mark.usefixtures("atomic_requests")
def test_with_atomic_requests_a_connect_that_fails_leaves_no_session(mount):
    ws = WebSocketClient(mount(FailingView))
    with pytest.raises(LookupError):
        ws.connect()
    assert ws.session is None


def test_a_new_secret_key_drops_no_live_session(settings, websocket, alice):
    ws = websocket("/ws/", user=alice)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert ws.send({"action": "whoami"}).json() == {"user": "alice"}
    settings.SECRET_KEY_FALLBACKS = []
    assert answered(ws.send({"action": "whoami"})) == (403, b"Log in again")


@isolate_apps(APP)
def test_a_view_has_a_session_model_of_its_own(websocket, mount):
    def greeting(self):
        return f"Welcome to {self.channel_name}"

    class VisitView(WebSocketView):
        model = proxy(greeting=greeting)

        def greet(self, request, *args, **kwargs):
            return {"greeting": self.websocket_session.greeting()}

    ws = websocket(mount(VisitView), channel="lobby")
    assert ws.connect().status_code == 200
    assert ws.send({"action": "greet"}).json() == {"greeting": "Welcome to lobby"}
    assert ws.disconnect().status_code == 200


def test_a_custom_user_model_is_served():
    """In a process of its own, since a project has one user model for good."""
    run = subprocess.run(
        [sys.executable, "-m", "django", "test", "tests.custom_user"]
        + ["--settings=tests.custom_user.settings"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Ran 11 tests" in run.stderr


def test_a_view_is_served_under_asgi():
    ws = WebSocketClient("/ws/")
    event = event_headers(ws, Host=None)  # AsyncClient adds one

    async def conversation():
        client = AsyncClient()
        handshake = {**event, **HANDSHAKE, "Content-Length": "0"}
        yield await client.generic("POST", "/ws/connect", headers=handshake)
        message = b'{"action": "later"}'
        yield await client.generic("POST", "/ws/default", message, headers=event)
        yield await client.generic("POST", "/ws/default", headers=event)

    async def answers():
        return [(answer.status_code, answer.content) async for answer in conversation()]

    assert async_to_sync(answers)() == [
        (200, b"{}"),
        (200, b'{"async": true}'),
        (400, b"Some of the required headers are missing"),
    ]
    assert ws.session.request_count == 2
