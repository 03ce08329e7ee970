"""Connections that end: while they idle, a moment ago, before an answer, within one.

A server counts what arrives, so that what may arrive twice is known.
"""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import CLOSED, GONE, SENT, Recipient, failed
from django_aws_api_gateway_websockets.sending.sockets import pool
from tests.edge import DEADLINE
from tests.wire import OK, Server, read_request, wait_until

NO_LINGER = struct.pack("ii", 1, 0)

pytestmark = pytest.mark.usefixtures("transport")


def reset(connection):
    """Let the end of this connection be a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)


def to(server, number, name):
    endpoint = Endpoint(f"http://127.0.0.1:{server.port}/prod", "eu-west-1")
    return [Recipient(f"{name}{n}", endpoint) for n in range(number)]


def send(server, number=1, name="c"):
    return [outcome for _, outcome in sending.fan_out(b"x", to(server, number, name))]


def close(server, number=1, name="c"):
    return [outcome for _, outcome in sending.close(to(server, number, name))]


# The server had ended it, and the request finds out.


class OneAnswerEach(Server):
    """Answers one request of each connection and ends it, without having said so."""

    end = staticmethod(lambda connection: None)

    def serve(self, number, connection, stream):
        request = read_request(number, stream)
        if request:
            self.requests.append(request)
            connection.sendall(OK)
            self.end(connection)


def close_write_side(connection):
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


@pytest.mark.parametrize("end", [lambda connection: None, reset, close_write_side])
@pytest.mark.parametrize("act", [send, close])
def test_a_connection_that_ended_a_moment_ago_costs_no_try(act, end):
    with OneAnswerEach() as server:
        server.end = end
        outcomes = [outcome for n in range(20) for outcome in act(server, 10, f"{n}-")]
        assert set(outcomes) == {SENT if act is send else CLOSED}
        assert sorted(server.targets) == sorted(set(server.targets)), "Each has arrived once"
        assert len(outcomes) == len(server.requests) == 200


class ForgetfulNat(Server):
    """Resets each connection of the first broadcast when something comes on it again."""

    forgotten = 0

    def serve(self, number, connection, stream):
        request = read_request(number, stream)
        while request:
            if number < self.forgotten:
                reset(connection)
                return
            self.requests.append(request)
            connection.sendall(OK)
            request = read_request(number, stream)


def test_connections_that_a_nat_has_forgotten_cost_no_try():
    with ForgetfulNat() as server:
        assert send(server, 200, "warm") == [SENT] * 200
        server.forgotten = server.connections
        assert [send(server, name=f"{n}-") for n in range(15)] == [[SENT]] * 15
        assert close(server, 70, "logout") == [CLOSED] * 70


# What may arrive twice


class Counting(Server):
    """Breaks a connection after it has taken a request, as ``breaks`` says."""

    breaks = staticmethod(lambda number, request: False)
    answer = OK

    def serve(self, number, connection, stream):
        request = read_request(number, stream)
        while request:
            self.requests.append(request)
            if self.breaks(number, request):
                reset(connection)
                return
            connection.sendall(self.answer)
            request = read_request(number, stream)


@pytest.mark.parametrize(("act", "outcome"), [(send, SENT), (close, CLOSED)])
def test_a_request_that_a_used_connection_took_with_it_arrives_twice(act, outcome):
    with Counting() as server:
        act(server, name="warm")
        server.breaks = lambda number, request: number == 0
        assert act(server, name="twice") == [outcome]
        assert [t.rpartition("/")[2] for t in server.targets] == ["warm0", "twice0", "twice0"]
        assert server.connections == 2


def test_a_request_that_breaks_each_new_connection_arrives_five_times():
    with Counting() as server:
        server.breaks = lambda number, request: True
        assert send(server) == [failed("ConnectionClosedError")]
        assert len(server.requests) == server.connections == 5


def test_a_close_that_breaks_a_new_connection_arrives_once():
    with Counting() as server:
        server.breaks = lambda number, request: True
        assert close(server) == [failed("ConnectionClosedError")]
        assert len(server.requests) == 1


def test_a_close_that_breaks_a_used_and_a_new_connection_arrives_twice():
    with Counting() as server:
        close(server, name="warm")
        server.breaks = lambda number, request: True
        assert close(server) == [failed("ConnectionClosedError")]
        assert len(server.requests) == 3


def head(status, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


LARGE = "Content-Length: 100000"
SIZES = {
    "whole": b"x" * 100_000,
    "cut short": b"x" * 100,
    "cut at once": b"",
    "larger than it said": b"x" * 300_000,
}


@pytest.mark.parametrize("body", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [("200 OK", SENT), ("410 Gone", GONE), ("400 Bad", failed("400")), ("301 M", failed("301"))],
)
def test_the_status_decides_whatever_follows_it(status, outcome, body):
    def serve(number, connection, stream):
        server.requests.append(read_request(number, stream))
        connection.sendall(head(status, LARGE) + body)

    with Server() as server:
        server.serve = serve
        assert send(server) == [outcome]
        assert len(server.requests) == 1


def test_an_answer_before_the_whole_request_is_taken():
    """The server says no to a large message, reads no more of it and closes."""

    def serve(number, connection, stream):
        stream.readline()
        connection.sendall(
            head("413 Too Large", "Content-Length: 0", "x-amzn-ErrorType: TooLarge")
        )
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    with Server() as server:
        server.serve = serve
        results = sending.fan_out(b"x" * 128 * 1024, to(server, 1, "c"))
        assert [outcome for _, outcome in results] == [failed("TooLarge")]
        assert server.connections == 1


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_an_interim_answer_is_none(interim):
    with Server() as server:
        server.answering = lambda request: head(interim, "Link: </x>") + OK
        assert send(server, 50) == [SENT] * 50
        assert server.connections <= 50


def test_endless_interim_answers_end(settings):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "send_timeout": 1}

    def serve(number, connection, stream):
        stream.readline()
        while True:
            connection.sendall(head("103 Early Hints") * 100)

    with Server() as server:
        server.serve = serve
        assert send(server)[0].status == "failed"
        assert server.connections > 1, "Each try was given up at a bound in bytes"


# Connections that idle


def test_idle_connections_are_closed_though_nothing_more_is_sent(monkeypatch):
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.2)
    pool.pool.forget()  # It may be waiting for the old number of seconds.
    with Server() as server:
        assert send(server, 20) == [SENT] * 20
        assert wait_until(lambda: server.open == 0, DEADLINE)


def test_what_has_idled_too_long_is_not_used(monkeypatch):
    with Server() as server:
        assert send(server, 20) == [SENT] * 20
        known = server.connections
        monkeypatch.setattr(pool, "IDLE_SECONDS", 0)
        assert send(server) == [SENT]
        assert server.connections == known + 1


def test_one_thread_at_a_time_waits_to_close_them(monkeypatch):
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.05)
    pool.pool.forget()
    waiting = []

    def send_again_and_again():
        for _ in range(100):
            assert send(server) == [SENT]
            names = [thread.name for thread in threading.enumerate()]
            waiting.append(names.count("websocket-idle"))

    with Server() as server:
        senders = [threading.Thread(target=send_again_and_again) for _ in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(DEADLINE)
    assert len(waiting) == 800
    # Of those that are started at the same moment, all but one end. Once there were ever more.
    assert max(waiting) < 20, max(waiting)
