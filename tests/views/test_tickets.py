"""How a page comes by a ticket, and how a view knows whose a $connect is."""

from __future__ import annotations

from secrets import token_urlsafe

import django
import pytest
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.aws_requests import answered
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

INVALID = (403, b"The ticket is not valid")
LOG_IN_FIRST = (403, b"Log in first")


class WatchedView(ChatView):
    """Tells whom ``connect`` and a handler see."""

    seen: list = []

    def connect(self, request, *args, **kwargs):
        self.seen.append(request.user.get_username())
        return super().connect(request, *args, **kwargs)


@pytest.fixture
def site(settings):
    """``site(authentication=...)`` mounts the view anew."""

    def mount(**initkwargs):
        settings.ROOT_URLCONF = (
            path("ws/<slug:route>", WatchedView.as_view(**initkwargs)),
            path("ticket/", WebSocketTokenView.as_view()),
        )

    WatchedView.seen.clear()
    mount()
    return mount


@pytest.fixture
def browser(site, alice):
    """Alice's, which checks CSRF tokens as no test client does by itself."""
    logged_in = Client(enforce_csrf_checks=True)
    logged_in.force_login(alice)
    return logged_in


def ask(browser, **headers):
    """A POST of the page's script."""
    token = "x" * 32
    browser.cookies["csrftoken"] = token
    return browser.post("/ticket/", headers={"X-CSRFToken": token, **headers})


def is_denied(response):
    """True if the answer is the 403 that a script understands."""
    assert response["Content-Type"] == "application/json"
    return (response.status_code, response.json()) == (403, {"error": "Log in first"})


# Asking for one


@pytest.mark.parametrize("lifetime", [60, 5])
def test_a_user_is_given_a_ticket_and_told_how_long_it_lasts(browser, settings, lifetime):
    settings.WEBSOCKETS = {"ticket_lifetime": lifetime}
    response = ask(browser)
    answer = response.json()
    assert (response.status_code, sorted(answer)) == (200, ["expires_in", "token", "ws_token"])
    assert answer["expires_in"] == lifetime
    assert WebSocketClient("/ws/", ticket=answer["ws_token"]).connect().status_code == 200


def test_a_page_of_a_later_release_reads_the_ticket_by_its_old_name(browser):
    answer = ask(browser).json()
    assert answer["token"] == answer["ws_token"]
    assert WebSocketClient("/ws/", ticket=answer["token"]).connect().status_code == 200


def test_each_ticket_is_another(browser):
    tickets = {ask(browser).json()["ws_token"] for _ in range(10)}
    assert len(tickets) == WebSocketTicket.objects.count() == 10
    assert {len(ticket) for ticket in tickets} == {43}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
def test_a_ticket_is_given_to_a_post_alone(browser, method):
    token = "x" * 32
    browser.cookies["csrftoken"] = token
    response = browser.generic(method, "/ticket/", headers={"X-CSRFToken": token})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert not WebSocketTicket.objects.exists()


@pytest.mark.parametrize("has_middleware", [True, False])
def test_a_post_without_a_csrf_token_is_refused(browser, settings, has_middleware):
    if not has_middleware:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csrf" not in name.lower()]
    assert browser.post("/ticket/").status_code == 403
    assert not WebSocketTicket.objects.exists()
    assert ask(browser).status_code == 200


def test_a_post_from_another_sites_page_is_refused(browser):
    assert ask(browser, Origin="https://evil.test").status_code == 403
    assert not WebSocketTicket.objects.exists()


def test_no_answer_is_kept_by_a_cache(browser):
    for response in (ask(browser), ask(Client(enforce_csrf_checks=True))):
        assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))


def test_who_is_not_logged_in_is_told_so(site):
    assert is_denied(ask(Client(enforce_csrf_checks=True)))
    assert not WebSocketTicket.objects.exists()


def test_a_cookie_of_a_login_that_has_ended_gives_no_ticket(browser, alice):
    type(alice).objects.update(is_active=False)
    assert is_denied(ask(browser))


@pytest.mark.skipif(django.VERSION < (5, 1), reason="LoginRequiredMiddleware came with Django 5.1")
def test_login_required_middleware_does_not_send_a_script_to_a_login_page(browser, settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert is_denied(ask(Client(enforce_csrf_checks=True)))
    assert ask(browser).status_code == 200


@pytest.mark.parametrize("dropped", ["contrib.auth", "contrib"])
def test_without_the_middleware_of_logins_nobody_is_logged_in(browser, settings, dropped):
    settings.MIDDLEWARE = [
        name
        for name in settings.MIDDLEWARE
        if not name.startswith((f"django.{dropped}.", "django.contrib.messages."))
    ]
    assert is_denied(ask(browser))


# Asking too often


@pytest.fixture
def rate(settings):
    """``rate("2/m")`` sets the site's rate of tickets, and counts in a cache of its own."""

    def limit(value):
        backend = "django.core.cache.backends.locmem.LocMemCache"
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": token_urlsafe()}}
        settings.WEBSOCKETS = {"ticket_rate": value}

    return limit


def asks(times, browser):
    return [ask(browser).status_code for _ in range(times)]


@pytest.mark.parametrize("value", [None, ""])
def test_nobody_waits_for_a_ticket_unless_it_is_configured(browser, rate, value):
    rate(value)
    assert asks(30, browser) == [200] * 30


def test_who_asks_too_often_is_told_how_long_to_wait_and_gets_a_ticket_then(browser, rate, clock):
    rate("2/m")
    assert asks(3, browser) == [200, 200, 429]
    response = ask(browser)
    wait = int(response["Retry-After"])
    assert response.json() == {"error": f"Too many tickets. Try again in {wait} seconds."}
    assert "no-store" in response["Cache-Control"]
    assert WebSocketTicket.objects.count() == 2
    clock.now += wait - 1
    assert asks(1, browser) == [429]
    clock.now += 1
    assert asks(3, browser) == [200, 200, 429]


def test_a_user_is_counted_by_name_and_not_by_browser(browser, rate, clock, alice, bob):
    rate("2/m")
    another, his = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    another.force_login(alice)
    his.force_login(bob)
    assert [*asks(1, browser), *asks(2, another)] == [200, 200, 429]
    assert asks(3, his) == [200, 200, 429]


def test_tickets_are_counted_apart_from_connects_and_messages(browser, rate, clock, settings):
    rate("1/m")
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "connect_rate": "1/m", "message_rate": "1/m"}
    ws = WebSocketClient("/ws/", ticket=ask(browser).json()["ws_token"])
    assert ws.connect().status_code == 200
    assert ws.send({"action": "whoami"}).status_code == 200
    assert asks(1, browser) == [429]


