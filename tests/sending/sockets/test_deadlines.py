"""Deadlines: the documented waits bound the whole exchange, from the lookup to the last byte."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import CLOSED, SENT, Recipient, failed
from django_aws_api_gateway_websockets.sending.retries import SEND_POLICY
from django_aws_api_gateway_websockets.sending.sockets import lookups
from tests.edge import DEADLINE
from tests.wire import OK, FullHouse, Proxy, Server

#: Seconds by which an end may miss its deadline, beside what a busy machine makes of it.
PRECISION = 0.2
BUSY = 0.3

HANGS = "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 999\r\n\r\n{}"


@pytest.fixture
def hurried(settings, transport):
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 1}


def recipients(url, number=1):
    return [Recipient(f"c{n}", Endpoint(url, "eu-west-1")) for n in range(number)]


@contextmanager
def ends_after(seconds):
    began = time.monotonic()
    yield
    taken = time.monotonic() - began
    assert seconds - PRECISION < taken < seconds + PRECISION + BUSY


def send(url, number=1):
    return [outcome for _, outcome in sending.fan_out(b"x", recipients(url, number))]


class Dripping(Server):
    """Sends a part of its answer at once, and from then on a byte now and then."""

    def __init__(self, at_once, **options):
        super().__init__(**options)
        self._at_once = at_once
        self.is_over = threading.Event()

    def __exit__(self, *exc_info):
        self.is_over.set()
        super().__exit__(*exc_info)

    def serve(self, number, connection, stream):
        connection.sendall(self._at_once.encode())
        while not self.is_over.wait(0.05):
            connection.sendall(b"a")


@pytest.mark.parametrize("length", [0, 10, 20, 45, len(HANGS)])
def test_a_server_that_drips_is_left_in_time(hurried, length):
    with Dripping(HANGS[:length]) as server, ends_after(1):
        outcomes = send(f"http://127.0.0.1:{server.port}/prod", 3)
    assert len(outcomes) == 3
    if length == len(HANGS):
        assert outcomes == [SENT] * 3, "The status decides"


def test_a_tls_handshake_that_drips_is_left_in_time(hurried):
    with Dripping("\x16\x03") as server, ends_after(1):
        (outcome,) = send(f"https://127.0.0.1:{server.port}/prod")
    assert outcome.status == "failed"


def test_a_proxy_that_drips_is_left_in_time(hurried, monkeypatch):
    with Dripping("HTTP/1.1 200 O") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with ends_after(1):
            assert send("https://gateway.example.com/prod") == [failed("ConnectTimeoutError")]


@pytest.mark.parametrize("act", [sending.fan_out, lambda body, those: sending.close(those)])
def test_a_server_that_falls_silent_after_an_answer_is_left_in_time(hurried, act):
    """The connection comes from the pool, where another broadcast has left it."""
    with Server() as server:
        url = f"http://127.0.0.1:{server.port}/prod"
        assert send(url, 3) == [SENT] * 3
        is_over = threading.Event()
        server.answering = lambda request: is_over.wait(DEADLINE) and None
        with ends_after(1):
            outcomes = [outcome for _, outcome in act(b"x", recipients(url))]
        is_over.set()
        assert outcomes == [failed("ReadTimeoutError")]
        assert server.connections == 3


def test_a_close_ends_after_three_seconds(transport):
    with Dripping("") as server, ends_after(3):
        found = sending.close(recipients(f"http://127.0.0.1:{server.port}/prod"))
        assert [outcome for _, outcome in found] == [failed("ReadTimeoutError")]


def test_one_client_that_hangs_takes_no_handler_past_29_seconds():
    """The tries, their pauses and their waits are within this bound."""
    assert SEND_POLICY.within < 29
    assert SEND_POLICY.timeouts(left=2).whole == 2


# Lookups of names


@pytest.fixture
def names(monkeypatch):
    """{name: addresses, or an event to wait for}, in the place of the system's."""
    known = {}
    usual = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        found = known.get(host)
        if found is None:
            return usual(host, port, *args, **kwargs)
        if isinstance(found, threading.Event):
            found.wait(DEADLINE)
            raise socket.gaierror(socket.EAI_AGAIN, "Later")
        return [
            (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, at or port))
            for family, address, at in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    lookups.lookups.forget()
    yield known
    for found in known.values():
        if isinstance(found, threading.Event):
            found.set()
    lookups.lookups.forget()


V4, V6 = socket.AF_INET, socket.AF_INET6


def test_a_lookup_that_hangs_is_left_in_time(hurried, names):
    names["slow.example.com"] = threading.Event()
    with ends_after(1):
        assert send("http://slow.example.com/prod", 3) == [failed("ConnectTimeoutError")] * 3


def test_a_lookup_that_hangs_holds_up_nobody(hurried, names):
    names["slow.example.com"] = threading.Event()
    with Server() as server:
        everybody = [
            *recipients("http://slow.example.com/prod", 3),
            *recipients(f"http://localhost:{server.port}/prod", 300),
        ]
        results = list(sending.fan_out(b"x", everybody))
    assert [outcome for _, outcome in results[:300]] == [SENT] * 300
    assert {outcome for _, outcome in results[300:]} == {failed("ConnectTimeoutError")}


def test_a_lookup_that_hangs_is_run_once(hurried, names):
    names["slow.example.com"] = threading.Event()
    for _ in range(3):
        send("http://slow.example.com/prod", 2)
    running = [thread for thread in threading.enumerate() if thread.name == "websocket-lookup"]
    assert len(running) == 1


def test_dead_addresses_are_passed_over_and_the_living_one_is_remembered(transport, names):
    refuses = socket.socket()
    refuses.bind(("127.0.0.1", 0))  # It does not listen.
    with FullHouse() as silent, Server() as server, refuses:
        names["many.example.com"] = [
            (V6, "::1", refuses.getsockname()[1]),
            (V4, "127.0.0.1", refuses.getsockname()[1]),
            (V4, "127.0.0.1", silent.port),
            (V4, "127.0.0.1", server.port),
        ]
        with ends_after(1):
            assert send("http://many.example.com/prod", 20) == [SENT] * 20
        server.hang_up()
        with ends_after(0):
            assert send("http://many.example.com/prod", 20) == [SENT] * 20


def test_the_other_family_is_tried(authority, transport, names, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.file))
    with Server(authority.server_side("many.example.com")) as server:
        names["many.example.com"] = [(V6, "::1", server.port), (V4, "127.0.0.1", server.port)]
        assert send("https://many.example.com/prod", 3) == [SENT] * 3
        (found,) = sending.close(recipients("https://many.example.com/prod"))
        assert found[1] == CLOSED


def test_a_host_whose_addresses_are_all_dead_is_said(transport, names, settings):
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 1}
    with FullHouse() as silent:
        names["many.example.com"] = [(V4, "127.0.0.1", silent.port)] * 2 + [
            (V4, "127.0.0.2", silent.port)
        ]
        with ends_after(1):
            ((status, reason),) = send("http://many.example.com/prod")
    assert (status, reason) in {
        ("failed", "ConnectTimeoutError"),
        ("failed", "EndpointConnectionError"),
    }


def test_a_name_whose_proxy_is_slow_is_not_looked_up(transport, names, monkeypatch):
    """Only the proxy's own name is."""
    names["gateway.example.com"] = threading.Event()
    with Proxy() as proxy:
        proxy.answering = lambda request: OK
        monkeypatch.setenv("HTTP_PROXY", f"http://localhost:{proxy.port}")
        assert send("http://gateway.example.com/prod") == [SENT]
