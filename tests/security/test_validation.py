"""Validation: the questions about a request. tests/views tests what they decide together."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.security import origins, validation
from django_aws_api_gateway_websockets.security.origins import Origin


@pytest.mark.parametrize(
    ("value", "origin", "netloc"),
    [
        ("https://example.com", ("https", "example.com", 443), "example.com"),
        ("https://example.com:443", ("https", "example.com", 443), "example.com"),
        ("https://example.com:80", ("https", "example.com", 80), "example.com:80"),
        ("http://example.com", ("http", "example.com", 80), "example.com"),
        ("HTTP://Example.COM:8000", ("http", "example.com", 8000), "example.com:8000"),
        ("https://[::1]", ("https", "[::1]", 443), "[::1]"),
        ("https://[2001:DB8::1]:8443", ("https", "[2001:db8::1]", 8443), "[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_parsed(value, origin, netloc):
    parsed = Origin.parse(value)
    assert parsed == origin
    assert parsed.netloc == netloc


@pytest.mark.parametrize("value", ["", "null", "https://", "https://example.com/", "ws://a"])
def test_what_is_no_origin_is_none(value):
    assert Origin.parse(value) is None


def test_missing_headers_are_told_in_their_order():
    headers = {"B": "", "C": "here"}
    assert validation.missing_headers(headers, ["C", "B", "A"]) == ("B", "A")


@pytest.mark.parametrize(
    ("patterns", "host", "expected"),
    [
        (["*"], "example.com", False),
        (["*", "example.com"], "example.com", True),
        ([".example.com"], "www.example.com", True),
        ([], "example.com", False),
    ],
)
def test_any_host_in_allowed_hosts_names_no_site(patterns, host, expected):
    assert origins.is_site_host(host, patterns) is expected


@pytest.mark.parametrize(("host", "allowed"), [("testserver", True), ("evil.net", False)])
def test_a_requests_host_must_be_allowed(host, allowed):
    request = RequestFactory().get("/", headers={"Host": host})
    assert validation.has_allowed_host(request) is allowed


@pytest.mark.parametrize(
    ("column", "width"),
    [
        ("channel_name", validation.MAX_CHANNEL_NAME),
        ("connection_id", validation.MAX_CONNECTION_ID),
    ],
)
def test_the_widths_are_those_of_the_columns(column, width):
    assert WebSocketSession._meta.get_field(column).max_length == width


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("wss://X.example.com/production", "x.example.com"),
        ("ws://127.0.0.1:9000/x", "127.0.0.1"),
        ("", ""),
        ("example.com", ""),
    ],
)
def test_the_host_of_a_url_is_told_in_lower_case(url, host):
    assert origins.host_of(url) == host
