"""Engines: one for each broadcast, which leaves its connections clean for the next."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient
from tests.edge import DEADLINE
from tests.wire import Server, wait_until

MANY = 200


@pytest.fixture
def plain():
    with Server() as server:
        server.url = f"http://127.0.0.1:{server.port}/prod"
        yield server


def recipients(url, number, name="c"):
    for n in range(number):
        yield Recipient(f"{name}{n}", Endpoint(url, "eu-west-1"))


def status_of(request):
    """A server's answer by which a recipient is known again."""
    name = request.target.rpartition("/")[2]
    return b"HTTP/1.1 403 F\r\nx-amzn-ErrorType: %s\r\nContent-Length: 0\r\n\r\n" % name.encode()


def test_each_gets_its_own_answer_among_broadcasts_at_the_same_time(plain, transport):
    plain.answering = status_of
    wrong = []

    def broadcast(name):
        for recipient, outcome in sending.fan_out(b"x", recipients(plain.url, 100, name)):
            if outcome.reason != recipient.connection_id:
                wrong.append((recipient, outcome))

    threads = [threading.Thread(target=broadcast, args=(f"t{n}-",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert wrong == []
    assert len(plain.requests) == 800


def abandon(url):
    """Leave a broadcast after its first result."""
    results = sending.fan_out(b"x", recipients(url, 20, "left"))
    next(results)
    results.close()


def interrupt(url):
    def found():
        yield from recipients(url, 10, "left")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(sending.fan_out(b"x", found()))


def forget(url):
    next(sending.fan_out(b"x", recipients(url, 20, "left")))


ENDS = [abandon, interrupt, forget]


@pytest.mark.parametrize("end", ENDS, ids=[end.__name__ for end in ENDS])
def test_an_unfinished_broadcast_leaves_nothing_for_the_next(plain, transport, end):
    plain.answering = status_of
    for _ in range(5):
        end(plain.url)
        for recipient, outcome in sending.fan_out(b"x", recipients(plain.url, 20, "next")):
            assert outcome.reason == recipient.connection_id


@pytest.mark.parametrize("end", ENDS, ids=[end.__name__ for end in ENDS])
def test_unfinished_broadcasts_leak_neither_descriptors_nor_threads(
    plain, transport, settings, end
):
    settings.WEBSOCKETS = {"transport": transport, "max_in_flight": 4}

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("No /proc here")

    def in_use():
        gc.collect()
        plain.hang_up()
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return descriptors, sum(t.name.startswith("websocket-") for t in threading.enumerate())

    for _ in range(3):
        end(plain.url)
    before = in_use()
    for _ in range(MANY):
        end(plain.url)

    def is_as_before():
        return all(now <= then + 4 for now, then in zip(in_use(), before))

    # Those that were just told to end may need a moment; an engine that is kept may have grown.
    assert wait_until(is_as_before, DEADLINE), (in_use(), before)


def test_the_end_of_a_process_with_warm_connections_is_silent(program):
    program("""
send("a", 50)
results = sending.fan_out(b"x", [Recipient(f"b{n}", endpoint) for n in range(20)])
next(results)
""")


def test_a_process_that_is_ending_can_send(program, server):
    """From Python 3.12 on it can start no thread any more, for example to look a name up."""
    program("""
import atexit
atexit.register(send, "at-exit", 5)
""")
    assert len(server.requests) == 5
