"""Logins beside those of a browser: by tokens, and of one user in the place of another."""

from __future__ import annotations

import pytest
from django.contrib import auth
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.auth.views import LogoutView
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.test_receivers_logout import TICKET_INVALID, logged_in, open_ones

pytestmark = pytest.mark.django_db

alogout = getattr(auth, "alogout", None)  # Django 4.2 has none

PLAIN = "django.contrib.auth.backends.ModelBackend"


def user_of_token(request):
    return User.objects.get(username=request.headers["Authorization"])


def log_out_token(request):
    """As django-rest-knox: the signal has the token's user, and the session is left alone."""
    user_logged_out.send(sender=User, request=request, user=user_of_token(request))
    return HttpResponse()


def log_in_token(request):
    user_logged_in.send(sender=User, request=request, user=user_of_token(request))
    return HttpResponse()


def ticket_of_token(request):
    request.user = user_of_token(request)
    return WebSocketTokenView().post(request)


def become(request, name):
    """As django-hijack: log in as somebody else, without a logout."""
    login(request, User.objects.get(username=name), backend=PLAIN)
    return HttpResponse()


async def log_out_async(request):
    await alogout(request)
    return HttpResponse()


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = (
        path("ws/<slug:route>", ChatView.as_view()),
        path("ticket/", WebSocketTokenView.as_view()),
        path("token-ticket/", ticket_of_token),
        path("token-logout/", log_out_token),
        path("token-login/", log_in_token),
        path("become/<name>", become),
        path("alogout/", log_out_async),
        path("logout/", LogoutView.as_view(next_page="/")),
    )


@pytest.fixture
def ask(commit):
    """``ask(browser, url)`` posts, by the token of a user if there is one."""

    def post(browser, url, token=None):
        with commit():
            return browser.post(url, headers={"Authorization": token} if token else {})

    return post


def test_a_tokens_logout_leaves_the_session_of_another_user_alone(websocket, ask, alice, bob):
    ticket = WebSocketTicket.objects.issue_for(alice)
    hers, his = websocket("/ws/", ticket=ticket), websocket("/ws/", browser=logged_in(bob))
    ask(his.browser, "/token-logout/", token="alice")
    assert open_ones(hers, his) == [his]


def test_a_tokens_login_leaves_the_session_of_another_user_alone(websocket, ask, alice, bob):
    his = websocket("/ws/", browser=logged_in(bob))
    ask(his.browser, "/token-login/", token="alice")
    assert open_ones(his) == [his]


def test_a_tokens_ticket_does_not_end_with_another_users_session(websocket, ask, alice, bob):
    browser = logged_in(bob)
    ticket = ask(browser, "/token-ticket/", token="alice").json()["ws_token"]
    hers = websocket("/ws/", ticket=ticket)
    assert hers.send({"action": "whoami"}).json() == {"user": "alice"}
    ask(browser, "/logout/")
    assert open_ones(hers) == [hers]


def test_a_login_as_somebody_else_closes_what_the_old_login_has_opened(websocket, ask, alice, bob):
    browser = logged_in(alice)
    before, elsewhere = websocket("/ws/", browser=browser), websocket("/ws/", user=alice)
    ticket = browser.post("/ticket/").json()["ws_token"]
    ask(browser, "/become/bob")
    during = websocket("/ws/", browser=browser)
    assert open_ones(before, elsewhere, during) == [elsewhere, during]
    assert answered(WebSocketClient("/ws/", ticket=ticket).connect()) == TICKET_INVALID
    ask(browser, "/become/alice")
    assert open_ones(elsewhere, during) == [elsewhere]


def test_a_second_login_of_the_same_user_keeps_the_connections_until_the_logout(
    websocket, ask, alice
):
    ws = websocket("/ws/", browser=logged_in(alice))
    ask(ws.browser, "/become/alice")
    assert open_ones(ws) == [ws]
    ask(ws.browser, "/logout/")
    assert open_ones(ws) == []


def test_a_login_keeps_what_the_guest_has_opened(websocket, ask, alice):
    browser = Client()
    guest = websocket("/ws/", browser=browser)
    ask(browser, "/become/alice")
    assert open_ones(guest) == [guest]


def test_what_a_session_key_has_opened_can_be_closed(websocket, alice):
    here, there = websocket("/ws/", user=alice), websocket("/ws/", user=alice)
    key = there.browser.session.session_key
    assert WebSocketSession.objects.of_login(key).close().closed == 1
    assert open_ones(here, there) == [here]


def test_a_connect_that_a_logout_overtakes_is_refused(mount, alice):
    class SlowView(ChatView):
        def _additional_connection_checks(self, request, *args, **kwargs):
            browser.logout()
            return True, ""

    browser = logged_in(alice)
    ws = WebSocketClient(mount(SlowView), browser=browser)
    assert answered(ws.connect()) == (403, b"Log in again")
    assert not WebSocketSession.objects.exists()


@pytest.mark.parametrize("url", ["/logout/", "/alogout/"][: 2 if alogout else 1])
def test_a_connection_that_opens_amid_a_logout_is_closed(websocket, ask, alice, url):
    """Django deletes the session only after it has told of the logout."""

    def connect_once_more(**kwargs):
        late.append(websocket("/ws/", browser=browser))

    browser, late = logged_in(alice), []
    user_logged_out.connect(connect_once_more)
    try:
        ask(browser, url)
    finally:
        user_logged_out.disconnect(connect_once_more)
    assert len(late) == 1
    assert open_ones(*late) == []
