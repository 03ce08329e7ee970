"""What is no handshake has its line on the console, and an answer where HTTP was spoken."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE, Reply
from .refusals import SIGNED

UPGRADE = (
    b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def spoken(world, data):
    """What the port of the sockets answers to these bytes, to the end of the connection."""
    address = urlsplit(world.gateway.socket_endpoint)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        sock.sendall(data)
        answer = b""
        with suppress(ConnectionResetError):
            while more := sock.recv(65536):
                answer += more
        return answer


def refusals(world, caplog):
    """The lines on refused connections. Each may be a moment later than the answer."""

    def found():
        return [line for line in caplog.messages if line.startswith("connection refused")]

    world.until(found)
    return found()


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /v2/apis HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /a/b HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /a/b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /a/b HTTP/1.1\r\nthis is no header\r\n\r\n",
        b"GET /a/\0 HTTP/1.1\r\nA: \0\r\n\r\n",
        b"GET /a/b HTTP/1.1\nHost: localhost\n\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n" + UPGRADE + b"\r\n",
        b"GET /a/b HTTP/2.0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /a/b HTTP/1.1\r\n" + UPGRADE.replace(b"localhost", b"[") + b"\r\n",
    ],
)
def test_a_request_that_cannot_be_read_is_a_400_with_a_line(world, caplog, request_head):
    assert spoken(world, request_head).startswith(b"HTTP/1.1 400 ")
    (line,) = refusals(world, caplog)
    assert "status=400" in line


@pytest.mark.parametrize("path", [b"/v2/apis", b"/production/%40connections/x"])
def test_a_get_of_boto3_is_sent_to_the_other_port_as_well(world, caplog, path):
    spoken(world, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    (line,) = refusals(world, caplog)
    assert "boto3 goes to the other port" in line


@pytest.mark.parametrize("data", [b"\x80.\x01\x03\x01", b"\xff\xfe\r\n\r\n", b"\0\0\0\0"])
def test_what_is_no_http_at_all_is_dropped_at_once(world, caplog, data):
    assert spoken(world, data) == b""
    (line,) = refusals(world, caplog)
    assert "not HTTP" in line


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_handshake_has_one_host(world, caplog, hosts):
    head = UPGRADE.replace(b"Host: localhost\r\n", hosts)
    assert spoken(world, b"GET /a/b HTTP/1.1\r\n" + head + b"\r\n").startswith(b"HTTP/1.1 400")


def test_the_console_has_nothing_that_a_client_has_sent_in_a_broken_header(world, caplog):
    spoken(world, b"GET /a/b HTTP/1.1\r\nCookie: secret\0\r\n\r\n")
    refusals(world, caplog)
    assert "secret" not in caplog.text


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_boto3_on_the_port_of_the_sockets_is_sent_to_the_other_one(world, caplog, method, body):
    address = urlsplit(world.gateway.socket_endpoint)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    connection.request(method, "/production/@connections/x", body, SIGNED)
    assert 400 <= connection.getresponse().status < 500
    connection.close()
    (line,) = refusals(world, caplog)
    assert "boto3 goes to the other port" in line


def test_tls_is_told_to_be_ws_here(world, caplog):
    address = urlsplit(world.gateway.socket_endpoint)
    context = ssl.create_default_context()
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        refused = pytest.raises((ssl.SSLError, ConnectionError))
        with refused:
            context.wrap_socket(sock, server_hostname="localhost")
    (line,) = refusals(world, caplog)
    assert "sockets are ws:// here" in line


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + UPGRADE + b"\r\n", 414),
        (b"GET /a/b HTTP/1.1\r\nCookie: " + b"a" * 9000 + b"\r\n" + UPGRADE + b"\r\n", 431),
        (b"GET /a/b HTTP/1.1\r\n" + b"A: a\r\n" * 300 + b"\r\n", 431),
    ],
)
def test_a_request_that_is_too_large_is_told(world, caplog, request_head, status):
    assert spoken(world, request_head).startswith(b"HTTP/1.1 %d " % status)
    (line,) = refusals(world, caplog)
    assert f"status={status}" in line


def test_a_client_that_does_not_finish_its_request_is_told(world, caplog):
    world.start(Limits(handshake_timeout=0.1))
    assert spoken(world, b"GET /a/b HTTP/1.1\r\n") == b""
    (line,) = refusals(world, caplog)
    assert "no whole request within 0.1 s" in line


@pytest.mark.parametrize("chosen", [None, "chat.v3"])
def test_a_subprotocol_that_is_not_chosen_is_warned_of(world, caplog, chosen):
    api = world.api()
    headers = {"Sec-WebSocket-Protocol": chosen} if chosen else {}
    world.backend.answer("connect", Reply(headers=headers))
    sock = world.bare(api.url, b"Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n")
    assert sock.recv(1000).startswith(b"HTTP/1.1 101")
    (line,) = [line for line in caplog.messages if line.startswith("subprotocol")]
    assert "offered=2" in line
    assert "chat.v" not in line


def test_a_subprotocol_that_is_chosen_is_not(world, caplog):
    api = world.api()
    world.backend.answer("connect", Reply(headers={"Sec-WebSocket-Protocol": "chat.v2"}))
    sock = world.bare(api.url, b"Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n")
    assert sock.recv(1000).startswith(b"HTTP/1.1 101")
    assert not [line for line in caplog.messages if line.startswith("subprotocol")]
