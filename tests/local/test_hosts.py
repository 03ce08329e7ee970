"""The names by which the HTTP port answers: a web page must not reach it by one of its own."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from .backend import PATIENCE
from .refusals import CERTIFICATE, SIGNED

FOREIGN = ["evil.example", "evil.example:9001", "localhost.evil.example", "127.0.0.1.evil.example"]
OWN = ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:9001", "192.0.2.7", "chat.localhost"]


def asked_by(raw, host, path="/v2/apis"):
    return raw("GET", path, headers={**SIGNED, "Host": host})


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/v2/apis", "/production/@connections/AAAAAAAAAAAAAAA="])
def test_a_foreign_name_is_refused_whatever_is_asked(world, raw, caplog, host, path):
    world.api()
    answer = asked_by(raw, host, path)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, "ForbiddenException")
    assert "is no name of this gateway" in json.loads(answer.body)["message"]
    assert "is no name of this gateway" in caplog.text


@pytest.mark.parametrize("path", ["/v2/apis", "/production/@connections/AAAAAAAAAAAAAAA="])
def test_a_host_that_is_none_is_a_400(world, raw, caplog, path):
    answer = asked_by(raw, "[", path)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "BadRequestException")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("host", OWN)
def test_an_address_and_the_names_of_this_machine_are_answered(raw, host):
    assert asked_by(raw, host).status == 200


def test_a_custom_domain_is_answered_for_connections_alone(world, raw):
    world.control.create_domain_name(
        DomainName="ws.example.com", DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}]
    )
    callback = "/@connections/AAAAAAAAAAAAAAA="
    answers = [asked_by(raw, "ws.example.com", path).body for path in ("/v2/apis", callback)]
    assert [b"is no name" in body for body in answers] == [True, False]


def test_the_public_names_are_answered_and_given_to_the_clients(world):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    world.start(
        control_port=port,
        public_socket_url="ws://localhost:19000",
        public_endpoint_url="http://gateway:9001",
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/v2/apis", headers={**SIGNED, "Host": "gateway:9001"})
    assert connection.getresponse().status == 200
    connection.close()
    assert world.gateway.endpoint_url == "http://gateway:9001"
    assert world.gateway.socket_endpoint == "ws://localhost:19000"


def test_this_machine_is_guarded_even_if_others_may_come_in(world, raw):
    world.start(host="0.0.0.0")  # noqa: S104 - that is what is tested
    assert [asked_by(raw, host).status for host in ("evil.example", "localhost")] == [403, 200]


@pytest.mark.parametrize(
    "headers",
    [
        b"no colon\r\n",
        b"Content-Length: 0\r\nContent-Length: 1\r\n",
        b"Host: a\r\nHost: b\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    ],
)
def test_a_head_that_is_not_clear_is_a_400(world, caplog, headers):
    address = urlsplit(world.gateway.endpoint_url)
    signature = f"Authorization: {SIGNED['Authorization']}\r\n".encode()
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        sock.sendall(b"GET /v2/apis HTTP/1.1\r\n" + signature + headers + b"\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
    assert "Traceback" not in caplog.text


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="This system has no dual stack")
def test_every_interface_of_both_families_is_listened_on(world):
    gateway = world.start(host="::")
    for family in ("127.0.0.1", "::1"):
        port = int(gateway.endpoint_url.rpartition(":")[2])
        socket.create_connection((family, port), 5).close()
