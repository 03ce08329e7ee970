"""What clients say and are told: rows 9, 10, 12 to 15, 17, 18 and 27 of the fidelity list."""

from __future__ import annotations

import json
import threading
from contextlib import suppress

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE, Reply
from .world import Api


def close_code(client):
    """The code with which the other side closes, or has closed."""
    with pytest.raises(ConnectionClosed) as error:
        while True:
            client.recv(PATIENCE)
    return error.value.rcvd.code if error.value.rcvd else None


# Row 9 and 10: messages carry their body, but no Cookie, Origin or query.


def test_a_message_carries_its_body_and_nothing_of_the_handshake(world):
    api = world.api()
    client = world.connect(
        f"{api.url}?channel=x",
        additional_headers={"Cookie": "a=b", "X-Custom": "c"},
        origin="https://page.example",
        user_agent_header="Browser/1",
    )
    body = json.dumps({"action": "other", "text": "héllo"}, ensure_ascii=False)
    client.send(body)
    client.close()
    message = world.backend.one("default")
    assert message.method == "POST"
    assert message.body == body.encode()
    assert message.header("Content-Length") == str(len(body.encode()))
    for request in (message, world.backend.one("disconnect")):
        assert request.query == ""
        names = {name.lower() for name, _ in request.headers}
        assert names == {
            "host",
            "content-length",
            "user-agent",
            "connectionid",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-port",
            "x-amzn-trace-id",
            "x-amzn-apigateway-api-id",
        }
        assert request.header("User-Agent") == f"AmazonAPIGateway_{api.id}"


# Row 12: route selection expressions.


@pytest.mark.parametrize(
    ("selection", "key", "message"),
    [
        ("$request.body.action", "join", {"action": "join"}),
        ("$request.body.a.b", "join", {"a": {"b": "join"}}),
        ("${request.body.action}", "join", {"action": "join"}),
        ("${request.body.a}/${request.body.b.c}", "x/y", {"a": "x", "b": {"c": "y"}}),
        ("v1-${request.body.action}!", "v1-join!", {"action": "join"}),
        ("$request.body.number", "5", {"number": 5}),
        ("$request.body.flag", "true", {"flag": True}),
        ("$request.body.action", "два слова", {"action": "два слова"}),
    ],
)
def test_a_selection_expression_finds_the_route(world, selection, key, message):
    api = Api(world, selection)
    api.add_route(key, name="chosen")
    api.add_route("$default")
    api.deploy()
    world.connect(api.url).send(json.dumps(message))
    world.backend.one("chosen")


@pytest.mark.parametrize(
    "action", ["JOIN", "joi", "join ", "", "$connect", "$disconnect", "$default"]
)
def test_only_an_exact_match_counts_and_never_a_clients_own_connect(world, action):
    api = world.api("$connect", "$disconnect", "$default", "join")
    world.connect(api.url).send(json.dumps({"action": action}))
    world.backend.one("default")
    assert world.backend.names == ["connect", "default"]


@pytest.mark.parametrize(
    "selection",
    ["", "action", "$request.body", "$request.header.x", "$request.body.", "x$request.body.a"]
    + ["${request.body.a", "$request.body.a/$request.body.b", "${request.body.a}$x"],
)
def test_an_expression_that_reads_nothing_of_the_message_is_refused(world, selection):
    with pytest.raises(ClientError) as error:
        Api(world, selection)
    assert error.value.response["Error"]["Code"] == "BadRequestException"


# Row 13: not JSON, no key, no match: $default, else the Forbidden frame.

WITHOUT_A_ROUTE = [
    "not json",
    "",
    "5",
    '"join"',
    "[1]",
    "null",
    "{}",
    '{"action": null}',
    '{"action": {"a": 1}}',
    '{"action": ["join"]}',
    '{"action": "other"}',
    "[" * 10_000,
]


@pytest.mark.parametrize("text", WITHOUT_A_ROUTE)
def test_what_names_no_route_goes_to_default(world, text):
    api = world.api("join", "$default")
    world.connect(api.url).send(text)
    assert world.backend.one("default").body == text.encode()


@pytest.mark.parametrize("text", WITHOUT_A_ROUTE)
def test_without_a_default_the_client_is_told_that_it_is_forbidden(world, text):
    client = world.connect(world.api("join").url)
    client.send(text)
    frame = json.loads(client.recv(PATIENCE))
    assert frame.pop("requestId")
    assert frame == {"message": "Forbidden", "connectionId": world.gateway.connections[0]}
    client.send('{"action": "join"}')
    world.backend.one("join")


def test_messages_to_a_stage_that_was_deleted_are_forbidden(world):
    api = world.api()
    client = world.connect(api.url)
    api.control.delete_stage(ApiId=api.id, StageName="production")
    client.send("hello")
    assert json.loads(client.recv(PATIENCE))["message"] == "Forbidden"
    client.close()
    assert world.gateway.wait_until_quiet()
    assert world.backend.names == ["connect"]


# Row 14: integration error: Internal server error frame, socket stays.


def test_an_integration_over_its_timeout_is_an_error_frame_and_the_socket_stays(world):
    world.start(Limits(integration_timeout=0.1))
    client = world.connect(world.api().url)
    hold = threading.Event()
    world.backend.answer("default", Reply(hold=hold))
    client.send("hello")
    frame = json.loads(client.recv(PATIENCE))
    hold.set()
    assert frame.pop("requestId")
    assert frame == {
        "message": "Internal server error",
        "connectionId": world.gateway.connections[0],
    }
    world.backend.answer("default", Reply())
    client.send("again")
    assert world.backend.received("default", 2)[1].body == b"again"


