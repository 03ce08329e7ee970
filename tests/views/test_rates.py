"""What a view does about rates: whom it counts together, whom it refuses, and with what answer."""

from __future__ import annotations

import json
from secrets import token_urlsafe

import pytest
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketTicket
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.security.identity import Identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered, post
from tests.chat import ChatView
from tests.factories import make_created_gateway, make_gateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "caches")]

LATER = {"action": "later"}


def in_memory():
    return {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": token_urlsafe(),
    }


@pytest.fixture
def caches(settings):
    settings.CACHES = {"default": in_memory()}


def connect(url="/ws/", *, address=None, **options):
    headers = {"sourceIp": address} if address else {}
    headers.update(options.pop("headers", {}))
    return WebSocketClient(url, headers=headers, **options).connect()


def connects(times, url="/ws/", **options):
    return [connect(url, **options).status_code for _ in range(times)]


def sends(times, ws, message=LATER):
    return [ws.send(message).status_code for _ in range(times)]


# Whether there is a limit


def test_nothing_is_limited_unless_it_is_configured(websocket):
    assert connects(30) == [200] * 30
    assert sends(30, websocket("/ws/")) == [200] * 30


def test_the_sites_rate_limits_connects(settings):
    settings.WEBSOCKETS = {"connect_rate": "2/m"}
    assert connects(3) == [200, 200, 429]


def test_the_sites_rate_limits_messages(settings, websocket):
    ws = websocket("/ws/")
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "message_rate": "2/m"}
    assert sends(3, ws) == [200, 200, 429]


@pytest.mark.parametrize(("site", "view", "through"), [("1/m", "3/m", 3), ("3/m", "1/m", 1)])
def test_a_views_own_rate_wins_over_the_sites(
    settings, mount, websocket_outbox, site, view, through
):
    rates = {"connect_rate": site, "message_rate": site}
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, **rates}
    url = mount(ChatView, connect_rate=view, message_rate=view)
    ws = WebSocketClient(url)
    expected = [200] * through + [429]
    assert [ws.connect().status_code, *connects(through, url)] == expected
    assert sends(through + 1, ws) == expected


def test_connects_and_messages_are_counted_apart(websocket, mount):
    url = mount(ChatView, connect_rate="1/m", message_rate="1/m")
    assert sends(2, websocket(url)) == [200, 429]


def test_what_is_no_rate_lets_nobody_in(mount):
    browser = Client(raise_request_exception=False)
    assert connects(1, mount(ChatView, connect_rate="many"), browser=browser) == [500]


# What too much is answered with


def is_told_to_wait(response, what):
    """True if the answer says, in its header and in its text, how long; both for the same time."""
    wait = int(response["Retry-After"])
    text = f"Too many {what}. Try again in {wait} seconds."
    assert answered(response) == (429, text.encode())
    return 1 <= wait <= 60


def test_who_connects_too_often_is_told_how_long_to_wait_and_gets_in_then(mount, clock):
    url = mount(ChatView, connect_rate="1/m")
    connect(url)
    ws = WebSocketClient(url)
    response = ws.connect()
    assert is_told_to_wait(response, "connects")
    assert ws.session is None
    clock.now += int(response["Retry-After"])
    assert ws.connect().status_code == 200


def test_who_sends_too_much_is_told_how_long_to_wait_and_is_heard_then(websocket, mount, clock):
    ws = websocket(mount(ChatView, message_rate="1/m"), channel="lobby")
    hello = {"action": "chat", "text": "hello"}
    ws.send(hello)
    response = ws.send(hello)
    assert is_told_to_wait(response, "messages")
    assert ws.received == [{"text": "hello"}]
    assert (ws.session.connected, ws.session.request_count, ws.is_closed) == (True, 2, False)
    clock.now += int(response["Retry-After"])
    ws.send(hello)
    assert len(ws.received) == 2


