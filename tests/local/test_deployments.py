"""What is live: row 26 of the fidelity list."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from .backend import PATIENCE, Reply
from .refusals import BAD, MISSING, items, refusal
from .world import Api

# Row 26: changes are live only after a deployment.


def test_a_new_route_is_live_only_after_a_deployment(world):
    api = world.api("$default")
    client = world.connect(api.url)
    api.add_route("join")
    client.send('{"action": "join"}')
    world.backend.one("default")
    api.deploy()
    client.send('{"action": "join"}')
    world.backend.one("join")


def test_changed_and_deleted_resources_are_live_only_after_a_deployment(world):
    api = Api(world, "$request.body.action")
    integration = api.add_integration("before")
    route = api.control.create_route(
        ApiId=api.id, RouteKey="join", Target=f"integrations/{integration}"
    )["RouteId"]
    api.add_route("$default")
    api.deploy()
    client = world.connect(api.url)
    api.control.update_integration(
        ApiId=api.id, IntegrationId=integration, IntegrationUri=f"{world.backend.url}/after"
    )
    client.send('{"action": "join"}')
    world.backend.one("before")
    api.deploy()
    client.send('{"action": "join"}')
    world.backend.one("after")
    api.control.delete_route(ApiId=api.id, RouteId=route)
    api.control.update_api(ApiId=api.id, RouteSelectionExpression="$request.body.other")
    client.send('{"action": "join"}')
    world.backend.received("after", 2)
    api.deploy()
    client.send('{"action": "join"}')
    world.backend.one("default")


def test_a_route_response_is_live_only_after_a_deployment(world):
    api = Api(world)
    route = api.add_route("$default", route={"RouteResponseSelectionExpression": "$default"})
    api.deploy()
    client = world.connect(api.url)
    api.control.create_route_response(ApiId=api.id, RouteId=route, RouteResponseKey="$default")
    world.backend.answer("default", Reply(200, b"too early"))
    client.send("1")
    world.backend.one("default")
    api.deploy()
    world.backend.answer("default", Reply(200, b"heard"))
    client.send("2")
    assert client.recv(PATIENCE) == "heard"


def test_a_stage_can_be_set_back_to_an_earlier_deployment(world):
    api = world.api("$default")
    stages = api.control.get_stage(ApiId=api.id, StageName="production")
    api.add_route("join")
    api.deploy()
    api.control.update_stage(
        ApiId=api.id, StageName="production", DeploymentId=stages["DeploymentId"]
    )
    world.connect(api.url).send('{"action": "join"}')
    world.backend.one("default")


def test_a_deployment_without_a_stage_goes_live_with_the_stage_that_names_it(world):
    api = Api(world)
    api.add_route("$default")
    deployment = api.control.create_deployment(ApiId=api.id, Description="first")
    assert deployment["DeploymentStatus"] == "DEPLOYED"
    with pytest.raises(InvalidStatus):
        world.connect(api.url)
    api.control.create_stage(
        ApiId=api.id, StageName="production", DeploymentId=deployment["DeploymentId"]
    )
    world.connect(api.url)


@pytest.mark.parametrize("incomplete", ["no route", "no integration"])
def test_an_incomplete_api_cannot_be_deployed(world, incomplete):
    api = Api(world)
    if incomplete == "no integration":
        api.control.create_route(ApiId=api.id, RouteKey="$default")
    assert refusal(api.control.create_deployment, ApiId=api.id) == BAD


def test_a_deployment_to_an_unknown_stage_makes_none(world):
    api = world.api()
    assert refusal(api.control.create_deployment, ApiId=api.id, StageName="x") == MISSING
    assert len(items(api.control.get_deployments(ApiId=api.id))) == 1
