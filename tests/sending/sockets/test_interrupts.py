"""Exceptions from outside (Ctrl-C, a time limit) at any point come through and hurt nobody."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient, failed, sockets
from tests.wire import Server

HERE = str(Path(sockets.__file__).parent)

#: Every so many calls of a broadcast are tried. It has about 700.
STEP = 7


class Interrupt:
    """Raises KeyboardInterrupt at one of the calls in the engine, in or out of it."""

    def __init__(self, at):
        self._left = at

    def __enter__(self):
        sys.setprofile(self)

    def __exit__(self, *exc_info):
        sys.setprofile(None)

    def __call__(self, frame, event, arg):
        if frame.f_code.co_filename.startswith(HERE):
            self._left -= 1
            if self._left == 0:
                sys.setprofile(None)
                raise KeyboardInterrupt


@pytest.fixture
def server():
    with Server() as server:
        server.answering = lambda request: (
            b"HTTP/1.1 403 F\r\nx-amzn-ErrorType: %s\r\nContent-Length: 0\r\n\r\n"
            % request.target.rpartition("/")[2].encode()
        )
        yield server


def send(server, name):
    endpoint = Endpoint(f"http://localhost:{server.port}/prod", "eu-west-1")
    recipients = [Recipient(f"{name}{n}", endpoint) for n in range(5)]
    return {r.connection_id: outcome for r, outcome in sending.fan_out(b"x", recipients)}


@pytest.mark.no_cover
# What an exception keeps from being closed is left to the garbage collector, who warns.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_warm", [False, True])
def test_an_exception_at_any_point_comes_through_and_leaves_a_clean_engine(
    server, transport, is_warm
):
    names = [f"next{n}" for n in range(5)]
    at, interrupted = 1, True
    while interrupted:
        interrupted = False
        if not is_warm:
            server.hang_up()
        try:
            with Interrupt(at):
                send(server, f"at{at}-")
        except KeyboardInterrupt:
            interrupted = True
        assert send(server, "next") == {name: failed(name) for name in names}
        at += STEP
    assert at > 20 * STEP
    gc.collect()
    assert server.open < 20
