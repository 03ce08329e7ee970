"""Many clients at once."""

from __future__ import annotations

import contextlib
import socket

import pytest

pytest.importorskip("websockets")

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE


class Crowd:
    """Many sockets that open at once. Bare ones, since what is tested is the other side."""

    def __init__(self, world, url, count):
        self._sockets = [world.bare(url) for _ in range(count)]
        for one in self._sockets:
            one.settimeout(4 * PATIENCE)

    def answers(self):
        """The first line of each answer to the handshake."""
        heads = [self._read_until(one, b"\r\n\r\n") for one in self._sockets]
        return [head.partition(b"\r\n")[0].decode() for head in heads]

    def rest(self):
        """All that each was sent afterwards, once the other side has closed."""
        for one in self._sockets:
            one.shutdown(socket.SHUT_WR)
        return [self._read_until(one, None) for one in self._sockets]

    def close(self):
        for one in self._sockets:
            one.close()

    @staticmethod
    def _read_until(one, end):
        data = b""
        while end is None or not data.endswith(end):
            piece = one.recv(4096)
            if not piece:
                break
            data += piece
        return data


OPENED = "HTTP/1.1 101 Switching Protocols"


@pytest.fixture
def many_files():
    """Both ends of 1,000 sockets are in this process."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip("this machine does not let a process have so many sockets")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_200_simultaneous_connects_are_all_accepted(world):
    crowd = Crowd(world, world.api().url, 200)
    with contextlib.closing(crowd):
        assert crowd.answers() == [OPENED] * 200
        assert len(world.gateway.connections) == 200
    assert len(world.backend.received("disconnect", 200)) == 200


@pytest.mark.once
def test_1000_idle_connections_are_kept_and_closed_with_1001(world, many_files):
    # No integrations: what is tested is the gateway and not the backend.
    world.start(Limits(close_timeout=0.1))
    api, connections_api = world.api("join"), world.connections_api()
    crowd = Crowd(world, api.url, 1000)
    with contextlib.closing(crowd):
        assert crowd.answers() == [OPENED] * 1000
        connections = world.gateway.connections
        assert len(set(connections)) == 1000
        for connection_id in (connections[0], connections[-1]):
            connections_api.post_to_connection(ConnectionId=connection_id, Data=b"still here")
        world.gateway.stop()
        rest = crowd.rest()
    going_away = bytes([0x88, 2]) + (1001).to_bytes(2, "big")
    assert all(data.endswith(going_away) for data in rest)
    assert sum(b"still here" in data for data in rest) == 2
