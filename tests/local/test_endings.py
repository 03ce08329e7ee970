"""How connections end: rows 22 to 25 of the fidelity list."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import ConnectionClosed, InvalidStatus

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE, Reply


def closed(client):
    """The code that the gateway closes with, and the seconds until it does."""
    start = time.monotonic()
    with pytest.raises(ConnectionClosed) as error:
        while True:
            client.recv(PATIENCE)
    return error.value.rcvd.code, time.monotonic() - start


# Row 22: idle 600 s, reset by messages both ways, 1001.


def test_an_idle_connection_is_closed_with_1001(world):
    world.start(Limits(idle_timeout=0.2))
    code, seconds = closed(world.connect(world.api().url))
    assert code == 1001
    assert 0.1 < seconds < PATIENCE
    world.backend.one("disconnect")


@pytest.mark.parametrize("way", ["to the client", "from the client"])
def test_messages_in_either_direction_keep_a_connection(world, way):
    world.start(Limits(idle_timeout=0.8))
    client, connections_api = world.connect(world.api().url), world.connections_api()
    (connection_id,) = world.gateway.connections
    start = time.monotonic()
    for number in range(1, 9):
        if way == "from the client":
            client.send(str(number))
            world.backend.received("default", number)
        else:
            connections_api.post_to_connection(ConnectionId=connection_id, Data=str(number))
            assert client.recv(PATIENCE) == str(number)
        # The pause is the point: the messages together take longer than the idle time.
        threading.Event().wait(0.11)
    assert time.monotonic() - start > 0.8
    assert world.gateway.connections == (connection_id,)


# Row 23: 2 h, 1001.


def test_an_old_connection_is_closed_with_1001_however_busy(world):
    world.start(Limits(lifetime=0.4))
    start = time.monotonic()
    client = world.connect(world.api().url)
    with pytest.raises(ConnectionClosed) as error:
        while time.monotonic() - start < PATIENCE:
            client.send("busy")
            threading.Event().wait(0.02)
    assert error.value.rcvd.code == 1001
    assert 0.3 < time.monotonic() - start < PATIENCE
    world.backend.one("disconnect")


# Row 24: $disconnect after client close, server close, DELETE and timeouts; never after a
# refused connect.


def test_disconnect_follows_the_clients_close(world):
    client = world.connect(world.api().url)
    (connection_id,) = world.gateway.connections
    client.close()
    assert world.backend.one("disconnect").header("connectionId") == connection_id
    assert world.gateway.connections == ()


def test_disconnect_follows_a_client_that_just_vanishes(world):
    api = world.api()
    with world.bare(api.url):
        world.until(lambda: world.gateway.connections)
    world.backend.one("disconnect")


def test_disconnect_follows_a_delete(world):
    world.connect(world.api().url)
    world.connections_api().delete_connection(ConnectionId=world.gateway.connections[0])
    world.backend.one("disconnect")


def test_disconnect_follows_a_client_that_does_not_answer_the_close(world):
    world.start(Limits(close_timeout=0.1))
    api = world.api()
    with world.bare(api.url):
        world.until(lambda: world.gateway.connections)
        world.connections_api().delete_connection(ConnectionId=world.gateway.connections[0])
        world.backend.one("disconnect")


def test_disconnect_follows_the_end_of_the_gateway(world):
    client = world.connect(world.api().url)
    world.gateway.stop()
    assert world.backend.names == ["connect", "disconnect"]
    assert closed(client)[0] == 1001


def test_disconnect_never_follows_a_refused_connect(world):
    api = world.api()
    world.backend.answer("connect", Reply(403))
    with pytest.raises(InvalidStatus):
        world.connect(api.url)
    world.gateway.stop()
    assert world.backend.names == ["connect"]


def test_disconnect_follows_an_accepted_connect_whose_client_did_not_wait(world):
    api, hold = world.api(), threading.Event()
    world.backend.answer("connect", Reply(hold=hold))
    with world.bare(api.url):
        world.backend.one("connect")
    hold.set()
    world.backend.one("disconnect")
    assert world.gateway.connections == ()


def test_disconnect_comes_once_and_after_the_messages(world):
    api = world.api()
    client = world.connect(api.url)
    for number in range(5):
        client.send(str(number))
    client.close()
    world.backend.one("disconnect")
    assert world.gateway.wait_until_quiet()
    assert world.backend.names == ["connect"] + ["default"] * 5 + ["disconnect"]


def test_a_backend_that_does_not_hear_the_disconnect_harms_nobody(world, caplog):
    world.start(Limits(integration_timeout=0.1))
    client = world.connect(world.api().url)
    hold = threading.Event()
    world.backend.answer("disconnect", Reply(hold=hold))
    client.close()
    assert world.gateway.wait_until_quiet()
    hold.set()
    assert "disconnect not heard" in caplog.text


def test_waiting_for_quiet_ends_when_patience_does(world):
    client = world.connect(world.api().url)
    assert world.gateway.wait_until_quiet()  # an open connection is quiet
    hold = threading.Event()
    world.backend.answer("disconnect", Reply(hold=hold))
    client.close()
    world.backend.one("disconnect")
    assert not world.gateway.wait_until_quiet(0.05)
    hold.set()
    assert world.gateway.wait_until_quiet()


# Row 25: no pings of its own.


def test_the_gateway_sends_nothing_of_its_own_until_it_closes(world):
    world.start(Limits(idle_timeout=0.3, close_timeout=0.1))
    sock, received = world.bare(world.api().url), b""
    while piece := sock.recv(4096):
        received += piece
    # A close frame of two bytes' length, with the code 1001.
    assert received.partition(b"\r\n\r\n")[2] == bytes([0x88, 2]) + (1001).to_bytes(2, "big")


def test_a_clients_ping_is_no_activity(world):
    # No source says what AWS does; a message does keep a connection, see above.
    world.start(Limits(idle_timeout=0.3))
    client = world.connect(world.api().url, ping_interval=0.05)
    code, seconds = closed(client)
    assert code == 1001
    assert seconds < PATIENCE


def test_a_client_whose_connect_takes_long_is_not_cut(world):
    world.start(Limits(handshake_timeout=0.1))
    api = world.api()

    def late(received):
        threading.Event().wait(0.2)
        return Reply()

    world.backend.answer("connect", late)
    world.connect(api.url)


def test_a_client_that_says_nothing_at_all_is_cut(world):
    world.start(Limits(handshake_timeout=0.1))
    address = urlsplit(world.gateway.socket_endpoint)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        try:
            assert sock.recv(100) == b""
        except ConnectionResetError:
            pass
