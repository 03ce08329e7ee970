"""Which headers an event must have, and which gateways and connections are ours."""

from __future__ import annotations

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, post
from tests.chat import ChatView
from tests.factories import make_created_gateway, make_gateway, make_session

pytestmark = pytest.mark.django_db

#: As in 1.1.1, the answer for an unknown gateway is that for a missing header.
HEADERS_MISSING = GATEWAY_UNKNOWN = (400, b"Some of the required headers are missing")
CONNECTION_UNKNOWN = (400, b"Unknown connection")

REQUIRED = [name for name in WebSocketView.required_headers if name != "Content-Length"]


@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
@pytest.mark.parametrize("name", REQUIRED)
def test_an_event_without_a_header_of_every_event_is_refused(websocket, settings, name, value):
    settings.MIDDLEWARE = []  # CommonMiddleware would answer an empty Host itself.
    ws = websocket("/ws/")
    for route in ("connect", "default", "disconnect"):
        response = post(ws, route, headers={**HANDSHAKE, name: value})
        assert answered(response) == HEADERS_MISSING
    assert (ws.session.connected, ws.session.request_count) == (True, 1)


@pytest.mark.parametrize("name", WebSocketView.required_connection_headers)
def test_a_connect_without_a_header_of_the_handshake_is_refused(name):
    ws = WebSocketClient("/ws/")
    assert answered(post(ws, "connect", headers={**HANDSHAKE, name: None})) == (
        400,
        b"Missing 1 headers",
    )
    assert ws.session is None


def test_the_refusal_counts_the_missing_headers_of_the_handshake():
    response = post(WebSocketClient("/ws/"), "connect")
    assert answered(response) == (400, b"Missing 3 headers")


def test_only_a_connect_needs_the_headers_of_the_handshake(websocket):
    ws = websocket("/ws/")
    for route in ("later", "disconnect"):
        assert post(ws, route).status_code == 200


def test_the_log_names_the_missing_headers_and_the_answer_does_not(caplog):
    ws = WebSocketClient("/ws/")
    with caplog.at_level(logging.WARNING, "django_aws_api_gateway_websockets.views"):
        response = post(ws, "connect", headers={**HANDSHAKE, "X-Forwarded-For": None})
    (line,) = [r.getMessage() for r in caplog.records if r.name.endswith(".views")]
    assert "HeadersMissing Missing X-Forwarded-For" in line
    assert repr(ws.connection_id) in line
    assert b"X-Forwarded-For" not in response.content


def test_a_refusals_log_line_stays_one_line(caplog):
    ws = WebSocketClient("/ws/", connection_id="x\nforged")
    with caplog.at_level(logging.WARNING, "django_aws_api_gateway_websockets.views"):
        ws.connect()
    (line,) = [r.getMessage() for r in caplog.records if r.name.endswith(".views")]
    assert "\n" not in line


@pytest.mark.parametrize("event", ["connect", "disconnect"])
def test_a_view_requires_further_headers_of_every_event(websocket, mount, event):
    class CautiousView(WebSocketView):
        additional_required_headers = ["X-Amzn-Trace-Id"]

    ws = WebSocketClient(mount(CautiousView), headers={"X-Amzn-Trace-Id": "Root=1"})
    assert ws.connect().status_code == 200
    assert answered(post(ws, event, headers=HANDSHAKE)) == HEADERS_MISSING


def test_a_view_requires_other_headers_of_the_handshake(mount):
    class CautiousView(WebSocketView):
        required_connection_headers = ["Origin", "Cookie", "X-Real-Ip"]

    ws = WebSocketClient(mount(CautiousView))
    assert answered(ws.connect()) == (400, b"Missing 2 headers")
    ws.headers = {"Cookie": "a=b", "X-Real-Ip": "203.0.113.1", "Sec-WebSocket-Key": None}
    assert ws.connect().status_code == 200


