"""The page on refusals has them all, with the texts that a view answers, in its order.

An event that is wrong in every way is mended one fault at a time. What it is answered with on the
way must be the page's table, from top to bottom.
"""

from __future__ import annotations

import logging
import re
from secrets import token_urlsafe

import pytest
from django.test import Client

from django_aws_api_gateway_websockets.decorators import permission_required
from django_aws_api_gateway_websockets.exceptions import RequestRefused
from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.security import identity, proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, event_headers
from tests.factories import make_session
from tests.pages import ALL, PAGES, run

pytestmark = pytest.mark.django_db

#: What can be wrong, in the order in which it is found.
SOURCE = ["method", "header", "id", "api", "gateway", "proof"]
ADDRESS = ["agent", "host", "query"]
BODY = ["long", "unreadable", "json", "object"]
CONNECT_FAULTS = [
    *(*SOURCE, *ADDRESS, "handshake", "origin", "cookie", "rate"),
    *("ticket", "guest", "permission", "channel", "closed", "full", *BODY),
    *("handler", "thief", "taken"),
]
MESSAGE_FAULTS = [
    *(*SOURCE, "unknown", *ADDRESS),
    *("login", "rate", "guest", "permission", *BODY, "action", "name", "handler"),
]

EVERY, CONNECT = "Of every event", "Of a $connect"
MESSAGE, LATER = "Of a message", "Of a message or a $disconnect"
OWN_TEXT = "The room is full"

ROW = re.compile(r"^   \* - (.*(?:\n       .*)*)\n     -(?: (.*))?$", re.M)


def refusals_of(*sections):
    """The (status, text) of each refusal that the page has in these sections, in its order."""
    found, section = [], ""
    for question, answer in ROW.findall(PAGES["refusals"])[1:]:
        if not answer:
            section = re.sub(r"[*`]", "", question)
        elif section in sections:
            status = re.match(r"\d{3}", answer)
            text = re.search(r"``(.*)``", answer)
            own = OWN_TEXT if answer == "the text that it returns" else ""
            found.append((int(status[0]) if status else 400, numberless(text[1] if text else own)))
    return found


def numberless(text):
    """The seconds to wait, and how many headers are missing, are nobody's promise."""
    return re.sub(r"\d+", "N", text)


class StrictView(WebSocketView):
    """Finds each fault that an event has; ``faults`` says which ones that are."""

    check_useragent = True
    allow_anonymous = False
    faults = frozenset()

    def can_join_channel(self, request, channel_name):
        return "closed" not in self.faults

    def _additional_connection_checks(self, request, *args, **kwargs):
        if "thief" in self.faults:
            WebSocketTicket.objects.latest("pk").spend("another connection")
        return "full" not in self.faults, OWN_TEXT

    @permission_required("auth.change_user")
    def connect(self, request, *args, **kwargs):
        return super().connect(request, *args, **kwargs)

    @permission_required("auth.change_user")
    def rename(self, request, *args, **kwargs):
        return {}


@pytest.fixture
def ws(websocket_outbox):
    return WebSocketClient("/ws/")


