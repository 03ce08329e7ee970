"""Backends that answer strangely or slowly: nobody else notices."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from django_aws_api_gateway_websockets.local.limits import Limits
from tests.wire import Server, read_request

from .backend import PATIENCE, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"


def ok(body):
    return OK % (len(body), body)


class RawBackend(Server):
    """Calls ``behave(send, path)`` for each request; what that returns false for ends."""

    def __init__(self, behave):
        super().__init__()
        self.behave = behave
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self, number, connection, stream):
        while request := read_request(number, stream):
            if self.behave(connection.sendall, request.target) is False:
                return


def error_of(client):
    return json.loads(client.recv(PATIENCE))["message"]


def api_at(world, url, *route_keys):
    """An API all of whose routes go to that backend, and reply."""
    return world.api(*route_keys, IntegrationUri=url, replies=True)


@pytest.mark.parametrize("interim", [EARLY, PROCESSING, EARLY * 3 + PROCESSING], ids=len)
def test_an_interim_answer_is_passed_over(world, interim):
    with RawBackend(lambda send, path: send(interim + ok(b"final"))) as backend:
        client = world.connect(api_at(world, backend.url, "$default").url)
        client.send("x")
        assert client.recv(PATIENCE) == "final"


def test_the_answer_after_an_interim_one_never_reaches_another_client(world):
    may_answer, is_asked = threading.Event(), threading.Event()

    def behave(send, path):
        if path.startswith("/slow"):
            send(EARLY)
            is_asked.set()
            may_answer.wait(PATIENCE)
            send(ok(b"private"))
        else:
            send(ok(b"echo"))

    with RawBackend(behave) as backend:
        one = world.connect(api_at(world, f"{backend.url}/slow", "$default").url)
        other = world.connect(api_at(world, f"{backend.url}/fast", "$default").url)
        one.send("x")
        assert is_asked.wait(PATIENCE)
        other.send("x")
        assert other.recv(PATIENCE) == "echo"
        may_answer.set()
        assert one.recv(PATIENCE) == "private"


def test_a_connect_that_is_refused_after_an_interim_answer_stays_refused(world):
    refusal = EARLY + b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    backend = RawBackend(lambda send, path: send(refusal))
    with backend, pytest.raises(InvalidStatus) as error:
        world.connect(api_at(world, backend.url, "$connect").url)
    assert error.value.response.status_code == 403


ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%s\r\n" % (65536, b"x" * 65536)


@pytest.mark.parametrize(("head", "more"), [(ENDLESS, b"x" * 65536), (CHUNKED, CHUNK)])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(world, caplog, head, more):
    sent = []

    def behave(send, path):
        send(head)
        while True:
            send(more)
            sent.append(len(more))

    with RawBackend(behave) as backend:
        client = world.connect(api_at(world, backend.url, "$default").url)
        client.send("x")
        assert error_of(client) == "Internal server error"
    # What the sockets' buffers hold has been sent besides.
    assert sum(sent) < 20_000_000
    assert "answered more than 131072 bytes" in caplog.text


@pytest.mark.parametrize(
    "drip", [b"H", b"HTTP/1.1 200 OK\r\nA: a", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"]
)
def test_an_answer_that_drips_ends_with_the_timeout(world, caplog, drip):
    world.start(Limits(integration_timeout=0.5))
    over = threading.Event()

    def behave(send, path):
        send(drip)
        while not over.wait(0.05):
            send(b"1")

    with RawBackend(behave) as backend:
        client = world.connect(api_at(world, backend.url, "$default").url)
        client.send("x")
        assert error_of(client) == "Internal server error"
        over.set()
    assert "no answer within 0.5 s" in caplog.text


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nthis is no header\r\nContent-Length: 0\r\n\r\n",
        b"220 smtp.example.com ESMTP\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \x1b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\r\n0\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_http_is_a_failure_at_once(world, caplog, broken):
    def behave(send, path):
        send(broken)
        return b"short" not in broken

    with RawBackend(behave) as backend:
        client = world.connect(api_at(world, backend.url, "$default").url)
        client.send("x")
        assert error_of(client) == "Internal server error"
    assert "broken answer" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("is_same_api", [False, True])
def test_a_slow_route_holds_up_no_other(world, caplog, is_same_api):
    world.start(Limits(workers=2))
    hold = threading.Event()
    slow = world.api("$default", "join", replies=True)
    quick = slow if is_same_api else world.api("join", replies=True)
    world.backend.answer("default", Reply(hold=hold))
    for _ in range(3):
        world.connect(slow.url).send("x")
    world.backend.received("default", 2)
    world.backend.answer("join", Reply(200, b"welcome"))
    client = world.connect(quick.url)
    client.send('{"action": "join"}')
    assert client.recv(PATIENCE) == "welcome"
    hold.set()
    world.backend.received("default", 3)
    assert f"1 calls wait api_id={slow.id} route_key=$default" in caplog.text


@pytest.mark.parametrize("route", ["default", "disconnect"])
def test_a_redirect_is_told_with_where_it_leads(world, caplog, route):
    caplog.set_level(logging.INFO)
    world.backend.answer(route, Reply(301, headers={"Location": "/ws/default/?ws_token=secret"}))
    client = world.connect(world.api().url)
    client.send("x")
    world.backend.received("default")
    client.close()
    assert world.gateway.wait_until_quiet()
    (told,) = [r for r in caplog.records if "not handled" in r.getMessage()]
    assert told.levelno == logging.WARNING
    assert "location='/ws/default/'" in told.getMessage()
    assert "APPEND_SLASH" in told.getMessage()
    assert "secret" not in caplog.text


def test_half_a_surrogate_pair_can_be_mapped(world):
    mapped = {"integration.request.querystring.text": "route.request.body.text"}
    api = world.api("$default", RequestParameters=mapped)
    world.connect(api.url).send('{"text": "\\ud800"}')
    assert world.backend.one("default").arguments == {"text": ["?"]}


PROGRAM = """
import sys
from django_aws_api_gateway_websockets.local.gateway import LocalGateway
gateway = LocalGateway()
gateway.start()
print(gateway.socket_endpoint, flush=True)
sys.stdin.readline()
"""


def test_a_program_that_ends_without_a_word_leaves_no_error():
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=b"\n", capture_output=True, timeout=30, check=True
    )
    assert program.stdout.startswith(b"ws://")
    assert program.stderr == b""