def test_the_log_says_who_was_refused_and_the_answer_does_not(mount, alice, caplog):
    url = mount(ChatView, connect_rate="1/m")
    connect(url, user=alice)
    response = connect(url, user=alice)
    assert f"user={alice.pk} has more than 1/m" in caplog.text
    assert b"user" not in response.content


def test_nobody_disconnects_too_often(websocket, mount):
    ws = websocket(mount(ChatView, message_rate="1/m"))
    sends(2, ws)
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


# Who is counted together


def test_a_user_is_counted_across_browsers_addresses_and_gateways(mount, alice):
    url = mount(ChatView, connect_rate="2/m")
    assert connects(1, url, user=alice, address="203.0.113.1") == [200]
    assert connects(1, url, user=alice, address="203.0.113.2") == [200]
    assert connects(1, url, user=alice, gateway=make_created_gateway()) == [429]


def test_a_user_is_counted_by_ticket_and_by_cookie(mount, alice):
    url = mount(ChatView, connect_rate="1/m")
    assert connects(1, url, ticket=WebSocketTicket.objects.issue(Identity(alice))) == [200]
    assert connects(1, url, user=alice) == [429]


def test_a_user_is_counted_across_windows_and_views(websocket, settings, alice):
    one, other = ChatView.as_view(message_rate="2/m"), ChatView.as_view(message_rate="2/m")
    settings.ROOT_URLCONF = (path("one/<slug:route>", one), path("other/<slug:route>", other))
    windows = [websocket(url, user=alice) for url in ("/one/", "/one/", "/other/")]
    assert [ws.send(LATER).status_code for ws in windows] == [200, 200, 429]


def test_a_user_does_not_use_up_what_others_have(mount, websocket, alice, bob):
    url = mount(ChatView, connect_rate="1/m", message_rate="1/m")
    hers, his, guests = websocket(url, user=alice), websocket(url, user=bob), websocket(url)
    assert sends(2, hers) == [200, 429]
    assert sends(1, his) == sends(1, guests) == [200]


def test_guests_of_one_address_are_counted_together_and_of_two_are_not(mount):
    url = mount(ChatView, connect_rate="2/m")
    assert connects(3, url, address="203.0.113.1") == [200, 200, 429]
    assert connects(3, url, address="203.0.113.2") == [200, 200, 429]


def say(ws, **headers):
    return post(ws, body=json.dumps(LATER).encode(), headers=headers).status_code


def test_an_ipv6_guest_is_counted_by_the_network_that_is_all_his(mount):
    url = mount(ChatView, connect_rate="2/d")
    addresses = [f"2001:db8:1:2::{n}" for n in range(3)]
    answers = [connect(url, address=address).status_code for address in addresses]
    assert answers == [200, 200, 429]
    assert connects(1, url, address="2001:db8:1:3::1") == [200]


def test_ipv4_guests_are_counted_one_by_one_if_they_are_written_as_ipv6(mount):
    url = mount(ChatView, connect_rate="2/d")
    assert connects(3, url, address="::ffff:203.0.113.1") == [200, 200, 429]
    assert connects(1, url, address="::ffff:203.0.113.2") == [200]


def test_messages_of_guests_are_counted_by_address(websocket, mount):
    url = mount(ChatView, message_rate="1/m")
    one, two = websocket(url), websocket(url)
    assert say(one, Sourceip="203.0.113.1") == 200
    assert say(two, Sourceip="203.0.113.1") == 429
    assert say(two, Sourceip="203.0.113.2") == 200


def test_a_forged_x_forwarded_for_slips_no_limit(websocket, mount):
    url = mount(ChatView, connect_rate="1/m", message_rate="1/m")
    ws = websocket(url)
    forged = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in (1, 2)]
    assert [connect(url, headers=header).status_code for header in forged] == [429, 429]
    answers = [say(ws, Sourceip="203.0.113.1", **header) for header in forged]
    assert answers == [200, 429]


def test_a_forged_x_forwarded_for_locks_nobody_else_out(mount):
    url = mount(ChatView, connect_rate="1/m")
    forged = {"X-Forwarded-For": "203.0.113.2"}
    assert connects(2, url, address="203.0.113.1", headers=forged) == [200, 429]
    honest = {"X-Forwarded-For": "203.0.113.2"}
    assert connects(1, url, address="203.0.113.2", headers=honest) == [200]