def test_a_view_requires_fewer_headers(websocket, mount):
    class LenientView(WebSocketView):
        required_headers = ["Connectionid"]
        required_connection_headers = []

    ws = WebSocketClient(mount(LenientView))
    response = post(
        ws,
        "connect",
        headers={"Origin": "https://testserver", "X-Forwarded-For": None, "User-Agent": None},
    )
    assert response.status_code == 200


def test_without_a_required_connection_id_there_still_is_none(mount):
    class LenientView(WebSocketView):
        required_headers = []

    ws = WebSocketClient(mount(LenientView))
    response = post(ws, "connect", headers={**HANDSHAKE, "Connectionid": None})
    assert answered(response) == (400, b"Invalid connection id")


def test_a_user_agent_is_not_looked_at_unless_a_view_asks(websocket):
    assert websocket("/ws/", headers={"User-Agent": "Mozilla/5.0"}).session


class AgentView(ChatView):
    check_useragent = True


def test_a_view_that_asks_is_served_by_api_gateways_user_agent(websocket, mount):
    assert websocket(mount(AgentView)).send({"action": "later"}).status_code == 200


@pytest.mark.parametrize("agent", ["Mozilla/5.0", "xAmazonAPIGateway_id", "AmazonAPIGateway"])
def test_a_view_that_asks_refuses_another_user_agent(websocket, mount, agent):
    ws = websocket(mount(AgentView))
    for route in ("connect", "default", "disconnect"):
        response = post(ws, route, headers={**HANDSHAKE, "User-Agent": agent})
        assert answered(response) == (400, b"Unexpected Useragent")


def test_a_view_chooses_the_user_agent_it_expects(websocket, mount):
    url = mount(AgentView, expected_useragent_prefix="Example/")
    assert websocket(url, headers={"User-Agent": "Example/1.0"}).session
    assert answered(WebSocketClient(url).connect()) == (400, b"Unexpected Useragent")


def test_each_gateway_of_the_database_is_served(websocket):
    for gateway in (make_created_gateway(), make_created_gateway()):
        ws = websocket("/ws/", gateway=gateway)
        assert ws.session.api_gateway == gateway
        assert ws.send({"action": "later"}).status_code == 200


def test_a_connect_from_an_unknown_gateway_is_refused(websocket):
    ws = WebSocketClient("/ws/", headers={"X-Amzn-Apigateway-Api-Id": "unknown"})
    assert answered(ws.connect()) == GATEWAY_UNKNOWN
    assert ws.session is None


class NoHeadersView(ChatView):
    """Leaves the refusal of an absent API id to what comes after the headers."""

    required_headers = []


@pytest.mark.parametrize("api_id", [None, ""], ids=["absent", "empty"])
@pytest.mark.parametrize("view", [ChatView, NoHeadersView])
def test_an_empty_api_id_is_refused_while_an_undeployed_gateway_exists(mount, view, api_id):
    undeployed = make_gateway()
    assert undeployed.api_id == ""
    headers = {"X-Amzn-Apigateway-Api-Id": api_id}
    ws = WebSocketClient(mount(view), gateway=undeployed, headers=headers)
    assert ws.connect().status_code == 400
    assert ws.session is None


@pytest.mark.parametrize("view", [ChatView, NoHeadersView])
def test_an_empty_api_id_reaches_no_session_of_an_undeployed_gateway(mount, view):
    undeployed = make_gateway()
    session = make_session(undeployed)
    ws = WebSocketClient(mount(view), gateway=undeployed, connection_id=session.connection_id)
    assert ws.send({"action": "later"}).status_code == 400
    assert ws.disconnect().status_code == 400
    assert WebSocketSession.objects.get().connected


def refused_as_foreign(url, gateway, connection_id):
    """True if neither a message nor a $disconnect comes through for that connection."""
    foreign = WebSocketClient(url, gateway=gateway, connection_id=connection_id)
    for response in (foreign.send({"action": "later"}), foreign.disconnect()):
        assert answered(response) == CONNECTION_UNKNOWN
    return foreign.session.connected and foreign.session.request_count == 1


