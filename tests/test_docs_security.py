"""What the page on security shows is so: its blocks of code are mounted, and asked."""

from __future__ import annotations

import json
import re
import sys
from types import ModuleType

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete
from django.test import Client

from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.factories import make_created_gateway
from tests.pages import BLOCKS, PAGES, run

pytestmark = pytest.mark.django_db

UNEXPECTED = (400, b"Some of the required headers are missing")
FOREIGN = (400, b"Host is not in Origin")
DENIED = (403, b"Permission denied")
WELCOME = (200, b"{}")


def view_of(block, name):
    """A view of the page."""
    return run(block)[name]


def connect(url, **options):
    return answered(WebSocketClient(url, **options).connect())


# Where an event comes from.


@pytest.fixture
def own_secrets(settings, monkeypatch):
    """``own_secrets(new, old)`` puts them into the settings as the page does."""

    def set_to(new, old):
        monkeypatch.setenv("WEBSOCKET_SECRET", new)
        monkeypatch.setenv("OLD_WEBSOCKET_SECRET", old)
        settings.WEBSOCKETS = run("security-own-secret")["WEBSOCKETS"]

    return set_to


def test_gateways_of_4_1_0_need_their_old_header_as_the_page_has_it(settings, monkeypatch):
    monkeypatch.setenv("WEBSOCKET_SECRET", "of 4.1.0")
    gateway = make_created_gateway()
    settings.WEBSOCKETS = run("security-old-header")["WEBSOCKETS"]
    answers = [
        connect("/ws/", gateway=gateway, headers={proof.HEADER: None, proof.OLD_HEADER: value})
        for value in ("of 4.1.0", "else", None)
    ]
    assert answers == [WELCOME, UNEXPECTED, UNEXPECTED]


def test_of_ones_own_secrets_the_first_is_mapped_and_all_are_accepted(own_secrets):
    gateway = WebSocketClient("/ws/").gateway
    own_secrets("new", "old")
    assert proof.value_for(gateway) == "new"
    answers = [connect("/ws/", headers={proof.HEADER: value}) for value in ("new", "old", "else")]
    assert answers == [WELCOME, WELCOME, UNEXPECTED]


def test_one_changes_over_to_an_own_secret_with_the_derived_one_in_the_list(own_secrets, capsys):
    gateway = WebSocketClient("/ws/").gateway
    run("security-derived")
    name, derived = capsys.readouterr().out.split()
    assert name == gateway.api_name
    headers = {proof.HEADER: derived}
    assert connect("/ws/", headers=headers) == WELCOME
    own_secrets("new", "old")
    assert connect("/ws/", headers=headers) == UNEXPECTED
    own_secrets("new", derived)
    assert connect("/ws/", headers=headers) == WELCOME


# Who speaks, and on which pages.


def test_all_connections_of_a_user_can_be_closed(websocket, alice, bob):
    hers, his = websocket("/ws/", user=alice), websocket("/ws/", user=bob)
    run("security-close")
    assert (hers.is_closed, his.is_closed) == (True, False)


def test_what_a_deleted_session_has_opened_is_closed(websocket, commit, alice):
    here, there = websocket("/ws/", user=alice), websocket("/ws/", user=alice)
    receiver = run("security-of-login")["close_connections"]
    try:
        with commit():
            Session.objects.exclude(pk=here.browser.session.session_key).delete()
    finally:
        post_delete.disconnect(receiver, sender=Session)
    assert (here.is_closed, there.is_closed) == (False, True)


def test_a_ticket_can_be_issued_for_a_user(websocket, alice):
    ticket = run("security-issue-for")["ticket"]
    session = websocket("/ws/", ticket=ticket).session
    assert (session.user, session.data) == (alice, {"device": "phone"})


@pytest.mark.parametrize(
    ("view", "welcome", "foreign"),
    [
        (
            "PartnersView",
            ["https://testserver", "https://www.example.org", "https://shop.example.net"],
            ["https://shop.example.org", "http://www.example.org", "https://evil.test"],
        ),
        ("AppView", ["https://app.example.com"], ["https://testserver", "https://example.com"]),
        ("SensorView", [None, "https://testserver"], ["https://evil.test", "null"]),
    ],
)
def test_a_view_chooses_the_pages(mount, view, welcome, foreign):
    url = mount(view_of("security-origins", view))
    for origin in welcome:
        assert connect(url, headers={"Origin": origin}) == WELCOME
    for origin in foreign:
        assert connect(url, headers={"Origin": origin}) == FOREIGN


def test_who_has_a_session_cookie_has_an_origin(mount, alice):
    url = mount(view_of("security-origins", "SensorView"))
    assert connect(url, user=alice, headers={"Origin": None}) == FOREIGN


