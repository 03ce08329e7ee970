"""The HTTP port that boto3 talks to: row 28 of the fidelity list, and HTTP itself."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from urllib.parse import quote, urlsplit

import pytest

pytest.importorskip("websockets")

from .backend import PATIENCE
from .refusals import SIGNED

UNKNOWN = "AAAAAAAAAAAAAAA="

# Row 28: errors carry x-amzn-ErrorType.


@pytest.mark.parametrize(
    ("method", "path", "status", "error_type"),
    [
        ("GET", f"/production/@connections/{UNKNOWN}", 410, "GoneException"),
        ("GET", "/production/@connections/x", 400, "BadRequestException"),
        ("GET", f"/elsewhere/@connections/{UNKNOWN}", 403, "ForbiddenException"),
        ("PATCH", f"/production/@connections/{UNKNOWN}", 403, "ForbiddenException"),
        ("GET", "/v2/apis/unknown", 404, "NotFoundException"),
        ("GET", "/v2/nonsense", 404, "NotFoundException"),
        ("GET", "/", 404, "NotFoundException"),
    ],
)
def test_errors_name_their_type_in_a_header(world, raw, method, path, status, error_type):
    world.api()
    answer = raw(method, path)
    assert answer.status == status
    assert answer.headers["x-amzn-ErrorType"] == error_type
    assert json.loads(answer.body)["message"]


# HTTP itself


def test_the_port_keeps_connections_alive_across_answers_and_errors(world, raw):
    client = world.connect(world.api().url)
    path = f"/production/@connections/{world.connection_id}"
    assert raw("POST", path, b"1").status == 200
    assert raw("POST", f"/production/@connections/{UNKNOWN}", b"unread?").status == 410
    assert raw("POST", path, b"2").status == 200
    assert raw("DELETE", path).status == 204
    answer = raw("GET", path)
    assert answer.status == 410
    assert answer.headers.get("Connection") is None
    assert [client.recv(PATIENCE) for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": "many"}, {"Content-Length": "10485761"}, {"Transfer-Encoding": "chunked"}],
)
def test_a_body_of_unknown_or_absurd_length_is_refused(world, raw, headers):
    world.api()
    answer = raw("POST", "/v2/apis", headers={**SIGNED, **headers})
    assert answer.status == 400
    assert answer.headers["Connection"] == "close"


def test_a_body_that_is_cut_off_is_no_message(world):
    client, address = world.connect(world.api().url), urlsplit(world.gateway.endpoint_url)
    path = f"/production/@connections/{quote(world.connection_id)}"
    head = f"POST {path} HTTP/1.1\r\nAuthorization: {SIGNED['Authorization']}\r\n"
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        sock.sendall(f"{head}Content-Length: 5\r\n\r\nhel".encode())
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
    world.connections_api().post_to_connection(ConnectionId=world.connection_id, Data=b"whole")
    assert client.recv(PATIENCE) == "whole"


def test_a_client_that_hangs_up_on_its_answer_harms_nobody(world):
    api, address = world.api(), urlsplit(world.gateway.endpoint_url)
    reset = struct.pack("ii", 1, 0)
    head = f"GET /v2/apis HTTP/1.1\r\nAuthorization: {SIGNED['Authorization']}\r\n\r\n"
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            sock.sendall(head.encode() * 50)
    assert api.control.get_api(ApiId=api.id)["ApiId"] == api.id


def test_a_web_page_of_another_site_may_not_even_ask(world, raw):
    answer = raw("OPTIONS", "/v2/apis", headers={"Origin": "https://evil.example"})
    assert answer.status == 501
    assert answer.headers.get("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"nonsense\r\n\r\n", "Bad request syntax"),
        (b"GET / HTTP/9.9\r\n\r\n", "Invalid HTTP version"),
        (b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 300 + b"\r\n", "Too many headers"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", "Request-URI Too Long"),
        (b"\x16\x03\x01\x00\x00\r\n\r\n", "TLS"),
    ],
)
def test_what_is_no_request_has_its_line_and_an_answer_in_awss_shape(world, caplog, data, words):
    address = urlsplit(world.gateway.endpoint_url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while more := sock.recv(65536):
                answer += more
    world.until(lambda: "request refused" in caplog.text)
    assert b"<html" not in answer.lower()
    assert words == "TLS" or b"x-amzn-ErrorType: BadRequestException" in answer
    assert words == "TLS" or "status=" in caplog.text
