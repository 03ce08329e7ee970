"""Whatever is sent to the view, it answers, and does nothing that the sender has not earned.

``FUZZ_EXAMPLES=5000 pytest tests/test_fuzz.py`` tries that many requests of each kind, others each
time. Without it they are few, and the same ones.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given

from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.sending import MAX_MESSAGE_BYTES
from django_aws_api_gateway_websockets.testing import outbox
from tests import watched
from tests.aws_requests import HANDSHAKE
from tests.fuzz import (
    EVENTS,
    FOREIGN_ORIGINS,
    OWN_ORIGINS,
    examples,
    fuzzed,
    of_clients,
    of_strangers,
)
from tests.watched import (
    API_ID,
    CLOSED,
    CONNECTIONS,
    FULL,
    GUEST,
    HANDLERS,
    HOME,
    LOGIN,
    NEIGHBOUR,
    NO_HANDLERS,
    OTHER_PROOF,
    TICKET,
    Sent,
    ran,
    undone,
)

# Coverage would double their time; the lines that they reach are reached by others.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture
def site(websocket_outbox, settings, alice, bob):
    settings.ROOT_URLCONF = watched.URLS
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "ticket_lifetime": 24 * 3600}
    return watched.Site(alice, bob)


def message(action, **fields):
    return json.dumps({"action": action, **fields}).encode()


# Somebody who posts to the view, and is not API Gateway

STRANGE = [
    Sent(route, message("say"), "channel=lobby", {proof.HEADER: forged, API_ID: api_id}, there)
    for route in EVENTS
    for there in (GUEST, NEIGHBOUR)
    for forged in (None, OTHER_PROOF)
    for api_id in (HOME, "", "\0")
]


def about_nothing(sent):
    """The request, made for a gateway and a connection that don't exist."""
    known = sent.connection_id in CONNECTIONS
    return sent._replace(
        headers={API_ID: "none", **sent.headers},
        connection_id="None=" if known else sent.connection_id,
    )


@fuzzed
@examples(sent=STRANGE)
@given(sent=of_strangers)
def test_a_stranger_changes_nothing_and_learns_nothing(site, sent):
    with undone():
        before = site.sessions(), site.tickets()
        answer = site.answer(sent)
        assert 400 <= answer.status_code < 500
        assert (site.sessions(), site.tickets()) == before
        assert (outbox, ran) == ([], [])
        other = site.answer(about_nothing(sent))
        assert (answer.status_code, answer.content) == (other.status_code, other.content)
        assert answer.headers == other.headers


# A client of API Gateway

NO_MESSAGES = (
    *(b"hello", b"\xff", b"[]", b'"say"', b"1", b"null", b"true", b"", b" ", b"\0", b"NaN"),
    *(b"[" * 100_000, b'{"action":' * 13_000, b"9" * 5000),
    b'{"action": "say", "text": "%s"}' % (b"x" * MAX_MESSAGE_BYTES),
    rb'{"action": "say", "text": "\ud83d"}',
)
NO_ACTIONS = (1, 0, None, True, ["say"], {"say": "say"}, *NO_HANDLERS, "forbidden")
NO_CHANNELS = ("\0", "lobby\n", "x" * 129, "\u202e")
UTF_7 = {"Content-Type": "text/plain; charset=utf-7"}


def connect(query="", **headers):
    return Sent("connect", b"", query, headers, "New=")