@pytest.mark.parametrize(
    "reply", [Reply(500, b"<html>"), Reply(503), Reply(200, b"x" * (128 * 1024 + 1))]
)
def test_an_answer_that_is_a_failure_or_too_long_is_an_error_frame(world, reply):
    client = world.connect(world.api(replies=True).url)
    world.backend.answer("default", reply)
    client.send("hello")
    assert json.loads(client.recv(PATIENCE))["message"] == "Internal server error"


# Row 15: a reply needs both the selection expression and a RouteResponse.


def test_a_reply_reaches_the_client_if_the_route_has_both_halves(world):
    client = world.connect(world.api(replies=True).url)
    world.backend.answer("default", Reply(200, "héllo".encode()))
    client.send("1")
    assert client.recv(PATIENCE) == "héllo"
    world.backend.answer("default", Reply(400, b"refused"))
    client.send("2")
    assert client.recv(PATIENCE) == "refused"


@pytest.mark.parametrize("half", ["neither", "expression", "response"])
def test_half_of_it_makes_no_reply(world, half):
    api = Api(world)
    expression = {"RouteResponseSelectionExpression": "$default"} if half == "expression" else {}
    route = api.add_route("$default", route=expression)
    if half == "response":
        api.control.create_route_response(ApiId=api.id, RouteId=route, RouteResponseKey="$default")
    api.add_route("last", replies=True)
    api.deploy()
    world.backend.answer("default", Reply(200, b"unheard"))
    world.backend.answer("last", Reply(200, b"heard"))
    client = world.connect(api.url)
    client.send("hello")
    client.send('{"action": "last"}')
    assert client.recv(PATIENCE) == "heard"


def test_an_empty_answer_makes_no_frame(world):
    api = world.api("$default", "last", replies=True)
    world.backend.answer("last", Reply(200, b"heard"))
    client = world.connect(api.url)
    client.send("hello")
    client.send('{"action": "last"}')
    assert client.recv(PATIENCE) == "heard"


def test_an_answer_to_a_client_that_has_gone_harms_nobody(world):
    api, hold = world.api(replies=True), threading.Event()
    world.backend.answer("default", Reply(200, b"too late", hold=hold))
    client = world.connect(api.url)
    client.send("hello")
    world.backend.one("default")
    client.close()
    hold.set()
    world.backend.one("disconnect")


# Row 17: binary 1003.


def test_a_binary_frame_closes_the_connection_with_1003(world):
    client = world.connect(world.api().url)
    client.send(b"\x00\x01")
    assert close_code(client) == 1003
    world.backend.one("disconnect")
    assert "default" not in world.backend.names


def test_text_that_is_not_utf_8_closes_the_connection_with_1007(world):
    client = world.connect(world.api().url)
    client.send(b"a\xffb", text=True)
    assert close_code(client) == 1007
    world.backend.one("disconnect")
    assert "default" not in world.backend.names


# Row 18: frame over 32 KB or message over 128 KB 1009.

FRAME, MESSAGE = Limits().frame_size, Limits().message_size


def test_a_frame_and_a_message_of_just_the_size_pass(world):
    # Uncompressed: the client ends with an empty frame, which compression makes a byte longer.
    client = world.connect(world.api().url, compression=None)
    client.send("x" * FRAME)
    client.send(["y" * FRAME] * (MESSAGE // FRAME))
    sizes = [len(request.body) for request in world.backend.received("default", 2)]
    assert sizes == [FRAME, MESSAGE]


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize(
    "message",
    ["x" * (FRAME + 1), ["y" * FRAME] * (MESSAGE // FRAME) + ["z"]],
    ids=["frame", "all"],
)
def test_one_byte_more_closes_the_connection_with_1009(world, message, compression):
    client = world.connect(world.api().url, compression=compression)
    with suppress(ConnectionClosed):  # The gateway may close before the last frame is sent.
        client.send(message)
    assert close_code(client) == 1009
    world.backend.one("disconnect")
    assert "default" not in world.backend.names


# Row 27: a connection's messages are handled in order.


def test_a_connections_messages_are_handled_one_after_the_other(world):
    api, busy, overlaps = world.api(), threading.Lock(), []

    def slow_at_first(received):
        if not busy.acquire(blocking=False):
            overlaps.append(received)
        else:
            threading.Event().wait(0.05 if received.body == b"0" else 0)
            busy.release()
        return Reply()

    world.backend.answer("default", slow_at_first)
    client = world.connect(api.url)
    sent = [str(number) for number in range(30)]
    for text in sent:
        client.send(text)
    client.close()
    world.backend.one("disconnect")
    received = world.backend.received("default", len(sent))
    assert [request.body.decode() for request in received] == sent
    assert world.backend.names[-1] == "disconnect"
    assert not overlaps


def test_different_connections_are_served_at_the_same_time(world):
    api, both = world.api(), threading.Barrier(2)

    def meet(received):
        both.wait(PATIENCE)
        return Reply()

    world.backend.answer("default", meet)
    for client in (world.connect(api.url), world.connect(api.url)):
        client.send("hello")
    world.backend.received("default", 2)
    world.until(lambda: both.n_waiting == 0)
    assert not both.broken


# The control frames of the protocol are no messages.


def test_a_ping_is_answered_and_not_handed_on(world):
    client = world.connect(world.api().url)
    assert client.ping().wait(PATIENCE)
    assert world.backend.names == ["connect"]
