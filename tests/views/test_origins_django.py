"""Trusted origins: a socket and Django's CSRF protection answer alike, whatever the list says."""

from __future__ import annotations

import pytest
from django.conf import settings as site_settings
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import RequestFactory

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

#: No host of the site's is among the Origins, so the list alone decides.
HOST = "site.internal"

TRUSTED = [
    "https://example.com",
    "https://*.example.com",
    "https://*.example.com:8443",
    "http://*.example.com",
    "https://example.com:443",
    "https://example.com:8443",
    "https://EXAMPLE.com",
    "https://*.EXAMPLE.com",
    "HTTPS://example.com",
    "HTTPS://*.example.com",
    "https://example.com/",
    "https://*.example.com/",
    "https://example.com/path",
    "https://*example.com",
    "https://.example.com",
    "https://**.example.com",
    "https://app.*.example.com",
    "https://*",
    "*://example.com",
    "https://*.com",
    "https://bücher.example",
    "https://xn--bcher-kva.example",
    "https://*.xn--bcher-kva.example",
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "https://[::1]:3000",
    "http://[::1]",
    "capacitor://localhost",
    "ionic://*.localhost",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://*",
    "file://",
    "wss://example.com",
    "//example.com",
    "://example.com",
]

#: As browsers and apps send them.
ORIGINS = [
    "https://example.com",
    "https://app.example.com",
    "https://a.b.example.com",
    "https://app.example.com:8443",
    "https://example.com:8443",
    "https://example.com:8444",
    "https://evilexample.com",
    "https://app.x.example.com",
    "https://com",
    "http://example.com",
    "http://app.example.com",
    "https://xn--bcher-kva.example",
    "https://www.xn--bcher-kva.example",
    "http://localhost:3000",
    "http://localhost",
    "http://127.0.0.1:3000",
    "https://[::1]:3000",
    "http://[::1]",
    "capacitor://localhost",
    "ionic://localhost",
    "ionic://app.localhost",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://0f1e2d3c",
]

#: As they do not.
ODD_ORIGINS = [
    "https://app.example.com:443",
    "https://example.com:443",
    "https://EXAMPLE.com",
    "https://APP.example.com",
    "HTTPS://example.com",
    "HTTPS://app.example.com",
    "https://example.com/",
    "https://app.example.com/",
    "https://example.com/path",
    "https://*.example.com",
    "https://.example.com",
    "http://app.example.com:80",
    "https://bücher.example".encode().decode("latin-1"),
    "http://[::1",
    "file://",
    "null",
    "wss://example.com",
    "//example.com",
    "example.com",
    "https://",
    "https://user@app.example.com",
    "https://example.com@evil.net",
    "https://evil.net/.example.com",
    "https://evil.net?.example.com",
    "https://evil.net#.example.com",
]


def django_takes(origin):
    """True if Django's protection lets a page of that Origin post to the site."""
    token = "a" * 32
    request = RequestFactory().post("/", secure=True, HTTP_HOST=HOST, HTTP_ORIGIN=origin)
    request.COOKIES[site_settings.CSRF_COOKIE_NAME] = token
    request.META["HTTP_X_CSRFTOKEN"] = token
    protection = CsrfViewMiddleware(lambda request: HttpResponse())
    protection.process_request(request)
    return protection.process_view(request, lambda request: None, (), {}) is None


def socket_takes(origin, url):
    headers = {"Origin": origin, "Host": HOST}
    answer = WebSocketClient(url, headers=headers, host=HOST).connect()
    assert answer.status_code in (200, 400)
    return answer.status_code == 200


@pytest.fixture(autouse=True)
def site(settings, websocket_outbox):
    settings.ALLOWED_HOSTS = [HOST]


def differences(takes, origins):
    """The Origins that one of the two takes, and the other does not."""
    return [origin for origin in origins if takes(origin) != django_takes(origin)]


@pytest.mark.parametrize("trusted", TRUSTED)
def test_an_entry_means_the_same_to_a_socket_as_to_django(settings, trusted):
    settings.CSRF_TRUSTED_ORIGINS = [trusted]
    assert differences(lambda origin: socket_takes(origin, "/ws/"), [*ORIGINS, *ODD_ORIGINS]) == []


@pytest.mark.parametrize("trusted", TRUSTED)
def test_an_entry_of_a_views_list_means_the_same(settings, mount, trusted):
    settings.CSRF_TRUSTED_ORIGINS = [trusted]
    url = mount(ChatView, allowed_origins=[trusted])
    assert differences(lambda origin: socket_takes(origin, url), ORIGINS) == []


def test_an_app_of_capacitor_is_let_in(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["capacitor://localhost"]
    assert socket_takes("capacitor://localhost", "/ws/")
    assert not socket_takes("capacitor://elsewhere", "/ws/")
