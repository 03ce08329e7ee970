"""A server that answers anything: each recipient gets one outcome, and never another one's.

FUZZ_EXAMPLES    how many answers; without it they are few, and the same ones each time
"""

from __future__ import annotations

import itertools
import random
import re
import socket
import struct
import threading
import time

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient
from tests.edge import DEADLINE
from tests.fuzz import EXAMPLES
from tests.sending.sockets.answers import answer
from tests.sending.sockets.test_responses import read_by_http_client
from tests.wire import Server, read_request

BATCH = 200
NO_LINGER = struct.pack("ii", 1, 0)

#: A recipient's name, with which its answer is marked.
NAME = re.compile(r"c[0-9]{9}x")


class Liar(Server):
    """Answers with anything, in pieces, and then goes on, closes, resets or falls silent."""

    def __init__(self, seed):
        super().__init__()
        self._random = random.Random(seed)  # noqa: S311
        self._random_lock = threading.Lock()
        self.answered = 0

    def choose(self, values):
        with self._random_lock:
            return self._random.choice(values)

    def serve(self, number, connection, stream):
        while True:
            request = read_request(number, stream)
            if request is None:
                return
            name = request.target.rpartition("/")[2].encode()
            data = answer(self.choose, name)
            size = -(-len(data) // self.choose([1, 1, 1, 2, 5])) or 1
            pieces = [data[start : start + size] for start in range(0, len(data), size)]
            # What nobody has asked for bears the name of somebody who is not there. (Nobody can
            # protect himself from one that comes after the next request.)
            if is_whole(data):
                unasked = answer(self.choose, b"c999999999x")
                pieces[-1] += self.choose([b""] * 9 + [b"\r\n", unasked])
            for piece in pieces:
                connection.sendall(piece)
            with self._random_lock:
                self.answered += 1
            what = self.choose(["go on"] * 6 + ["close", "reset"])
            if what == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            if what != "go on":
                return


def is_whole(data):
    """True if it is an answer by itself, to which what follows does not belong."""
    found = read_by_http_client(data)
    return found is not None and found[2] is not None


@pytest.mark.no_cover
def test_whatever_is_answered_nobody_gets_the_answer_of_another(settings, transport):
    settings.WEBSOCKETS = {"transport": transport, "send_timeout": 0.4, "max_in_flight": 40}
    number = int(EXAMPLES or 2000)
    seed = time.time() if EXAMPLES else 1
    with Liar(seed) as liar:
        endpoint = Endpoint(f"http://127.0.0.1:{liar.port}/prod", "eu-west-1")
        for start in itertools.count(0, BATCH):
            # On a slow machine, a few are out of time.
            if liar.answered >= number:
                break
            names = [f"c{start + n:09}x" for n in range(BATCH)]
            answered = liar.answered
            began = time.monotonic()
            results = list(sending.fan_out(b"x", [Recipient(name, endpoint) for name in names]))
            assert time.monotonic() - began < DEADLINE, seed
            assert sorted(recipient.connection_id for recipient, _ in results) == names, seed
            mixed = [
                (recipient, outcome)
                for recipient, outcome in results
                if NAME.fullmatch(outcome.reason) and outcome.reason != recipient.connection_id
            ]
            assert mixed == [], seed
            assert liar.answered > answered, "All were out of time"
