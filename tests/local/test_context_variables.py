"""The context variables of the guide's "WebSocket API mapping template reference"."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("websockets")

from .refusals import BAD, refusal
from .test_mappings import context_of, headers_of

WITHOUT_VALUE = [
    *("authorizer.principalId", "authorizer.tenant", "error.messageString"),
    *("error.validationErrorString", "identity.accountId", "identity.apiKey"),
    *("identity.apiKeyId", "identity.caller", "identity.cognitoAuthenticationProvider"),
    *("identity.cognitoAuthenticationType", "identity.cognitoIdentityId"),
    *("identity.cognitoIdentityPoolId", "identity.user", "identity.userArn", "status"),
]


def test_variables_of_what_is_not_there_map_to_nothing(world):
    api = world.api(RequestParameters=context_of(*WITHOUT_VALUE, "stage"))
    client = world.connect(api.url)
    client.send("hello")
    client.close()
    for name in ("connect", "default", "disconnect"):
        request = world.backend.one(name)
        sent = [request.header(variable.replace(".", "-")) for variable in WITHOUT_VALUE]
        assert sent == [None] * len(WITHOUT_VALUE)
        assert request.header("stage") == "production"


def test_the_extended_request_id_is_the_request_id(world):
    api = world.api(RequestParameters=context_of("requestId", "extendedRequestId"))
    world.connect(api.url)
    request = world.backend.one("connect")
    assert request.header("extendedRequestId") == request.header("requestId") != ""


def test_the_request_time_is_that_of_the_common_log_format(world):
    api = world.api(RequestParameters=context_of("requestTime", "requestTimeEpoch"))
    world.connect(api.url)
    request = world.backend.one("connect")
    text = request.header("requestTime")
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", text)
    moment = datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
    assert abs(moment - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert int(moment.timestamp()) == int(request.header("requestTimeEpoch")) // 1000
    assert moment.timestamp() <= time.time()


@pytest.mark.parametrize(
    "name",
    [
        *("httpMethod", "path", "protocol", "authorizer", "authorizer.", "identity", "error"),
        *("identity.cognito", "Stage", "stage.x", "requestTime ", "extendedRequestID"),
    ],
)
def test_variables_that_the_guide_has_not_are_refused(world, name):
    api = world.api()
    parameters = {"integration.request.header.x": f"context.{name}"}
    assert refusal(api.add_integration, name="x", RequestParameters=parameters) == BAD
    identifier = api.add_integration("x")
    where = {"ApiId": api.id, "IntegrationId": identifier}
    update = api.control.update_integration
    assert refusal(update, **where, RequestParameters=parameters) == BAD


# Paths into the body


def test_an_element_of_a_list_can_be_mapped_and_select_a_route(world):
    sources = headers_of(
        first="route.request.body.items[0].id",
        inner="route.request.body.grid[1][0]",
        beyond="route.request.body.items[7].id",
        none="route.request.body.text[0]",
    )
    api = world.api(
        "$default", "join", selection="$request.body.items[0].id", RequestParameters=sources
    )
    client = world.connect(api.url)
    client.send('{"items": [{"id": "join"}], "grid": [[1], [2, 3]], "text": "abc"}')
    request = world.backend.one("join")
    assert (request.header("first"), request.header("inner")) == ("join", "2")
    assert (request.header("beyond"), request.header("none")) == (None, None)
    client.send('{"items": {"0": "join"}}')
    world.backend.one("default")


@pytest.mark.parametrize(
    "source",
    [
        *("route.request.body.a[*]", "route.request.body.a[]", "route.request.body.a[-1]"),
        *("route.request.body.a['b']", "route.request.body.[0]", "route.request.body.a..b"),
        *("route.request.body.a[0", "route.request.body.a[0]b", "route.request.body"),
        *("stageVariables.", "stageVariables.a.b", "stageVariables.a b", "stageVariables"),
        *("route.request.header.", "route.request.header.a b", "route.request.path.a"),
        *("route.request.multivalueheader.a", "route.request.multivaluequerystring.a"),
    ],
)
def test_sources_that_would_map_to_nothing_for_ever_are_refused(world, source):
    api = world.api()
    parameters = {"integration.request.header.x": source}
    assert refusal(api.add_integration, name="x", RequestParameters=parameters) == BAD


def test_a_path_target_needs_its_place_in_the_uri(world):
    api = world.api()
    parameters = {"integration.request.path.room": "'a'"}
    assert refusal(api.add_integration, name="x", RequestParameters=parameters) == BAD
    uri = f"{world.backend.url}/{{room}}"
    identifier = api.add_integration("x", IntegrationUri=uri, RequestParameters=parameters)
    where = {"ApiId": api.id, "IntegrationId": identifier}
    update = api.control.update_integration
    assert refusal(update, **where, IntegrationUri=f"{world.backend.url}/x") == BAD
