"""Which pages a view lets in by lists of its own, and which clients that are no pages."""

from __future__ import annotations

import pytest
from django.test import Client

from django_aws_api_gateway_websockets.models import WebSocketTicket
from django_aws_api_gateway_websockets.security.identity import Identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")
REFUSED = (400, b"Host is not in Origin")

LIST = [
    "https://www.example.org",
    "https://www.example.org:8443",
    "https://*.example.net",
    "https://*.example.net:8443",
    "http://plain.example.com",
    "http://localhost:3000",
    "https://[::1]:3000",
]

LISTED = [
    *("https://www.example.org", "https://WWW.Example.ORG", "https://www.example.org:443"),
    "https://www.example.org:8443",
    *("https://shop.example.net", "https://a.b.example.net", "https://example.net"),
    "https://shop.example.net:8443",
    *("http://plain.example.com", "http://plain.example.com:80"),
    *("http://localhost:3000", "https://[::1]:3000"),
]

UNLISTED = {
    "another scheme": "http://www.example.org",
    "another scheme the other way": "https://plain.example.com",
    "a socket's scheme": "wss://www.example.org",
    "another port": "https://www.example.org:9443",
    "the port of http": "https://www.example.org:80",
    "the port of a listed one": "https://plain.example.com:8443",
    "another port of a sub-domain": "https://shop.example.net:9443",
    "a port where one is listed": "http://localhost:3001",
    "no port where one is listed": "http://localhost",
    "a scheme of a sub-domain": "http://shop.example.net",
    "a sub-domain of a whole name": "https://shop.www.example.org",
    "a parent": "https://example.org",
    "the end of a name": "https://evilexample.net",
    "the beginning of a name": "https://www.example.org.evil.test",
    "the beginning of a sub-domain": "https://shop.example.net.evil.test",
    "any host": "https://*",
    "credentials": "https://www.example.org@evil.test",
    "credentials before the name": "https://evil.test@www.example.org",
    "credentials of a sub-domain": "https://evil.test:x@shop.example.net",
    "empty credentials": "https://@www.example.org",
    "a path": "https://www.example.org/",
    "a query": "https://evil.test?https://www.example.org",
    "two": "https://www.example.org, https://evil.test",
    "a trailing dot": "https://www.example.org.",
    "an opaque page": "null",
    "another site": "https://evil.test",
}


def connect(url, origin, **options):
    ws = WebSocketClient(url, headers={"Origin": origin, **options.pop("headers", {})}, **options)
    response = ws.connect()
    assert (ws.session is not None) == (response.status_code == 200)
    return answered(response)


@pytest.mark.parametrize("attribute", ["allowed_origins", "additional_origins"])
@pytest.mark.parametrize("origin", LISTED)
def test_a_page_of_the_views_list_is_welcome(mount, attribute, origin):
    assert connect(mount(ChatView, **{attribute: LIST}), origin) == WELCOME


@pytest.mark.parametrize("attribute", ["allowed_origins", "additional_origins"])
@pytest.mark.parametrize("origin", UNLISTED.values(), ids=UNLISTED)
def test_a_page_that_is_like_one_of_the_list_is_refused(mount, attribute, origin):
    assert connect(mount(ChatView, **{attribute: LIST}), origin) == REFUSED


def test_where_additional_origins_are_the_sites_own_pages_are_welcome(mount, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example.com"]
    url = mount(ChatView, additional_origins=LIST)
    assert connect(url, "https://testserver") == WELCOME
    assert connect(url, "https://trusted.example.com") == WELCOME


@pytest.mark.parametrize("allowed", [LIST, []], ids=["a list", "an empty list"])
def test_where_allowed_origins_are_the_sites_own_pages_are_not(mount, settings, allowed):
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example.com"]
    url = mount(ChatView, allowed_origins=allowed)
    assert connect(url, "https://testserver") == REFUSED
    assert connect(url, "https://trusted.example.com") == REFUSED


def test_both_lists_count_together(mount):
    url = mount(
        ChatView,
        allowed_origins=["https://app.example.com"],
        additional_origins=["https://www.example.org"],
    )
    assert connect(url, "https://app.example.com") == WELCOME
    assert connect(url, "https://www.example.org") == WELCOME
    assert connect(url, "https://testserver") == REFUSED


NO_ORIGINS = ["null", "*", "https://*", "", "www.example.org", "//www.example.org", "file://"]


@pytest.mark.parametrize("entry", NO_ORIGINS)
@pytest.mark.parametrize("attribute", ["allowed_origins", "additional_origins"])
def test_an_entry_that_is_no_origin_lets_in_no_other_site(mount, attribute, entry):
    url = mount(ChatView, **{attribute: [entry]})
    for origin in ("null", "https://evil.test", "http://www.example.org", "file://"):
        assert connect(url, origin) == REFUSED


def test_the_log_names_the_origin_and_the_answer_does_not(mount, caplog):
    response = WebSocketClient("/ws/", headers={"Origin": "https://evil.test"}).connect()
    assert "origin='https://evil.test'" in caplog.text
    assert b"evil" not in response.content


# Clients that send none


@pytest.mark.parametrize("origin", [None, ""], ids=["absent", "empty"])
def test_a_client_without_origin_is_refused_unless_the_view_lets_it_in(mount, origin):
    assert connect("/ws/", origin) == (400, b"Missing 1 headers")
    assert connect(mount(ChatView, allow_missing_origin=True), origin) == WELCOME


@pytest.mark.parametrize("allowed", [None, [], LIST], ids=["the site's", "none", "a list"])
def test_it_is_let_in_whatever_pages_are(mount, allowed):
    url = mount(ChatView, allow_missing_origin=True, allowed_origins=allowed)
    assert connect(url, None) == WELCOME


@pytest.mark.parametrize("origin", ["https://evil.test", "null", " ", "none"])
def test_who_says_an_origin_is_asked_for_a_right_one(mount, origin):
    assert connect(mount(ChatView, allow_missing_origin=True), origin) == REFUSED


def test_the_other_headers_of_the_handshake_are_still_asked_for(mount):
    url = mount(ChatView, allow_missing_origin=True)
    without_key = {"Sec-WebSocket-Key": None}
    assert connect(url, None, headers=without_key) == (400, b"Missing 1 headers")


def test_a_client_without_origin_is_known_by_its_ticket(mount, alice):
    url = mount(ChatView, allow_missing_origin=True, allow_anonymous=False)
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    assert connect(url, None, ticket=ticket) == WELCOME
    assert connect(url, None) == (403, b"Log in first")


@pytest.mark.parametrize("authentication", ["either", "ticket", "cookie"])
def test_a_client_without_origin_that_has_a_session_cookie_is_refused(
    mount, alice, authentication
):
    url = mount(ChatView, allow_missing_origin=True, authentication=authentication)
    assert connect(url, None, user=alice) == REFUSED
    assert connect(url, "https://testserver", user=alice) == WELCOME


def with_cookie(name, value="anything"):
    browser = Client()
    browser.cookies[name] = value
    return browser


@pytest.mark.parametrize("value", ["anything", ""])
def test_so_is_one_whose_session_cookie_is_worth_nothing(mount, value):
    url = mount(ChatView, allow_missing_origin=True)
    assert connect(url, None, browser=with_cookie("sessionid", value)) == REFUSED


def test_the_session_cookie_is_what_the_site_calls_so(mount, settings):
    settings.SESSION_COOKIE_NAME = "mysession"
    url = mount(ChatView, allow_missing_origin=True)
    assert connect(url, None, browser=with_cookie("mysession")) == REFUSED
    assert connect(url, None, browser=with_cookie("sessionid")) == WELCOME
