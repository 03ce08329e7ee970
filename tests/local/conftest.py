"""The fixtures of the local gateway's tests."""

from __future__ import annotations

import http.client
import threading
from contextlib import ExitStack
from urllib.parse import urlsplit

import boto3
import pytest

from .refusals import SIGNED


@pytest.fixture(scope="session")
def session():
    """One for all, since it is slow to make."""
    return boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    )


@pytest.fixture
def world(session):
    """What a test of the gateway needs; all of it is closed in the end, and no thread is left."""
    from .world import World  # needs websockets

    before = set(threading.enumerate())
    with ExitStack() as stack:
        yield World(session, stack)
    left = set(threading.enumerate()) - before
    # One of the process waits to close idle connections, whoever has sent.
    left = {thread for thread in left if thread.name != "websocket-idle"}
    for thread in left:
        thread.join(1)  # the client's own threads may take a moment
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture
def raw(world):
    """Speak to the HTTP port without boto3, over one connection kept alive."""
    connections = []

    def ask(method, path, body=None, headers=SIGNED):
        if not connections:
            address = urlsplit(world.gateway.endpoint_url)
            connections.append(http.client.HTTPConnection(address.hostname, address.port))
        connections[0].request(method, path, body, headers)
        answer = connections[0].getresponse()
        answer.body = answer.read()
        return answer

    yield ask
    for connection in connections:
        connection.close()
