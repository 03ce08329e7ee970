"""What a login is kept of for the handlers, when its cookies and middlewares are gone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.aws_requests import answered
from tests.chat import ChatView

pytestmark = pytest.mark.django_db


def language_of(request):
    return {"language": request.headers.get("Accept-Language")}


class TalkView(ChatView):
    def session_data(self, request):
        return language_of(request)

    def _additional_connection_checks(self, request, *args, **kwargs):
        return self.connection_data["language"] != "xx", "No such language"

    def speak(self, request, *args, **kwargs):
        return self.websocket_session.data

    def speak_alike(self, request, *args, **kwargs):
        return self.connection_data


class TicketView(WebSocketTokenView):
    def session_data(self, request):
        return language_of(request)


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = (
        path("ws/<slug:route>", TalkView.as_view()),
        path("ticket/", TicketView.as_view()),
        path("plain-ticket/", WebSocketTokenView.as_view()),
    )


def ticket_of(user, language, url="/ticket/"):
    browser = Client()
    browser.force_login(user)
    return browser.post(url, headers={"Accept-Language": language}).json()["ws_token"]


def spoken(ws):
    return ws.send({"action": "speak"}).json()


def test_a_connection_keeps_what_its_connect_said(websocket):
    ws = websocket("/ws/", headers={"Accept-Language": "de"})
    assert spoken(ws) == ws.send({"action": "speak_alike"}).json() == {"language": "de"}


def test_a_ticket_keeps_what_the_request_for_it_said(websocket, alice):
    ticket = ticket_of(alice, "fr")
    ws = websocket("/ws/", ticket=ticket, headers={"Accept-Language": "de"})
    assert spoken(ws) == {"language": "fr"}


def test_a_ticket_that_brings_nothing_leaves_it_to_the_connect(websocket, alice):
    ticket = ticket_of(alice, "fr", "/plain-ticket/")
    ws = websocket("/ws/", ticket=ticket, headers={"Accept-Language": "de"})
    assert spoken(ws) == {"language": "de"}


def test_a_site_gives_data_to_a_ticket_that_it_issues_itself(websocket, alice):
    ticket = WebSocketTicket.objects.issue_for(alice, data={"language": "it"})
    assert spoken(websocket("/ws/", ticket=ticket)) == {"language": "it"}


@pytest.mark.parametrize("by_ticket", [False, True])
def test_a_connection_may_be_refused_for_it(alice, by_ticket):
    options = {"ticket": ticket_of(alice, "xx")} if by_ticket else {}
    ws = WebSocketClient("/ws/", headers={"Accept-Language": "xx"}, **options)
    assert answered(ws.connect()) == (400, b"No such language")


def test_a_view_that_says_nothing_keeps_nothing(websocket, mount):
    assert websocket(mount(ChatView)).session.data is None


@pytest.mark.parametrize("data", [["a list"], {"a set": {1}}])
def test_what_is_no_json_object_opens_no_connection(mount, data):
    class WrongView(ChatView):
        def session_data(self, request):
            return data

    browser = Client(raise_request_exception=False)
    assert WebSocketClient(mount(WrongView), browser=browser).connect().status_code == 500
    assert not WebSocketSession.objects.exists()


def test_a_repeated_connect_is_welcome_whatever_it_says(websocket):
    ws = websocket("/ws/", headers={"Accept-Language": "de"})
    ws.headers["Accept-Language"] = "fr"
    assert ws.connect().status_code == 200
    assert spoken(ws) == {"language": "de"}


@pytest.mark.parametrize("change", [{"is_active": False}, {"pk": None}])
def test_no_ticket_is_issued_for_one_who_may_not_use_it(alice, change):
    for name, value in change.items():
        setattr(alice, name, value)
    with pytest.raises(ValueError, match="active user who is saved"):
        WebSocketTicket.objects.issue_for(alice)