def test_a_connection_of_another_gateway_is_refused(websocket):
    ws = websocket("/ws/")
    assert refused_as_foreign("/ws/", make_created_gateway(), ws.connection_id)


def test_a_connection_of_a_gateway_that_was_deleted_is_refused(websocket):
    ws = websocket("/ws/", gateway=make_created_gateway())
    ws.session.api_gateway.delete()
    assert answered(ws.send({"action": "later"})) == GATEWAY_UNKNOWN


def test_a_view_for_one_api_refuses_the_others(mount):
    gateway = make_created_gateway()
    url = mount(ChatView, aws_api_gateway_id=gateway.api_id)
    assert WebSocketClient(url, gateway=gateway).connect().status_code == 200
    other = WebSocketClient(url, gateway=make_created_gateway())
    assert answered(other.connect()) == GATEWAY_UNKNOWN


def test_a_view_for_one_api_serves_it_though_the_database_does_not_know_it(websocket, mount):
    url = mount(ChatView, aws_api_gateway_id="elsewhere")
    unsaved = make_gateway()
    unsaved.api_id = "elsewhere"
    ws = websocket(url, gateway=unsaved)
    assert ws.session.api_gateway is None
    assert ws.send({"action": "later"}).json() == {"async": True}
    assert ws.disconnect().status_code == 200


def test_a_view_for_one_api_refuses_a_connection_of_another_gateway(websocket, mount):
    ws = websocket("/ws/", gateway=make_created_gateway())
    own = make_created_gateway()
    url = mount(ChatView, aws_api_gateway_id=own.api_id)
    assert refused_as_foreign(url, own, ws.connection_id)


def test_the_handler_finds_the_gateway_and_the_session(websocket, mount):
    class AskingView(WebSocketView):
        def who(self, request, *args, **kwargs):
            return {
                "gateway": self.api_gateway.pk,
                "session": self.websocket_session.pk,
                "anonymous": request.user.is_anonymous,
            }

    ws = websocket(mount(AskingView))
    answer = ws.send({"action": "who"}).json()
    assert answer == {"gateway": ws.gateway.pk, "session": ws.session.pk, "anonymous": True}


@pytest.mark.parametrize("route", ["connect", "default", "disconnect"])
@pytest.mark.parametrize("api_id", ["\0", "a\0", "two words", "x" * 33, "é"])
def test_an_api_id_that_is_none_is_refused_before_the_database_is_asked(websocket, route, api_id):
    ws = websocket("/ws/")
    headers = {**HANDSHAKE, "X-Amzn-Apigateway-Api-Id": api_id}
    with CaptureQueriesContext(connection) as captured:
        response = post(ws, route, headers=headers)
    assert (answered(response), len(captured)) == (GATEWAY_UNKNOWN, 0)


def test_connection_ids_differ_by_letter_case_in_every_database(websocket):
    ws = websocket("/ws/", connection_id="abcDEF=")
    other = WebSocketClient("/ws/", connection_id="ABCdef=")
    assert answered(other.send({"action": "later"})) == CONNECTION_UNKNOWN
    assert answered(other.disconnect()) == CONNECTION_UNKNOWN
    assert ws.session.connected


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-16", "latin-1"])
def test_a_content_type_does_not_say_how_the_query_is_read(websocket_outbox, charset):
    ws = WebSocketClient(
        "/ws/", channel="Café +2AA-", headers={"Content-Type": f"a/b; charset={charset}"}
    )
    assert answered(ws.connect()) == (200, b"{}")
    assert ws.session.channel_name == "Café +2AA-"


@pytest.mark.parametrize("token", ["%2B2AA-", "%5Cud800", "%00", "%ff"])
@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-8"])
def test_a_ticket_that_is_no_text_is_one_that_is_not_valid(websocket_outbox, charset, token):
    headers = {**HANDSHAKE, "Content-Type": f"text/plain; charset={charset}"}
    response = post(
        WebSocketClient("/ws/"), "connect", headers=headers, QUERY_STRING=f"ws_token={token}"
    )
    assert answered(response) == (403, b"The ticket is not valid")
