"""The @connections calls: row 20 of the fidelity list."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE
from .refusals import code_and_status

UNKNOWN = "AAAAAAAAAAAAAAA="

# Row 20: POST, GET and DELETE; 410, 400 malformed id, 413, 403 unsigned, 429 by injection.


def test_a_post_reaches_the_client(world):
    client = world.connect(world.api().url)
    world.connections_api().post_to_connection(
        ConnectionId=world.connection_id, Data="héllo".encode()
    )
    assert client.recv(PATIENCE) == "héllo"


def test_posts_to_one_connection_keep_their_order(world):
    client, connections_api = world.connect(world.api().url), world.connections_api()
    sent = [str(number) for number in range(50)]
    for text in sent:
        connections_api.post_to_connection(ConnectionId=world.connection_id, Data=text)
    assert [client.recv(PATIENCE) for _ in sent] == sent


def test_what_is_not_utf_8_is_still_a_text_message(world):
    client = world.connect(world.api().url)
    world.connections_api().post_to_connection(ConnectionId=world.connection_id, Data=b"a\xffb")
    assert client.recv(PATIENCE) == "a\ufffdb"


def test_get_tells_who_the_client_is_and_when_it_was_active(world):
    client = world.connect(world.api().url, user_agent_header="Browser/1")
    shown = world.connections_api().get_connection(ConnectionId=world.connection_id)
    assert shown["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "Browser/1"}
    now = datetime.now(timezone.utc)
    assert now - timedelta(minutes=1) < shown["ConnectedAt"] <= shown["LastActiveAt"] <= now
    assert client.ping().wait(PATIENCE)


def test_delete_closes_the_connection_with_1000_and_it_is_gone_at_once(world):
    client, connections_api = world.connect(world.api().url), world.connections_api()
    connection_id = world.connection_id
    connections_api.delete_connection(ConnectionId=connection_id)
    with pytest.raises(connections_api.exceptions.GoneException):
        connections_api.get_connection(ConnectionId=connection_id)
    with pytest.raises(ConnectionClosed) as error:
        client.recv(PATIENCE)
    assert error.value.rcvd.code == 1000


@pytest.mark.parametrize(
    "operation", ["post_to_connection", "get_connection", "delete_connection"]
)
@pytest.mark.parametrize("known", ["never", "once"])
def test_a_closed_or_unknown_connection_is_gone(world, operation, known):
    api, connections_api, connection_id = world.api(), world.connections_api(), UNKNOWN
    if known == "once":
        client = world.connect(api.url)
        connection_id = world.connection_id
        client.close()
    arguments = {"Data": b"hi"} if operation == "post_to_connection" else {}
    with pytest.raises(connections_api.exceptions.GoneException) as error:
        getattr(connections_api, operation)(ConnectionId=connection_id, **arguments)
    assert code_and_status(error) == ("GoneException", 410)


@pytest.mark.parametrize(
    "identifier", ["x", "A" * 300, "AAAAAAAAAAAAAAA", "AAAAAAA AAAAAAA=", "\x00"]
)
def test_a_malformed_id_is_a_bad_request(world, identifier):
    world.api()
    with pytest.raises(ClientError) as error:
        world.connections_api().post_to_connection(ConnectionId=identifier, Data=b"hi")
    assert code_and_status(error) == ("BadRequestException", 400)


def test_a_message_of_128_kib_passes_and_one_byte_more_is_too_large(world):
    client, connections_api = world.connect(world.api().url), world.connections_api()
    connections_api.post_to_connection(ConnectionId=world.connection_id, Data="x" * 131_072)
    with pytest.raises(connections_api.exceptions.PayloadTooLargeException) as error:
        connections_api.post_to_connection(ConnectionId=world.connection_id, Data="x" * 131_073)
    assert code_and_status(error) == ("PayloadTooLargeException", 413)
    assert client.recv(PATIENCE) == "x" * 131_072


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize("path", [f"/production/@connections/{UNKNOWN}", "/v2/apis"])
def test_an_unsigned_request_is_forbidden(world, raw, headers, path):
    world.api()
    answer = raw("GET", path, headers=headers)
    assert answer.status == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.loads(answer.body) == {"message": "Missing Authentication Token"}


def test_a_client_can_be_made_slow_by_injection(world):
    api, connections_api = world.api(), world.connections_api()
    slow, fast = world.connect(api.url), None
    slow_id = world.connection_id
    fast = world.connect(api.url)
    (fast_id,) = set(world.gateway.connections) - {slow_id}
    world.gateway.inject(
        "PostToConnection", 429, "LimitExceededException", times=2, connection_id=slow_id
    )
    connections_api.post_to_connection(ConnectionId=fast_id, Data=b"1")
    for _ in range(2):
        with pytest.raises(connections_api.exceptions.LimitExceededException) as error:
            connections_api.post_to_connection(ConnectionId=slow_id, Data=b"2")
        assert code_and_status(error) == ("LimitExceededException", 429)
    connections_api.post_to_connection(ConnectionId=slow_id, Data=b"3")
    assert fast.recv(PATIENCE) == "1"
    assert slow.recv(PATIENCE) == "3"


def test_a_client_that_does_not_read_is_over_its_limit_in_the_end(world):
    world.start(Limits(client_buffer=100_000))
    url, connections_api = world.api().url, world.connections_api()
    with world.bare(url) as sock:
        assert sock.recv(100).startswith(b"HTTP/1.1 101")
        with pytest.raises(connections_api.exceptions.LimitExceededException):
            for _ in range(1000):
                connections_api.post_to_connection(
                    ConnectionId=world.connection_id, Data="x" * 131_072
                )


def test_an_injected_delete_after_the_fact_has_closed_the_connection(world):
    client, connections_api = world.connect(world.api().url), world.connections_api()
    world.gateway.inject("DeleteConnection", after=True)
    with pytest.raises(ClientError) as error:
        connections_api.delete_connection(ConnectionId=world.connection_id)
    assert code_and_status(error) == ("InternalServerException", 500)
    with pytest.raises(ConnectionClosed):
        client.recv(PATIENCE)