CLIENTLY = [
    *(Sent(body=body) for body in NO_MESSAGES),
    *(Sent(body=message(action)) for action in NO_ACTIONS),
    *(Sent(body=message("say"), connection_id=other) for other in (NEIGHBOUR, CLOSED, "None=")),
    *(Sent(body=message("change_channel", channel=channel)) for channel in (*NO_CHANNELS, 1)),
    *(connect(urlencode({"channel": channel})) for channel in NO_CHANNELS),
    *(connect(Origin=origin) for origin in (*OWN_ORIGINS, *FOREIGN_ORIGINS, None)),
    *(Sent("connect", connection_id=other) for other in CONNECTIONS),
    *(Sent("connect", connection_id=bad) for bad in ("x" * 300, "New=\0", "New=\n", "")),
    *(Sent("disconnect", connection_id=other) for other in (NEIGHBOUR, CLOSED, "None=")),
    *(Sent(route, method="GET") for route in EVENTS),
    *(Sent(route, message("say"), "channel=lobby", {}, GUEST.lower()) for route in EVENTS),
    Sent("connect", query="channel=lobby"),
    Sent("connect", query=f"channel=lobby&{FULL}=1"),
    connect(f"ws_token={TICKET}"),
    connect(f"ws_token={TICKET}&{FULL}=1"),
    connect("ws_token=%2B2AA-", **UTF_7),
    connect("&" * 2000),
    connect(Cookie=f"sessionid={LOGIN}"),
    connect(f"ws_token={TICKET}x", Cookie=f"sessionid={LOGIN}"),
    connect(Cookie="sessionid=made-up-by-a-guest"),
    connect(Cookie=r'sessionid="\000-long-enough"'),
]


@fuzzed
@examples(sent=CLIENTLY)
@given(sent=of_clients)
def test_a_client_gets_what_it_has_earned_and_no_more(site, sent):
    with undone():
        before, tickets = site.sessions(), site.tickets()
        answer = site.answer(sent)
        after = site.sessions()
        was, now = before.pop(sent.connection_id, None), after.pop(sent.connection_id, None)
        assert after == before
        if answer.status_code == 200:
            assert sent.method.upper() == "POST"
            assert len(sent.body) <= MAX_MESSAGE_BYTES
            CHECKS.get(sent.route, check_message)(site, sent, was, now)
        else:
            assert 400 <= answer.status_code < 500
            assert now == (counted(was) if is_refused_by_handler(sent, answer) else was)
            assert (outbox, ran, site.tickets()) == ([], [], tickets)


def counted(row, **changed):
    return row._replace(request_count=row.request_count + 1, **changed)


def is_refused_by_handler(sent, answer):
    """True for a message that got as far as ``change_channel``."""
    return sent.route != "connect" and answer.content == b"Invalid channel name"


def check_connect(site, sent, was, now):
    assert now
    assert was in (None, now)  # It may have been the same $connect again.
    assert ran == ["connect"]
    assert re.fullmatch(r"[!-~]{1,255}", sent.connection_id)
    assert {**HANDSHAKE, **sent.headers}["Origin"].lower() in OWN_ORIGINS
    assert (now.connected, now.request_count, now.api_gateway) == (True, 1, site.home.pk)
    assert is_channel(now.channel_name)
    ticket, cookie = TICKET in sent.query, LOGIN in (sent.headers.get("Cookie") or "")
    earned = {None, ticket and "bob", cookie and "alice"}
    assert now.user__username in earned
    assert now.login is None or ticket or cookie
    if sent.query.isascii():
        query = dict(parse_qsl(site.filled(sent.query), keep_blank_values=True))
        assert FULL not in query
        assert now.channel_name == (query.get("channel") or "hall")
        assert now.user__username == "bob" or not query.get("ws_token")


def is_channel(name):
    return len(name) <= 128 and name.isprintable()


def check_disconnect(site, sent, was, now):
    assert now == counted(was, connected=False)
    assert ran == ["disconnect"]


def check_message(site, sent, was, now):
    assert (was.connected, was.api_gateway) == (True, site.home.pk)
    length = int(sent.headers.get("Content-Length", len(sent.body)))
    body = json.loads(sent.body[: max(length, 0)].decode() or "{}")
    action = body.get("action", sent.route)
    assert "action" in body or action in HANDLERS
    assert bool(outbox) is (action == "say")
    if action == "change_channel":
        assert ran == []
        assert now == counted(was, channel_name=body["channel"])
        assert is_channel(now.channel_name)
    else:
        assert ran == [action if action in HANDLERS else "default"]
        assert now == counted(was)


CHECKS = {"connect": check_connect, "disconnect": check_disconnect}
