"""The answer to a $connect: the subprotocol, and what a view's own ``connect`` makes of it."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.test import Client

from django_aws_api_gateway_websockets.exceptions import AccessDenied
from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.security.identity import Identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, event_headers, post
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")
CHOSEN = "Sec-WebSocket-Protocol"


# Subprotocols


class TalkView(ChatView):
    subprotocols = ["talk.v1", "talk.v2"]


def offering(offered, url, **options):
    return WebSocketClient(url, headers={CHOSEN: offered}, **options)


OFFERS = {
    "the only one": ("talk.v1", "talk.v1"),
    "the first of two that are known": ("talk.v2, talk.v1", "talk.v2"),
    "the first that is known": ("other, talk.v2, talk.v1", "talk.v2"),
    "without spaces": ("other,talk.v1,talk.v2", "talk.v1"),
    "with many spaces": ("  other ,\t talk.v2  ", "talk.v2"),
    "with empty ones": (", ,,talk.v1,", "talk.v1"),
    "twice the same": ("talk.v1, talk.v1", "talk.v1"),
    "none that is known": ("other, another", None),
    "another letter case": ("Talk.V1", None),
    "a part of a name": ("talk", None),
    "more than a name": ("talk.v1.1", None),
    "two names without comma": ("talk.v1 talk.v2", None),
    "nothing": ("", None),
    "only commas": (",,", None),
    "no header": (None, None),
}


@pytest.mark.parametrize(("offered", "chosen"), OFFERS.values(), ids=OFFERS)
def test_the_first_one_offered_that_the_view_knows_is_chosen(mount, offered, chosen):
    response = offering(offered, mount(TalkView)).connect()
    assert answered(response) == WELCOME
    assert response.get(CHOSEN) == chosen


def test_a_view_that_knows_none_chooses_none():
    response = offering("talk.v1", "/ws/").connect()
    assert answered(response) == WELCOME
    assert not response.has_header(CHOSEN)


def post_over_http(address, headers):
    """Send a $connect with these headers, names twice or not; return the answer's headers."""
    connection = HTTPConnection(address, timeout=30)
    connection.putrequest("POST", "/ws/connect", skip_host=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.django_db(transaction=True)
def test_offers_in_several_headers_are_one_list(mount, live_server):
    mount(TalkView)
    event = {**event_headers(WebSocketClient("/ws/")), **HANDSHAKE, "Content-Length": "0"}
    offers = [(CHOSEN, "other"), (CHOSEN, "talk.v2"), (CHOSEN, "talk.v1")]
    answer = post_over_http(urlsplit(live_server.url).netloc, [*event.items(), *offers])
    assert (answer.status, answer.headers.get_all(CHOSEN)) == (200, ["talk.v2"])


@pytest.mark.parametrize("offered", ["talk.v1", "own", None])
def test_a_header_of_the_views_own_is_kept(mount, offered):
    class OwnWordView(TalkView):
        def connect(self, request, *args, **kwargs):
            response = super().connect(request, *args, **kwargs)
            response["sec-websocket-protocol"] = "own"
            return response

    assert offering(offered, mount(OwnWordView)).connect()[CHOSEN] == "own"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_whatever_a_connect_answers_that_is_no_refusal_bears_the_subprotocol(mount, status):
    class AnsweringView(TalkView):
        def connect(self, request, *args, **kwargs):
            super().connect(request, *args, **kwargs)
            return HttpResponse(status=status)

    ws = offering("talk.v2", mount(AnsweringView))
    assert ws.connect()[CHOSEN] == "talk.v2"
    assert ws.session


def test_only_a_connect_is_answered_with_a_subprotocol(websocket, mount):
    ws = websocket(mount(TalkView), headers={CHOSEN: "talk.v1"})
    message = post(ws, body=b'{"action": "later"}', headers={CHOSEN: "talk.v1"})
    assert message.json() == {"async": True}
    assert not message.has_header(CHOSEN)
    assert not ws.disconnect().has_header(CHOSEN)


# A connect of the view's own


class OwnConnectView(TalkView):
    """Makes the session, and then does as ``end`` says."""

    def connect(self, request, *args, **kwargs):
        super().connect(request, *args, **kwargs)
        return self.end()

    @staticmethod
    def end():
        raise NotImplementedError


def ending(end):
    return type("EndingView", (OwnConnectView,), {"end": staticmethod(end)})


def raising(error):
    def raise_it():
        raise error

    return ending(raise_it)


def answering(status):
    return ending(lambda: HttpResponse("no", status=status))


class AsyncRefusalView(TalkView):
    async def connect(self, request, *args, **kwargs):
        await sync_to_async(super().connect)(request, *args, **kwargs)
        raise LookupError


#: Views that refuse a connection when its session is made, and with which status.
REFUSALS = {
    "an exception": (raising(LookupError("no room")), 500),
    "an exception of an async method": (AsyncRefusalView, 500),
    "no answer of a handler's": (ending(lambda: ["no", "dict"]), 500),
    "a refusal of ours": (raising(AccessDenied("Not you")), 403),
    "a refusal of Django's": (raising(PermissionDenied()), 403),
    "a page that is not there": (raising(Http404()), 404),
    "a redirection": (ending(lambda: HttpResponseRedirect("/login/")), 302),
    **{str(status): (answering(status), status) for status in (300, 400, 403, 503)},
}
each_refusal = pytest.mark.parametrize(("view", "status"), REFUSALS.values(), ids=REFUSALS)


def browser():
    return Client(raise_request_exception=False)


@each_refusal
def test_a_connect_that_is_refused_leaves_no_session_and_names_no_subprotocol(mount, view, status):
    ws = offering("talk.v1", mount(view), browser=browser())
    response = ws.connect()
    assert response.status_code == status
    assert not response.has_header(CHOSEN)
    assert not WebSocketSession.objects.exists()


def test_a_connect_that_is_refused_by_a_question_names_no_subprotocol(mount, alice):
    url = mount(TalkView, permissions_required=["auth.view_user"])
    foreign = WebSocketClient(url, headers={CHOSEN: "talk.v1", "Origin": "https://evil.test"})
    for ws, status in ((foreign, 400), (offering("talk.v1", url, user=alice), 403)):
        response = ws.connect()
        assert response.status_code == status
        assert not response.has_header(CHOSEN)


@each_refusal
def test_a_connect_that_is_refused_gives_its_ticket_back(mount, alice, view, status):
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    ws = WebSocketClient(mount(view), ticket=ticket, browser=browser())
    assert ws.connect().status_code == status
    again = WebSocketClient(mount(TalkView), ticket=ticket)
    assert answered(again.connect()) == WELCOME
    assert again.session.user == alice


@each_refusal
def test_who_was_refused_may_try_again_with_the_same_connection(mount, view, status):
    ws = WebSocketClient(mount(view), browser=browser())
    assert ws.connect().status_code == status
    mount(TalkView)
    assert answered(ws.connect()) == WELCOME


# A $connect that AWS repeats


def test_a_repetition_keeps_the_session(websocket, mount, alice):
    ws = websocket(mount(TalkView), user=alice, channel="lobby", headers={CHOSEN: "talk.v2"})
    session = ws.session
    response = ws.connect()
    assert (answered(response), response[CHOSEN]) == (WELCOME, "talk.v2")
    assert ws.session == session
    assert WebSocketSession.objects.count() == 1


@each_refusal
def test_a_repetition_that_is_refused_leaves_the_open_session(mount, alice, view, status):
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    ws = WebSocketClient(mount(TalkView), ticket=ticket, browser=browser())
    ws.connect()
    session = ws.session
    mount(view)
    assert ws.connect().status_code == status
    assert (ws.session, ws.session.connected) == (session, True)
    assert ws.send({"action": "whoami"}).json() == {"user": "alice"}
    other = WebSocketClient(mount(TalkView), ticket=ticket)
    assert answered(other.connect()) == (403, b"The ticket is not valid")


def test_a_repetition_for_another_channel_that_is_refused_leaves_the_open_session(websocket):
    ws = websocket("/ws/", channel="lobby")
    ws.channel = "attic"
    assert answered(ws.connect()) == (409, b"The connection exists")
    assert ws.session.channel_name == "lobby"
    assert ws.send({"action": "later"}).status_code == 200


def test_a_connect_that_does_not_call_super_opens_no_session(mount):
    class HermitView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            return {}

    ws = WebSocketClient(mount(HermitView))
    assert answered(ws.connect()) == WELCOME
    assert ws.session is None
    assert answered(ws.send({"action": "later"})) == (400, b"Unknown connection")
