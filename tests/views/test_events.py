"""What a request's headers tell about its event."""

from __future__ import annotations

import logging

import pytest
from django.test import RequestFactory

from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import events

HEADERS = {
    "connectionid": "JC1dgf9yoAMCK-g=",
    "x-amzn-apigateway-api-id": "abc123",
    "ORIGIN": "https://example.com",
    "User-agent": "AmazonAPIGateway_abc123",
    "X-FORWARDED-PROTO": "https",
    "requestId": "JC1dhE5JIAMFc5w=",
    "sourceip": "203.0.113.1",
    "sec-websocket-protocol": "chat.v2 , chat.v1,",
}


def event_of(headers):
    return events.event_of(RequestFactory().post("/ws/default", headers=headers))


EMPTY = {"secret": "", "ticket": "", "missing_headers": (), "has_route_response": False}


def test_an_event_is_read_from_its_headers_whatever_their_letter_case():
    assert vars(event_of(HEADERS)) == dict(
        **EMPTY,
        connection_id="JC1dgf9yoAMCK-g=",
        api_id="abc123",
        origin="https://example.com",
        user_agent="AmazonAPIGateway_abc123",
        client_scheme="https",
        request_id="JC1dhE5JIAMFc5w=",
        source_ip="203.0.113.1",
        subprotocols=("chat.v2", "chat.v1"),
    )


def test_what_no_header_tells_is_empty():
    assert set(vars(event_of({})).values()) == {"", (), False}


@pytest.mark.parametrize(
    ("header", "scheme"),
    [("http", "http"), ("HTTPS", "https"), ("https,http", "https"), (" http , https", "http")],
)
def test_the_clients_scheme_stands_before_those_of_the_proxies(header, scheme):
    assert event_of({"X-Forwarded-Proto": header}).client_scheme == scheme


@pytest.mark.django_db
def test_the_log_of_a_refusal_bears_aws_s_request_id(caplog):
    ws = WebSocketClient("/ws/", headers={"requestId": "JC1dhE5JIAMFc5w=", "Origin": "null"})
    with caplog.at_level(logging.WARNING, "django_aws_api_gateway_websockets.views"):
        ws.connect()
    (line,) = [r.getMessage() for r in caplog.records if r.name.endswith(".views")]
    assert "reason=RequestRefused Host is not in Origin origin='null' route='connect'" in line
    assert "request_id='JC1dhE5JIAMFc5w='" in line
