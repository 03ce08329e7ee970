"""The gateway as a whole: row 30 of the fidelity list, its beginning, its end, its log."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from django_aws_api_gateway_websockets.local.gateway import LocalGateway
from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE, Reply

# Row 30: times and limits configurable.


def test_the_defaults_are_those_of_aws():
    limits = Limits()
    assert limits.integration_timeout == 29
    assert limits.idle_timeout == 10 * 60
    assert limits.lifetime == 2 * 60 * 60
    assert limits.message_size == 128 * 1024
    assert limits.frame_size == 32 * 1024


def test_sizes_can_be_shortened_as_well_as_times(world):
    world.start(Limits(message_size=100, frame_size=10))
    client, connections_api = world.connect(world.api().url), world.connections_api()
    (connection_id,) = world.gateway.connections
    connections_api.post_to_connection(ConnectionId=connection_id, Data=b"x" * 100)
    with pytest.raises(connections_api.exceptions.PayloadTooLargeException):
        connections_api.post_to_connection(ConnectionId=connection_id, Data=b"x" * 101)
    assert client.recv(PATIENCE) == "x" * 100
    client.send("y" * 11)
    with pytest.raises(ConnectionClosed) as error:
        client.recv(PATIENCE)
    assert error.value.rcvd.code == 1009


def test_the_calls_remembered_are_bounded(world):
    world.start(Limits(requests_kept=3))
    for _ in range(5):
        world.control.get_apis()
    assert len(world.gateway.requests) == 3


def test_limits_cannot_be_changed_while_in_use():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().lifetime = 1


# The beginning and the end


def test_a_gateway_must_run_to_have_addresses():
    gateway = LocalGateway()
    with pytest.raises(RuntimeError, match="start"):
        gateway.endpoint_url  # noqa: B018 - reading it is the point
    gateway.stop()


def test_a_gateway_cannot_be_started_twice(world):
    with pytest.raises(RuntimeError, match="already"):
        world.gateway.start()


def test_a_gateway_can_be_started_again_and_still_has_its_apis(world):
    api = world.api()
    world.connect(api.url)
    world.gateway.stop()
    world.gateway.start()
    (shown,) = world.control.get_apis()["Items"]
    assert shown["ApiEndpoint"] == f"{world.gateway.socket_endpoint}/{api.id}"
    world.connect(f"{shown['ApiEndpoint']}/production")
    assert len(world.gateway.connections) == 1


@pytest.mark.parametrize("taken", ["socket_port", "control_port"])
def test_a_taken_port_is_an_error_that_leaves_nothing_open(taken):
    with socket.create_server(("127.0.0.1", 0)) as other:
        gateway = LocalGateway(**{taken: other.getsockname()[1]})
        with pytest.raises(OSError, match="in use"):
            gateway.start()
    gateway.start()
    gateway.stop()


def has_ipv6():
    with contextlib.suppress(OSError):
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    return False


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - this machine is enough
        ("::1", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_the_addresses_are_ones_that_a_client_can_open(world, host, shown):
    if host == "::1" and not has_ipv6():
        pytest.skip("no IPv6 on this machine")
    gateway = world.start(host=host)
    assert gateway.endpoint_url.startswith(f"http://{shown}:")
    assert gateway.socket_endpoint.startswith(f"ws://{shown}:")
    world.connect(world.api().url)


def test_the_end_is_prompt_even_if_integrations_hang(world):
    world.start(Limits(stop_timeout=0.2))
    api, hold = world.api(), threading.Event()
    client = world.connect(api.url)
    for name in ("default", "connect"):
        world.backend.answer(name, Reply(hold=hold))
    client.send("hello")
    world.backend.one("default")
    refused = []

    def knock():
        with pytest.raises(InvalidStatus) as error:
            world.connect(api.url)
        refused.append(error.value.response.status_code)

    thread = threading.Thread(target=knock)
    thread.start()
    world.backend.received("connect", 2)
    start = time.monotonic()
    world.gateway.stop()
    assert time.monotonic() - start < PATIENCE / 2
    hold.set()
    thread.join()
    assert refused == [502]


def test_the_end_does_not_wait_for_clients_that_never_said_a_word(world):
    address = urlsplit(world.gateway.socket_endpoint)
    with socket.create_connection((address.hostname, address.port)):
        world.connect(world.api().url)
        start = time.monotonic()
        world.gateway.stop()
        assert time.monotonic() - start < Limits().stop_timeout


def test_the_end_waits_for_a_disconnect_handler_that_posts(world):
    api = world.api()
    one, two = world.connect(api.url), world.connect(api.url)
    connections_api, answers = world.connections_api(), []

    def disconnect(received):
        try:
            connections_api.post_to_connection(
                ConnectionId=received.header("connectionId"), Data=b"bye"
            )
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])
        return Reply()

    world.backend.answer("disconnect", disconnect)
    world.gateway.stop()
    assert answers == ["GoneException"] * 2
    for client in (one, two):
        with pytest.raises(ConnectionClosed):
            client.recv(PATIENCE)


def test_a_connect_that_is_accepted_while_the_gateway_ends_is_disconnected_too(world):
    api, hold = world.api(), threading.Event()
    world.backend.answer("connect", Reply(hold=hold))
    refused = []

    def knock():
        with pytest.raises(InvalidStatus) as error:
            world.connect(api.url)
        refused.append(error.value.response.status_code)

    knocking = threading.Thread(target=knock)
    knocking.start()
    world.backend.one("connect")
    stopping = threading.Thread(target=world.gateway.stop)
    stopping.start()
    address = urlsplit(api.url)
    world.until(lambda: not accepts(address.hostname, address.port))
    hold.set()
    for thread in (knocking, stopping):
        thread.join()
    assert refused == [503]
    assert world.backend.names == ["connect", "disconnect"]


def accepts(host, port):
    try:
        socket.create_connection((host, port)).close()
    except OSError:
        return False
    return True


# What it says


def test_each_event_has_one_line_and_no_secret_is_in_any(world, caplog):
    caplog.set_level(logging.INFO, "django_aws_api_gateway_websockets.local")
    api = world.api(
        RequestParameters={
            "integration.request.header.connectionId": "context.connectionId",
            "integration.request.header.proof": "'mapped-secret'",
        }
    )
    client = world.connect(
        f"{api.url}?ticket=query-secret", additional_headers={"Cookie": "a=cookie-secret"}
    )
    (connection_id,) = world.gateway.connections
    client.send('{"text": "body-secret"}')
    world.backend.one("default")
    world.connections_api().post_to_connection(ConnectionId=connection_id, Data=b"push-secret")
    client.close()
    world.backend.answer("connect", Reply(403))
    with pytest.raises(InvalidStatus):
        world.connect(f"{api.url}?ticket=query-secret")
    world.gateway.stop()
    lines = [record.getMessage() for record in caplog.records]
    for words in (
        f"connection opened connection_id={connection_id} api_id={api.id} stage=production",
        f"message handled connection_id={connection_id} route_key=$default status=200",
        f"message pushed connection_id={connection_id} bytes=11",
        f"connection closed connection_id={connection_id} code=1000",
        "connection refused status=403 reason='$connect answered 403'",
    ):
        assert len([line for line in lines if line.startswith(words)]) == 1
    assert "secret" not in "".join(lines)
