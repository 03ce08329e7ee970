"""A site for tests/fuzz.py: its view notes what it is made to run, and there is much to be had.

A request may say words for what only a running site knows (a proof, a ticket, the key of a login).
They are filled in when it is sent, so that a request that fails can be read, and be sent again.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional
from urllib.parse import quote

from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.decorators import permission_required
from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import connected_client, outbox
from django_aws_api_gateway_websockets.views import WebSocketTokenView, WebSocketView
from tests.aws_requests import HANDSHAKE, post
from tests.factories import make_created_gateway, make_gateway

#: The connections that there are before a request comes.
GUEST, ALICE, NEIGHBOUR, CLOSED = CONNECTIONS = ("Guest=", "Alice=", "Neighbour=", "Closed=")

#: The words.
LOGIN, TICKET, PROOF, OTHER_PROOF = ("LoginOfAlice", "TicketOfBob", "TrueProof", "OtherProof")
UNDEPLOYED_PROOF, FINGERPRINT = ("UndeployedProof", "Fingerprint")
HOME, OTHER = ("HomeGateway", "OtherGateway")

API_ID = "X-Amzn-Apigateway-Api-Id"

#: The parameter of a $connect that the view refuses after all.
FULL = "full"

#: What the view was made to run, by name.
ran: List[str] = []


class Inherited:
    def inherited(self, request: Any, *args: Any, **kwargs: Any) -> None:
        ran.append("inherited")


class WatchedView(Inherited, WebSocketView):
    """Handlers, and what looks like one."""

    allow_channel_change = True
    subprotocols = ("json",)

    def say(self, request: Any, *args: Any, **kwargs: Any) -> None:
        ran.append("say")
        room = WebSocketSession.objects.filter(channel_name=self.websocket_session.channel_name)
        room.send_message({"text": str(self.body.get("text"))[:99]})

    async def later(self, request: Any, *args: Any, **kwargs: Any) -> Dict[str, Any]:
        ran.append("later")
        return {"keys": sorted(self.body)[:9]}

    def default(self, request: Any, *args: Any, **kwargs: Any) -> None:
        ran.append("default")

    @permission_required("auth.delete_user")
    def forbidden(self, request: Any, *args: Any, **kwargs: Any) -> None:
        ran.append("forbidden")

    def connect(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().connect(request, *args, **kwargs)
        if FULL in request.GET:
            return HttpResponse(status=403)
        ran.append("connect")
        return answer

    def disconnect(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        ran.append("disconnect")
        return super().disconnect(request, *args, **kwargs)

    def handler_failed(self, request: Any, error: Exception) -> None:
        ran.append("handler_failed")

    def _private(self, request: Any, *args: Any, **kwargs: Any) -> None:
        ran.append("_private")

    @staticmethod
    def static(*args: Any, **kwargs: Any) -> None:
        ran.append("static")

    @classmethod
    def of_class(cls, *args: Any, **kwargs: Any) -> None:
        ran.append("of_class")

    @property
    def secret(self) -> None:
        ran.append("secret")


HANDLERS = ("say", "later", "inherited")
NO_HANDLERS = (
    *("connect", "disconnect", "default", "handler_failed", "_private", "static", "of_class"),
    *("secret", "dispatch", "setup", "as_view", "options", "__class__", "__init__", "_debug"),
    *("http_method_not_allowed", "body", "request", "model", "_handlers", "missing_headers"),
    *("say ", "Say", "say\0", "no such method", ""),
)

URLS = (
    path("ws/<slug:route>", WatchedView.as_view()),
    path("ticket/", WebSocketTokenView.as_view()),
)


class Sent(NamedTuple):
    """One HTTP request. Its headers win over those of API Gateway; None leaves one out."""

    route: str = "default"
    body: bytes = b""
    query: str = ""
    headers: Mapping[str, Optional[str]] = {}
    connection_id: str = GUEST
    method: str = "POST"


class Site:
    """Three gateways, four connections, a login and a ticket: what a request may be about."""

    def __init__(self, alice: Any, bob: Any) -> None:
        guest = connected_client("/ws/", connection_id=GUEST, channel="lobby")
        hers = connected_client("/ws/", connection_id=ALICE, user=alice)
        self.home, self.other = guest.gateway, _proven(make_created_gateway())
        connected_client("/ws/", connection_id=NEIGHBOUR, gateway=self.other)
        connected_client("/ws/", connection_id=CLOSED).disconnect()
        self.home.default_channel_name = "hall"
        self.home.save()
        self._words = {
            LOGIN: hers.browser.session.session_key,
            TICKET: _ticket_of(bob),
            PROOF: proof.value_for(self.home),
            OTHER_PROOF: proof.value_for(self.other),
            UNDEPLOYED_PROOF: proof.value_for(_proven(make_gateway())),
            FINGERPRINT: self.home.source_proof,
            HOME: self.home.api_id,
            OTHER: self.other.api_id,
        }

    def answer(self, sent: Sent) -> Any:
        """Send a request as an event of the home gateway's; return the response."""
        shake = HANDSHAKE if sent.route == "connect" else {}
        headers = {**shake, "Connectionid": sent.connection_id, **sent.headers}
        return post(
            _Event(self.home, sent.connection_id),
            quote(sent.route, safe=""),
            sent.body,
            method=sent.method,
            headers={name: value and self.filled(value) for name, value in headers.items()},
            QUERY_STRING=self.filled(sent.query),
            # The test client's own one fails when more is read than there is; a socket ends.
            **{"wsgi.input": io.BytesIO(sent.body)},
        )

    def filled(self, text: str) -> str:
        """The text with the values of the words."""
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    def sessions(self) -> Dict[str, Any]:
        """The rows of the sessions, but for when they were written, by connection id."""
        columns = ("channel_name", "user__username", "connected", "request_count", "api_gateway")
        login = ("auth_hash", "login")
        rows = WebSocketSession.objects.values_list("connection_id", *columns, *login, named=True)
        return {row.connection_id: row for row in rows}

    def tickets(self) -> List[Any]:
        return list(WebSocketTicket.objects.order_by("pk").values())


@contextmanager
def undone() -> Iterator[None]:
    """What is written, sent and run in the block is gone after it."""
    outbox.clear()
    ran.clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class _Event(NamedTuple):
    gateway: Any
    connection_id: str


def _proven(gateway: Any) -> Any:
    gateway.source_proof = proof.fingerprint(proof.value_for(gateway))
    gateway.save()
    return gateway


def _ticket_of(user: Any) -> str:
    browser = Client()
    browser.force_login(user)
    return str(browser.post("/ticket/").json()["ws_token"])