@pytest.fixture
def answer_to(ws, alice, settings, mount):
    """``answer_to(route, faults)``: what an event with these faults is answered with."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 4
    # CommonMiddleware would refuse a Host by itself.
    settings.MIDDLEWARE = []
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": token_urlsafe()}}

    def answer_to(route, faults):
        mount(demanding(faults))
        users = type(alice).objects.filter(pk=alice.pk)
        users.update(is_active="login" not in faults, is_superuser="handler" not in faults)
        WebSocketSession.objects.filter(connection_id=ws.connection_id).delete()
        if route == "default" or "taken" in faults:
            make_session(
                ws.gateway,
                connection_id=ws.connection_id,
                connected="unknown" not in faults,
                channel_name="elsewhere",  # or it would be a repetition of the same $connect
                user=None if faults[:1] == ["guest"] else alice,
            )
        ticket = WebSocketTicket.objects.issue(identity.Identity(alice))
        # Once is not too often yet.
        times = 2 if faults[:1] == ["rate"] else 1
        answers = [send(ws, route, faults, ticket) for _ in range(times)]
        return answers[-1].status_code, numberless(answers[-1].content.decode())

    return answer_to


def demanding(faults):
    """The view before which an event has these faults."""
    demands = {"faults": faults}
    demands["connect_rate"] = demands["message_rate"] = "1/d" if "rate" in faults else None
    demands["permissions_required"] = ["auth.view_user"] if "permission" in faults else []
    return type("DemandingView", (StrictView,), demands)


def send(ws, route, faults, ticket):
    body = body_with(faults)
    is_unreadable = "unreadable" in faults and "long" not in faults
    return Client().generic(
        "GET" if "method" in faults else "POST",
        f"/ws/{route}",
        body,
        "application/json",
        headers=event_headers(ws, **headers_with(faults)),
        QUERY_STRING=query_with(faults, ticket),
        CONTENT_LENGTH="none" if is_unreadable else str(len(body)),
    )


def headers_with(faults):
    wrong = {
        "header": {"X-Forwarded-Proto": None},
        "agent": {"User-Agent": "curl"},
        "id": {"Connectionid": "two words"},
        "gateway": {"X-Amzn-Apigateway-Api-Id": "another"},
        "api": {"X-Amzn-Apigateway-Api-Id": "two words"},
        "proof": {proof.HEADER: "wrong"},
        "host": {"Host": "evil.test"},
        "handshake": {"Sec-Websocket-Key": None},
        "origin": {"Origin": "https://evil.test"},
        "cookie": {"Cookie": r'sessionid="\000"'},
    }
    headers = dict(HANDSHAKE)
    for fault in [fault for fault in wrong if fault in faults]:
        headers.update(wrong[fault])
    return headers


def query_with(faults, ticket):
    if "cookie" in faults:
        fields = []  # it is asked for only where there is no ticket
    elif "ticket" in faults:
        fields = ["ws_token=forged"]
    else:
        fields = [] if "guest" in faults else [f"ws_token={ticket}"]
    if "channel" in faults:
        fields.append(f"channel={'x' * 129}")
    return "&".join(fields + ["more="] * 5 * ("query" in faults))


def body_with(faults):
    bodies = {
        "long": b" " * 131_073,
        "json": b"[",
        "object": b"[]",
        "action": b"{}",
        "name": b'{"action": "dance"}',
    }
    return next((bodies[name] for name in bodies if name in faults), b'{"action": "rename"}')


@pytest.mark.parametrize(
    ("route", "faults", "sections"),
    [
        ("connect", CONNECT_FAULTS, (EVERY, CONNECT)),
        ("default", MESSAGE_FAULTS, (EVERY, LATER, MESSAGE)),
    ],
)
def test_an_event_is_refused_in_the_order_of_the_page(answer_to, route, faults, sections):
    answers = [answer_to(route, faults[first:]) for first in range(len(faults))]
    assert answers == refusals_of(*sections)
    assert answer_to(route, []) == (200, "{}")


def test_every_section_of_the_page_has_been_compared():
    refusals = [answer for _, answer in ROW.findall(PAGES["refusals"])[1:] if answer]
    assert len(refusals) == len(refusals_of(EVERY, CONNECT, LATER, MESSAGE))


def test_the_log_says_what_the_page_says(ws, caplog):
    (shown,) = [block.code for block in ALL if block.code.startswith("Event refused ")]
    shown = " ".join(shown.split())
    ws.headers[proof.HEADER] = None
    with caplog.at_level(logging.WARNING, "django_aws_api_gateway_websockets.views"):
        ws.connect()
    (line,) = [r.getMessage() for r in caplog.records if r.name.endswith(".views")]
    assert re.sub(r"_id='[^']*'", "_id", line) == re.sub(r"_id='[^']*'", "_id", shown)


def test_a_handler_refuses_by_an_exception(websocket, mount, caplog):
    class PoliteView(WebSocketView):
        def sing(self, request, *args, **kwargs):
            raise RequestRefused("Not now", reason="it is night")

    response = websocket(mount(PoliteView)).send({"action": "sing"})
    assert answered(response) == (400, b"Not now")
    assert "it is night" in caplog.text


def test_what_a_view_debugs_goes_where_it_says(websocket, mount, caplog):
    caplog.set_level("DEBUG", "refusals-debug")
    websocket(mount(run("refusals-debug")["WatchedView"]))
    assert "Missing headers: none" in caplog.messages
