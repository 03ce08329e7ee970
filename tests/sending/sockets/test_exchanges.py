"""The engine at real sockets: connections kept, broken, slow, and answered with garbage."""

from __future__ import annotations

import contextlib
import time

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import GONE, SENT, Recipient, failed
from tests.wire import OK, FullHouse, Server, free_port


def recipients(url, number, name="c"):
    return [Recipient(f"{name}{n}", Endpoint(url, "eu-west-1")) for n in range(number)]


def send(url, number=1, name="c"):
    """The outcomes of a message to that many."""
    return [outcome for _, outcome in sending.fan_out(b"x", recipients(url, number, name))]


@pytest.fixture
def plain():
    with Server() as server:
        server.url = f"http://127.0.0.1:{server.port}/prod"
        yield server


# Kept connections


@pytest.mark.parametrize("protocol", ["plain", "server"])
def test_no_more_connections_are_made_than_requests_are_in_flight(
    request, transport, settings, protocol
):
    settings.WEBSOCKETS = {"transport": transport, "max_in_flight": 8}
    server = request.getfixturevalue(protocol)
    assert send(server.url, 500) == [SENT] * 500
    assert server.connections <= 8


def test_what_follows_finds_the_connections_of_the_first_message(server, transport, settings):
    settings.WEBSOCKETS = {"transport": transport, "max_in_flight": 8}
    send(server.url, 100)
    known = server.connections
    for number in (100, 1, 70, 3):
        assert send(server.url, number) == [SENT] * number
    assert server.connections <= max(known, 8)
    assert len(server.requests) == 274
    warm = server.connections
    assert send(server.url) == [SENT]
    assert server.connections == warm


def test_a_connection_that_the_server_has_closed_is_replaced(server, transport):
    for _ in range(3):
        assert send(server.url, 5) == [SENT] * 5
        server.hang_up()
    assert server.broken == []


def test_a_server_that_closes_after_each_answer_is_served(server, transport):
    server.answering = lambda request: OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert send(server.url, 50) == [SENT] * 50
    assert server.connections == 50


def test_a_server_on_ipv6_is_reached(authority, transport, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.file))
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(Server(authority.server_side("::1"), "::1"))
        except OSError:
            pytest.skip("No IPv6 here")
        assert send(f"https://[::1]:{server.port}/prod", 3) == [SENT] * 3
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


# Answers that are none


def head(status, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


ENDLESS = head("200 OK", "Transfer-Encoding: chunked") + b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (head("204 No Content"), {SENT}),
        (head("200 OK", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n", {SENT}),
        (head("100 Continue") + OK, {SENT}),
        (head("103 Early Hints", "Link: </x>") + OK, {SENT}),
        (head("410 Gone", "Content-Length: 0"), {GONE}),
        (head("301 Moved", "Location: /elsewhere", "Content-Length: 0"), {failed("301")}),
        (head("307 Moved", "Location: /elsewhere", "Content-Length: 0"), {failed("307")}),
        (head("304 Not Modified"), {failed("304")}),
        (head("403 F", "x-amzn-ErrorType: A:http://b/", "Content-Length: 0"), {failed("A")}),
        (head("403 F", "X-AMZN-ERRORTYPE:B", "Content-Length: 0"), {failed("B")}),
        (head("403 F", "Content-Length: 99") + b"{}", None),
        (head("403 F", "Content-Length: x"), None),
        (head("403 F", "Content-Encoding: gzip", "Content-Length: 2") + b"{}", None),
        (head("403 F", "Content-Encoding: br", "Content-Length: 2") + b"{}", None),
        (head("403 F", "Transfer-Encoding: chunked") + b"zz\r\n{}", None),
        (head("999 Strange", "Content-Length: 0"), None),
        (head("403 F", *(f"X-{n}: {'y' * 1000}" for n in range(90)), "Content-Length: 0"), None),
        (head("403 F", *(f"X-{n}: y" for n in range(500)), "Content-Length: 0"), None),
        (head("403 F", "X-Long: " + "y" * 100_000, "Content-Length: 0"), None),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None),
        (b"\0" * 100, None),
        (b"\r\n\r\n\r\n", None),
        (b"HTTP/1.1\r\n\r\n", None),
        (b"HTTP/1.1 abc OK\r\n\r\n", None),
        (b"HTTP/1.1 200", None),
        (b"HTTP/1.1 \xff\xfe\r\n\r\n", None),
        (b"HTTP/2 403 F\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 403 F\r\n: x\r\n\xff: \xff\r\nContent-Length: 0\r\n\r\n", None),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, bytes) else "",
)
def test_whatever_is_answered_is_an_outcome(plain, transport, settings, answer, expected):
    """Nothing is raised, nobody is waited for longer than the deadline, and the next is served."""
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 1}

    plain.answering = lambda request: answer if request.connection == 0 else None
    outcomes = set(send(plain.url))
    if expected is None:
        ((status, reason),) = outcomes
        assert (status, bool(reason)) in {("failed", True), ("sent", False)}
    else:
        assert outcomes == expected
    assert "/elsewhere" not in plain.targets
    plain.hang_up()
    plain.answering = lambda request: OK
    assert send(plain.url, 3) == [SENT] * 3


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden"])
def test_an_endless_body_does_not_fill_the_memory(plain, transport, settings, status):
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 2}
    sent = []

    def pour(number, connection, stream):
        stream.readline()
        connection.sendall(head(status, "Transfer-Encoding: chunked"))
        while sum(sent) < 200 * 2**20:
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            sent.append(0x10000)

    plain.serve = pour
    ((word, reason),) = send(plain.url)
    assert (word, bool(reason)) in {("failed", True), ("sent", False)}
    assert sum(sent) < 100 * 2**20


