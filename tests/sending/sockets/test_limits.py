"""Limits: what a process holds stays far below its number of open files, and meets it unharmed."""

from __future__ import annotations

import contextlib

import pytest

from tests.wire import Server

#: All programs begin with this. It is for systems that have these limits.
LIMITED = """
import ctypes
import resource
from pathlib import Path

def limit(number):
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))

def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))

def take_all():
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return taken
"""

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="It looks into /proc")


@pytest.mark.once
def test_20_broadcasts_at_once_to_20_gateways_share_256_descriptors(program):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server()) for _ in range(20)]
        program(f"""{LIMITED}
limit(256)
ports = {[server.port for server in servers]}
endpoints = [Endpoint(f"http://127.0.0.1:{{port}}/prod", "eu-west-1") for port in ports]
most, outcomes = [], []

def recipients(name):
    for number in range(300):
        if number % 50 == 0:
            most.append(descriptors())
        yield Recipient(f"{{name}}-{{number}}", endpoints[number % 20])

def broadcast(name):
    outcomes.extend(outcome for _, outcome in sending.fan_out(b"x", recipients(name)))

threads = [threading.Thread(target=broadcast, args=[n]) for n in range(20)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert outcomes == [sending.SENT] * 6000, set(outcomes)
assert max(most) < 150, max(most)
assert descriptors() < 100, descriptors()
""")
        assert sum(len(server.requests) for server in servers) == 6000
        assert {len(server.requests) for server in servers} == {300}


def test_the_next_broadcast_of_a_full_process_gets_its_share(program, server):
    """The one before it holds all connections."""
    program(f"""{LIMITED}
limit(64)

def many():
    for number in range(2000):
        if number == 200:
            started.set()
        yield Recipient(f"many{{number}}", endpoint)

def broadcast():
    for _, outcome in sending.fan_out(b"x", many()):
        assert outcome == sending.SENT
    ended.set()

started, ended = threading.Event(), threading.Event()
thread = threading.Thread(target=broadcast)
thread.start()
started.wait({60})
send("few", 100)
thread.join()
assert ended.is_set()
assert descriptors() < 48, descriptors()
""")


def test_a_process_without_descriptors_waits_for_them(program):
    program(f"""{LIMITED}
ctypes.CDLL("libgcc_s.so.1")  # Python 3.8 opens it when a thread ends, and aborts if it can't.
limit(64)
taken = take_all()
freeing = threading.Timer(0.5, lambda: [os.close(each) for each in taken])
freeing.start()
send("patient", 30)
freeing.join()
""")


def test_a_process_that_gets_no_descriptors_says_so(program):
    program(f"""{LIMITED}
settings.WEBSOCKETS["send_timeout"] = 1
send("warm", 1)  # What is read once has been read.
limit(64)
taken = take_all()
results = sending.fan_out(b"x", [Recipient(f"c{{n}}", endpoint) for n in range(300)])
reasons = {{outcome.reason for _, outcome in results}}
assert reasons == {{"Out of time"}}, reasons
""")
