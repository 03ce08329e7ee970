"""Parameter mappings: row 8 of the fidelity list."""

from __future__ import annotations

import json
import re

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError

# Row 8: RequestParameters evaluated; an unknown source is an error at create time.


def headers_of(**sources):
    """RequestParameters that map each source to a header."""
    return {f"integration.request.header.{name}": source for name, source in sources.items()}


def context_of(*names):
    return headers_of(**{name.replace(".", "-"): f"context.{name}" for name in names})


EVERYWHERE = (
    ["connectionId", "connectedAt", "domainName", "eventType", "routeKey", "requestId"]
    + ["requestTimeEpoch", "apiId", "stage", "identity.sourceIp", "identity.userAgent"]
    + ["messageId"]
)


def test_the_context_of_each_event(world):
    api = world.api(RequestParameters=context_of(*EVERYWHERE))
    client = world.connect(api.url, user_agent_header="Browser/1")
    connection_id = world.gateway.connections[0]
    client.send("hello")
    message = world.backend.one("default")
    client.close()
    requests = [world.backend.one("connect"), message, world.backend.one("disconnect")]
    for request, event, key in zip(
        requests, ["CONNECT", "MESSAGE", "DISCONNECT"], ["$connect", "$default", "$disconnect"]
    ):
        assert request.header("eventType") == event
        assert request.header("routeKey") == key
        assert request.header("connectionId") == connection_id
        assert request.header("domainName") == "127.0.0.1"
        assert request.header("apiId") == api.id
        assert request.header("stage") == "production"
        assert request.header("identity-sourceIp") == "127.0.0.1"
        assert request.header("identity-userAgent") == "Browser/1"
    assert len({request.header("requestId") for request in requests}) == 3
    assert len({request.header("connectedAt") for request in requests}) == 1
    assert all(re.fullmatch(r"\d{13}", r.header("requestTimeEpoch")) for r in requests)
    assert [bool(request.header("messageId")) for request in requests] == [False, True, False]


def test_a_client_without_user_agent_has_none_in_its_context(world):
    api = world.api(RequestParameters=context_of("identity.userAgent"))
    world.connect(api.url, user_agent_header=None)
    assert world.backend.one("connect").header("identity-userAgent") is None


def test_static_text(world):
    api = world.api(RequestParameters=headers_of(proof="'it is me'", empty="''"))
    world.connect(api.url)
    request = world.backend.one("connect")
    assert request.header("proof") == "it is me"
    assert request.header("empty") == ""


def test_values_of_a_messages_body(world):
    sources = {
        name: f"route.request.body.{path}"
        for name, path in {
            "text": "a.b",
            "number": "n",
            "flag": "yes",
            "list": "list",
            "null": "nothing",
            "missing": "a.c",
            "deeper": "n.x",
        }.items()
    }
    api = world.api(RequestParameters=headers_of(**sources))
    message = {
        "a": {"b": "héllo\r\nX-Evil: 1"},
        "n": 1.5,
        "yes": True,
        "list": [1],
        "nothing": None,
    }
    world.connect(api.url).send(json.dumps(message))
    request = world.backend.one("default")
    assert request.header("text").encode("latin-1").decode() == "héllo  X-Evil: 1"
    assert request.header("number") == "1.5"
    assert request.header("flag") == "true"
    assert request.header("list") == "[1]"
    assert [request.header(name) for name in ("null", "missing", "deeper", "X-Evil")] == [None] * 4
    assert world.backend.one("connect").header("text") is None


DECLARED = {
    "route.request.header.X-Token": {"Required": False},
    "route.request.querystring.tag": {"Required": False},
}


def test_the_clients_own_parameters_where_the_route_declares_them(world):
    sources = {
        "token": "route.request.header.X-Token",
        "tag": "route.request.querystring.tag",
        "cookie": "route.request.header.Cookie",
        "other": "route.request.querystring.other",
    }
    api = world.api(route={"RequestParameters": DECLARED}, RequestParameters=headers_of(**sources))
    client = world.connect(
        f"{api.url}?tag=1&tag=2&other=3",
        additional_headers={"x-token": "abc", "Cookie": "a=b"},
    )
    request = world.backend.one("connect")
    mapped = [request.header(name) for name in ("token", "tag", "other")]
    assert mapped == ["abc", "2", None]
    # Cookie itself is the client's own header here; the undeclared mapping adds nothing to it.
    assert request.all("Cookie") == ["a=b"]
    client.send("hello")
    assert world.backend.one("default").header("token") is None


def test_a_declared_parameter_that_the_client_does_not_send_is_left_out(world):
    sources = {
        "token": "route.request.header.X-Token",
        "tag": "route.request.querystring.tag",
    }
    api = world.api(route={"RequestParameters": DECLARED}, RequestParameters=headers_of(**sources))
    world.connect(api.url)
    request = world.backend.one("connect")
    assert request.header("token") is None
    assert request.header("tag") is None


def test_stage_variables(world):
    api = world.api(RequestParameters=headers_of(colour="stageVariables.colour"))
    api.deploy("blue", StageVariables={"colour": "blue"})
    client = world.connect(f"{api.endpoint}/blue")
    client.send("hello")
    client.close()
    for name in ("connect", "default", "disconnect"):
        assert world.backend.one(name).header("colour") == "blue"


def test_query_string_and_path_targets(world):
    mappings = {
        "integration.request.querystring.room": "route.request.body.room",
        "integration.request.path.kind": "route.request.body.kind",
    }
    uri = f"{world.backend.url}/{{kind}}/default?own=1"
    api = world.api("$default", IntegrationUri=uri, RequestParameters=mappings)
    world.connect(api.url).send(json.dumps({"room": "a&b c", "kind": "x/y"}))
    request = world.backend.one("default")
    assert request.path == "/x%2Fy/default"
    assert request.arguments == {"own": ["1"], "room": ["a&b c"]}


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("integration.request.header.x", "context.unknown"),
        ("integration.request.header.x", "context."),
        ("integration.request.header.x", "unquoted"),
        ("integration.request.header.x", "'half quoted"),
        ("integration.request.header.x", "request.body.a"),
        ("integration.request.header.x", "route.request.body."),
        ("integration.request.header.x", "route.request.cookie.a"),
        ("integration.request.header.x", ""),
        ("integration.request.header.a b", "'x'"),
        ("integration.request.header.Host", "'x'"),
        ("integration.request.header.content-length", "'x'"),
        ("integration.request.body.x", "'x'"),
        ("header.x", "'x'"),
    ],
)
def test_what_aws_would_not_understand_is_refused_at_creation(world, target, source):
    api = world.api()
    with pytest.raises(ClientError) as error:
        api.add_integration("default", RequestParameters={target: source})
    assert error.value.response["Error"]["Code"] == "BadRequestException"
    assert "mapping expression" in error.value.response["Error"]["Message"]


def test_an_update_is_checked_too_and_an_empty_string_removes_an_entry(world):
    api = world.api()
    identifier = api.add_integration("x", RequestParameters=headers_of(a="'1'", b="'2'"))
    changed = api.control.update_integration(
        ApiId=api.id, IntegrationId=identifier, RequestParameters=headers_of(b="", c="'3'")
    )
    assert changed["RequestParameters"] == headers_of(a="'1'", c="'3'")
    with pytest.raises(ClientError):
        api.control.update_integration(
            ApiId=api.id, IntegrationId=identifier, RequestParameters=headers_of(a="nonsense")
        )