# Tickets.


@pytest.fixture
def ticket_site(settings, websocket_outbox, monkeypatch):
    """The site of the page: its URLs, its views, its template."""
    views = ModuleType("chat.views")
    vars(views).update(run("security-tickets-views"))
    monkeypatch.setitem(sys.modules, "chat", ModuleType("chat"))
    monkeypatch.setitem(sys.modules, "chat.views", views)
    settings.ROOT_URLCONF = tuple(run("security-tickets-urls")["urlpatterns"])
    (engine,) = settings.TEMPLATES
    block = BLOCKS["security-tickets-template"]
    page = {block.caption.partition("templates/")[2]: block.code}
    options = {"loaders": [("django.template.loaders.locmem.Loader", page)]}
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]


def data_of_page(browser):
    """What the page's tag has left for the client."""
    html = browser.get("/", secure=True).content.decode()
    return json.loads(re.search(r'id="websocket" type="application/json">(.*)</script>', html)[1])


def ask_for_ticket(browser):
    """What the client does: the answer to its POST."""
    data = data_of_page(browser)
    headers = {data["csrf"]["header"]: data["csrf"]["token"], "Referer": "https://testserver/"}
    return browser.post(data["ticketUrl"], secure=True, headers=headers)


def test_a_ticket_carries_the_login_to_a_host_without_cookies(ticket_site, alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    answer = ask_for_ticket(browser).json()
    assert f"{answer['expires_in']} seconds" in PAGES["security"]
    ws = WebSocketClient("/ws/", ticket=answer["ws_token"])
    assert answered(ws.connect()) == WELCOME
    assert ws.send({"action": "whoami"}).json() == {"you": "alice"}
    assert connect("/ws/", ticket=answer["ws_token"]) == (403, b"The ticket is not valid")


def test_the_view_of_the_page_knows_nobody_by_a_cookie(ticket_site, alice):
    assert connect("/ws/", user=alice) == (403, b"Log in first")


def test_who_is_not_logged_in_or_has_no_csrf_token_gets_no_ticket(ticket_site, alice):
    assert "ticketUrl" not in data_of_page(Client())
    refused = Client().post("/ticket/", secure=True)
    assert (refused.status_code, refused.json()) == (403, {"error": "Log in first"})
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post("/ticket/", secure=True).status_code == 403
    assert ask_for_ticket(browser).status_code == 200


def test_the_ways_to_know_a_user_are_all_on_the_page():
    from django_aws_api_gateway_websockets.views.logins import AUTHENTICATION

    shown = re.findall(r'^``"(\w+)"``  ', PAGES["security"], re.M)
    assert sorted(shown) == sorted(AUTHENTICATION)


# Who may.


def grant(user, *codenames):
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return type(user).objects.get(pk=user.pk)


def test_a_view_and_a_handler_ask_for_permissions(mount, websocket, alice):
    url = mount(view_of("security-permissions", "DeskView"))
    assert connect(url, user=grant(alice, "view_user")) == DENIED  # one of these, none of those
    ws = websocket(url, user=grant(alice, "view_group"))
    assert answered(ws.send({"action": "remove", "name": "bob"})) == DENIED
    grant(alice, "delete_user")
    ws.send({"action": "remove", "name": "bob"})
    assert ws.received == [{"removed": "bob"}]
    alice.user_permissions.remove(Permission.objects.get(codename="view_group"))
    assert answered(ws.send({"action": "remove", "name": "bob"})) == DENIED
    assert not ws.is_closed


def test_only_members_join_a_teams_channel(mount, websocket, alice):
    url = mount(view_of("security-channels", "TeamsView"))
    alice.groups.add(Group.objects.create(name="red"), Group.objects.create(name="green"))
    closed = (403, b"This channel is closed to you")
    assert connect(url, user=alice, channel="blue") == closed
    ws = websocket(url, user=alice, channel="red")
    assert answered(ws.send({"action": "change_channel", "channel": "blue"})) == closed
    assert ws.session.channel_name == "red"
    answer = ws.send({"action": "change_channel", "channel": "green"})
    assert answer.json() == {"channel": "green"}
    assert ws.session.channel_name == "green"


# How often.


def test_a_view_limits_what_one_client_does(mount, websocket, settings):
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": __name__}}
    url = mount(view_of("security-rates", "CalmView"))
    # In two windows at most, should one end meanwhile.
    answers = [WebSocketClient(url).connect() for _ in range(21)]
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 0 < int(refused["Retry-After"]) <= 60
    expected = f"Too many connects. Try again in {refused['Retry-After']} seconds."
    assert refused.content.decode() == expected