def test_who_is_not_logged_in_is_not_counted(browser, rate, clock):
    rate("1/m")
    for _ in range(3):
        assert is_denied(ask(Client(enforce_csrf_checks=True)))
    assert asks(1, browser) == [200]


def test_what_is_no_rate_gives_no_ticket(browser, rate):
    rate("many")
    browser.raise_request_exception = False
    assert asks(1, browser) == [500]
    assert not WebSocketTicket.objects.exists()


# Knowing whose a $connect is


WAYS = [
    ("either", "nothing", ""),
    ("either", "cookie", "alice"),
    ("either", "ticket", "bob"),
    ("either", "both", "bob"),
    ("either", "cookie and a bad ticket", None),
    ("either", "bad ticket", None),
    ("ticket", "nothing", ""),
    ("ticket", "cookie", ""),
    ("ticket", "ticket", "bob"),
    ("ticket", "both", "bob"),
    ("ticket", "cookie and a bad ticket", None),
    ("cookie", "nothing", ""),
    ("cookie", "cookie", "alice"),
    ("cookie", "ticket", ""),
    ("cookie", "both", "alice"),
    ("cookie", "cookie and a bad ticket", "alice"),
]


@pytest.fixture
def credentials(browser, bob):
    """``credentials(name)``: alice's cookie, bob's ticket, both, or what is none."""
    his = Client()
    his.force_login(bob)
    ticket = his.post("/ticket/").json()["ws_token"]

    def named(name):
        tickets = {"ticket": ticket, "both": ticket, "nothing": "", "cookie": ""}
        has_cookie = name in {"cookie", "both", "cookie and a bad ticket"}
        return {
            "browser": browser if has_cookie else Client(),
            "ticket": tickets.get(name, "made up"),
        }

    return named


@pytest.mark.parametrize(("way", "name", "expected"), WAYS)
def test_a_view_knows_its_users_by_what_it_says(site, credentials, way, name, expected):
    ws = WebSocketClient("/ws/", **credentials(name))
    site(authentication=way)
    response = ws.connect()
    if expected is None:
        assert answered(response) == INVALID
        assert (ws.session, WatchedView.seen) == (None, [])
    else:
        user = ws.session.user
        assert (user.get_username() if user else "") == expected
        assert WatchedView.seen == [expected]
        assert ws.send({"action": "whoami"}).json() == {"user": expected}


@pytest.mark.parametrize("way", ["either", "ticket", "cookie"])
def test_a_view_without_guests_asks_those_to_log_in_whom_it_does_not_know(site, credentials, way):
    site(authentication=way, allow_anonymous=False)
    ignored = {"either": "nothing", "ticket": "cookie", "cookie": "ticket"}[way]
    known = {"either": "cookie", "ticket": "ticket", "cookie": "cookie"}[way]
    refused = WebSocketClient("/ws/", **credentials(ignored)).connect()
    assert answered(refused) == LOG_IN_FIRST
    assert WebSocketClient("/ws/", **credentials(known)).connect().status_code == 200


def test_a_view_says_either_unless_it_says_otherwise(site, credentials):
    for name, expected in (("cookie", "alice"), ("ticket", "bob")):
        ws = WebSocketClient("/ws/", **credentials(name))
        ws.connect()
        assert ws.session.user.get_username() == expected


def test_the_login_of_a_connection_is_the_tickets_and_not_the_cookies(site, credentials, browser):
    ws = WebSocketClient("/ws/", **credentials("both"))
    ws.connect()
    ticket = WebSocketTicket.objects.get()
    assert (ws.session.login, ws.session.auth_hash) == (ticket.login, ticket.auth_hash)
    browser.logout()  # of alice
    assert ws.session.connected


def test_a_view_that_knows_by_cookie_alone_spends_no_ticket(site, credentials):
    site(authentication="cookie")
    ws = WebSocketClient("/ws/", **credentials("both"))
    ws.connect()
    assert WebSocketTicket.objects.get().connection_id is None
    assert WebSocketSession.objects.get().user.get_username() == "alice"