def test_all_guests_of_a_gateway_without_proof_are_counted_together(websocket, mount):
    unproved = make_created_gateway(source_proof=None)
    url = mount(ChatView, connect_rate="2/m", message_rate="2/m")
    answers = [connect(url, gateway=unproved, address=f"203.0.113.{n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    ws = websocket("/ws/", gateway=make_created_gateway(source_proof=None))
    assert [say(ws, Sourceip=f"203.0.113.{n}") for n in range(3)] == [200, 200, 429]


def test_users_of_a_gateway_without_proof_are_counted_one_by_one(mount, alice, bob):
    gateway = make_created_gateway(source_proof=None)
    url = mount(ChatView, connect_rate="1/m")
    assert connects(2, url, gateway=gateway, user=alice) == [200, 429]
    assert connects(1, url, gateway=gateway, user=bob) == [200]


@pytest.mark.parametrize(("secret", "third"), [("", 429), ("s3cret" * 6, 200)])
def test_guests_of_an_api_without_row_are_told_apart_by_an_own_secret(
    mount, settings, secret, third
):
    settings.WEBSOCKETS = {"source_secret": secret}
    url = mount(ChatView, aws_api_gateway_id="elsewhere", connect_rate="2/m")
    unsaved = make_gateway()
    unsaved.api_id = "elsewhere"
    options = {"gateway": unsaved, "headers": {proof.HEADER: secret or None}}
    assert connects(2, url, address="203.0.113.1", **options) == [200, 200]
    assert connects(1, url, address="203.0.113.2", **options) == [third]


def test_a_view_counts_by_something_else(mount):
    class RoomView(ChatView):
        connect_rate = "1/m"

        def _rate_key(self, request):
            return request.GET.get("channel", "")

    url = mount(RoomView)
    assert connects(2, url, channel="lobby") == [200, 429]
    assert connects(1, url, channel="attic") == [200]


# What is counted


REFUSED = {
    "a ticket that is none": ({}, {"ticket": "forged"}),
    "a guest where none may in": ({"allow_anonymous": False}, {}),
    "a permission that is missing": ({"permissions_required": ["auth.view_user"]}, {}),
    "no name of a channel": ({}, {"channel": "x" * 129}),
}


@pytest.mark.parametrize(("view", "client"), REFUSED.values(), ids=REFUSED)
def test_who_is_refused_for_another_reason_cannot_try_without_end(mount, view, client):
    url = mount(ChatView, connect_rate="2/m", **view)
    statuses = connects(3, url, **client)
    assert statuses[0] == statuses[1] in (400, 403)
    assert statuses[2] == 429


FOREIGN = {
    "a page of another site": {"Origin": "https://evil.test"},
    "an event without the proof": {proof.HEADER: None},
    "an event with another proof": {proof.HEADER: "forged"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_what_others_send_uses_up_nobodys_connects(mount, alice, headers):
    url = mount(ChatView, connect_rate="1/m")
    assert connects(3, url, user=alice, headers=headers) == [400] * 3
    assert connects(2, url, user=alice) == [200, 429]


def test_what_others_send_uses_up_nobodys_messages(websocket, mount):
    ws = websocket(mount(ChatView, message_rate="1/m"))
    forged = [say(ws, **{proof.HEADER: "forged"}) for _ in range(3)]
    assert forged == [400] * 3
    assert say(ws) == 200


# Where it is counted


@pytest.mark.parametrize(("alias", "third"), [("memory", 429), ("none", 200)])
def test_the_cache_that_rate_cache_names_counts(settings, alias, third):
    nothing = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    settings.CACHES = {"default": nothing, "memory": in_memory(), "none": nothing}
    settings.WEBSOCKETS = {"connect_rate": "2/m", "rate_cache": alias}
    assert connects(3) == [200, 200, third]