# Deadlines


@pytest.fixture
def hurried(settings, transport):
    """A transport that has a second for a message."""
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 1}


def timed(url, *args):
    start = time.monotonic()
    outcomes = send(url, *args)
    return outcomes, time.monotonic() - start


def test_a_server_that_never_answers_is_given_up(plain, hurried):
    plain.serve = lambda number, connection, stream: stream.read()
    outcomes, seconds = timed(plain.url, 3)
    assert outcomes == [failed("ReadTimeoutError")] * 3
    assert seconds < 10


def test_a_server_that_stops_within_its_answer_is_given_up(plain, hurried):
    def stop(number, connection, stream):
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{")
        stream.read()

    plain.serve = stop
    outcomes, seconds = timed(plain.url, 3)
    assert outcomes == [failed("403")] * 3, "The status decides"
    assert seconds < 10


def test_a_server_whose_backlog_is_full_is_given_up(hurried):
    with FullHouse() as house:
        outcomes, seconds = timed(f"http://127.0.0.1:{house.port}/prod", 3)
    assert outcomes == [failed("ConnectTimeoutError")] * 3
    assert seconds < 10


def test_a_server_that_never_shakes_hands_is_given_up(plain, hurried):
    plain.serve = lambda number, connection, stream: stream.read()
    outcomes, seconds = timed(plain.url.replace("http:", "https:"), 2)
    assert set(outcomes) <= {failed("ConnectTimeoutError"), failed("ReadTimeoutError")}
    assert seconds < 10


def test_a_port_at_which_nobody_listens_is_said(transport):
    assert (
        send(f"http://127.0.0.1:{free_port()}/prod", 3) == [failed("EndpointConnectionError")] * 3
    )


def test_a_name_that_does_not_exist_is_said(transport):
    assert send("http://nobody.invalid/prod") == [failed("EndpointConnectionError")]


def test_a_place_that_nobody_reaches_does_not_hold_up_the_others(plain, transport):
    with FullHouse() as dark, contextlib.closing(
        sending.fan_out(
            b"x",
            recipients(f"http://127.0.0.1:{dark.port}/prod", 100, "dark")
            + recipients(plain.url, 1, "well"),
        )
    ) as results:
        recipient, outcome = next(results)
    assert (recipient.connection_id, outcome) == ("well0", SENT)


def test_slow_ones_do_not_hold_up_the_others(plain, transport, settings):
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 3, "max_in_flight": 4}
    usual = plain.answering
    plain.answering = lambda r: b"HTTP/1.1" if r.target.endswith("/c0") else usual(r)
    outcomes = send(plain.url, 200)
    assert outcomes[:199] == [SENT] * 199
    assert outcomes[199].status == "failed"
