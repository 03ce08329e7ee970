"""What $connect tells the integration: rows 5 to 7 of the fidelity list."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

# Row 5: $connect carries client headers and query string, not Host or hop-by-hop.


def test_connect_carries_the_clients_headers_and_query_string(world):
    api = world.api()
    sent = {"Cookie": "sessionid=abc; csrftoken=def"}
    world.connect(
        f"{api.url}?channel=a%20b&tag=1&tag=2",
        additional_headers=sent,
        origin="https://page.example",
    )
    request = world.backend.one("connect")
    assert request.method == "POST"
    assert request.query == "channel=a%20b&tag=1&tag=2"
    assert request.header("Cookie") == "sessionid=abc; csrftoken=def"
    assert request.header("Origin") == "https://page.example"
    for name in ("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions"):
        assert request.header(name)


def test_odd_bytes_in_a_header_are_handed_on_as_they_are(world):
    world.bare(world.api().url, "X-Custom: déjà vu\r\n".encode())
    assert world.backend.one("connect").header("X-Custom").encode("latin-1").decode() == "déjà vu"


def test_what_the_client_says_of_compression_is_handed_on_and_nothing_is_invented(world):
    api = world.api()
    client = world.connect(api.url, additional_headers={"Accept-Encoding": "gzip, br"})
    client.send("hello")
    assert world.backend.one("connect").all("Accept-Encoding") == ["gzip, br"]
    assert world.backend.one("default").header("Accept-Encoding") is None


def test_a_header_that_came_twice_is_handed_on_twice(world):
    api = world.api()
    world.connect(api.url, additional_headers=[("X-Many", "1"), ("X-Many", "2")])
    assert world.backend.one("connect").all("X-Many") == ["1", "2"]


def test_hop_by_hop_headers_end_at_the_gateway(world):
    api = world.api()
    sent = {"TE": "trailers", "Keep-Alive": "timeout=5", "Proxy-Authorization": "Basic eDp5"}
    world.connect(api.url, additional_headers=sent)
    request = world.backend.one("connect")
    for name in ("Connection", "Upgrade", "TE", "Keep-Alive", "Proxy-Authorization"):
        assert request.header(name) is None


def test_the_integrations_own_query_string_stays(world):
    api = world.api(IntegrationUri=f"{world.backend.url}/connect?own=1")
    world.connect(f"{api.url}?channel=x")
    assert world.backend.one("connect").query == "own=1&channel=x"


# Row 6: adds X-Forwarded-*, X-Amzn-Trace-Id, X-Amzn-Apigateway-Api-Id, a User-Agent if none.


def test_the_gateway_adds_its_own_headers(world):
    api = world.api()
    world.connect(api.url, user_agent_header=None)
    request = world.backend.one("connect")
    assert request.header("X-Forwarded-For") == "127.0.0.1"
    assert request.header("X-Forwarded-Proto") == "http"
    assert request.header("X-Forwarded-Port") == str(urlsplit(api.url).port)
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", request.header("X-Amzn-Trace-Id"))
    assert request.header("X-Amzn-Apigateway-Api-Id") == api.id
    assert request.header("User-Agent") == f"AmazonAPIGateway_{api.id}"


def test_a_clients_own_user_agent_is_handed_on(world):
    world.connect(world.api().url, user_agent_header="Browser/1")
    assert world.backend.one("connect").all("User-Agent") == ["Browser/1"]


def test_forged_headers_do_not_replace_the_gateways_own(world):
    api = world.api()
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "x-forwarded-proto": "https",
        "x-amzn-apigateway-api-id": "forged",
        "CONNECTIONID": "forged",
    }
    world.connect(api.url, additional_headers=forged)
    request = world.backend.one("connect")
    assert request.all("X-Forwarded-For") == ["6.6.6.6, 127.0.0.1"]
    assert request.all("X-Forwarded-Proto") == ["http"]
    assert request.all("X-Amzn-Apigateway-Api-Id") == [api.id]
    assert request.all("connectionId") == list(world.gateway.connections)


# Row 7: Host is the integration's.


def test_the_host_is_the_integrations(world):
    world.connect(world.api().url)
    assert world.backend.one("connect").all("Host") == [urlsplit(world.backend.url).netloc]
