"""Stages with AutoDeploy: a deployment follows each change of the API."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from .backend import PATIENCE, Reply
from .refusals import BAD, MISSING, items, refusal
from .world import Api


@pytest.fixture
def api(world):
    """An API with a stage that deploys automatically, and no route yet."""
    made = Api(world)
    made.control.create_stage(ApiId=made.id, StageName="production", AutoDeploy=True)
    return made


def stage_of(api):
    return api.control.get_stage(ApiId=api.id, StageName="production")


def deployments_of(api):
    return items(api.control.get_deployments(ApiId=api.id))


def test_a_route_is_live_as_soon_as_it_is_made(world, api):
    api.add_route("$default")
    world.connect(api.url).send("hello")
    world.backend.one("default")


def test_the_stage_names_its_deployment_and_the_deployment_that_it_was_automatic(api):
    api.add_route("$default")
    stage = stage_of(api)
    assert stage["AutoDeploy"] is True
    identifier = stage["DeploymentId"]
    status = f"Successfully deployed stage with deployment ID '{identifier}'"
    assert stage["LastDeploymentStatusMessage"] == status
    deployment = api.control.get_deployment(ApiId=api.id, DeploymentId=identifier)
    assert deployment["AutoDeployed"] is True
    assert deployment["DeploymentStatus"] == "DEPLOYED"
    assert deployment["Description"].startswith("Automatic deployment")
    assert identifier in [each["DeploymentId"] for each in deployments_of(api)]


CHANGES = {
    "create a route": lambda api, ids: api.control.create_route(ApiId=api.id, **ids["new route"]),
    "change a route": lambda api, ids: api.control.update_route(**ids["route"], RouteKey="leave"),
    "delete a route": lambda api, ids: api.control.delete_route(**ids["other route"]),
    "create an integration": lambda api, ids: api.add_integration("more"),
    "change an integration": lambda api, ids: api.control.update_integration(
        **ids["integration"], IntegrationUri="http://127.0.0.1:1/"
    ),
    "delete an integration": lambda api, ids: api.control.delete_integration(**ids["spare"]),
    "create a response": lambda api, ids: api.control.create_route_response(
        **ids["route"], RouteResponseKey="$default"
    ),
    "delete a response": lambda api, ids: api.control.delete_route_response(**ids["response"]),
    "delete a parameter": lambda api, ids: api.control.delete_route_request_parameter(
        **ids["route"], RequestParameterKey="route.request.header.x"
    ),
    "change the api": lambda api, ids: api.control.update_api(
        ApiId=api.id, RouteSelectionExpression="$request.body.kind"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_followed_by_a_deployment(api, change):
    declared = {"RequestParameters": {"route.request.header.x": {"Required": False}}}
    route, other = api.add_route("join", route=declared), api.add_route("$default", replies=True)
    where = {"ApiId": api.id}
    shown = api.control.get_route(**where, RouteId=route)
    integration = shown["Target"].partition("/")[2]
    (response,) = items(api.control.get_route_responses(**where, RouteId=other))
    ids = {
        "new route": {"RouteKey": "more", "Target": shown["Target"]},
        "route": {**where, "RouteId": route},
        "other route": {**where, "RouteId": other},
        "integration": {**where, "IntegrationId": integration},
        "spare": {**where, "IntegrationId": api.add_integration("spare")},
        "response": {
            **where,
            "RouteId": other,
            "RouteResponseId": response["RouteResponseId"],
        },
    }
    before = stage_of(api)["DeploymentId"]
    CHANGES[change](api, ids)
    assert stage_of(api)["DeploymentId"] != before


def test_a_reply_is_live_as_soon_as_its_route_response_is_made(world, api):
    api.add_route("$default", replies=True)
    world.backend.answer("default", Reply(200, b"heard"))
    client = world.connect(api.url)
    client.send("hello")
    assert client.recv(PATIENCE) == "heard"


def test_what_changes_no_route_makes_no_deployment(api):
    api.add_route("$default")
    before = stage_of(api)["DeploymentId"]
    api.control.update_stage(ApiId=api.id, StageName="production", Description="x")
    arn = f"arn:aws:apigateway:eu-west-1::/apis/{api.id}"
    api.control.tag_resource(ResourceArn=arn, Tags={"a": "b"})
    missing = {"ApiId": api.id, "RouteId": "unknown"}
    assert refusal(api.control.delete_route, **missing) == MISSING
    assert stage_of(api)["DeploymentId"] == before


def test_a_stage_that_comes_after_its_routes_is_deployed_at_once(world):
    api = Api(world)
    api.add_route("$default")
    created = api.control.create_stage(ApiId=api.id, StageName="production", AutoDeploy=True)
    assert created["DeploymentId"] == stage_of(api)["DeploymentId"]
    world.connect(api.url)


def test_a_stage_can_begin_and_cease_to_deploy_automatically(world):
    api = world.api("$default")
    stage = {"ApiId": api.id, "StageName": "production"}
    api.add_route("join")
    updated = api.control.update_stage(**stage, AutoDeploy=True)
    assert updated["AutoDeploy"] is True
    client = world.connect(api.url)
    client.send('{"action": "join"}')
    world.backend.one("join")
    api.control.update_stage(**stage, AutoDeploy=False)
    before = stage_of(api)["DeploymentId"]
    api.add_route("leave")
    assert stage_of(api)["DeploymentId"] == before


def test_other_stages_of_the_api_stay_as_they_are(world):
    api = world.api("$default")
    before = stage_of(api)["DeploymentId"]
    api.control.create_stage(ApiId=api.id, StageName="beta", AutoDeploy=True)
    api.add_route("join")
    assert stage_of(api)["DeploymentId"] == before


def test_an_incomplete_api_says_why_it_is_not_deployed_and_keeps_what_it_has(world, api):
    route = api.add_route("$default")
    before = stage_of(api)["DeploymentId"]
    unfinished = api.control.create_route(ApiId=api.id, RouteKey="join")["RouteId"]
    stage = stage_of(api)
    assert stage["DeploymentId"] == before
    assert "join has no integration" in stage["LastDeploymentStatusMessage"]
    world.connect(api.url)
    for identifier in (unfinished, route):
        api.control.delete_route(ApiId=api.id, RouteId=identifier)
    assert "no routes exist" in stage_of(api)["LastDeploymentStatusMessage"]


def test_the_deployment_of_such_a_stage_cannot_be_chosen(api):
    api.add_route("$default")
    deployment = api.control.create_deployment(ApiId=api.id)["DeploymentId"]
    stage = {"ApiId": api.id, "StageName": "production", "DeploymentId": deployment}
    assert refusal(api.control.update_stage, **stage) == BAD
    api.control.update_stage(**stage, AutoDeploy=False)
    assert stage_of(api)["DeploymentId"] == deployment


def test_a_deployment_by_hand_is_served_until_the_next_change(api):
    api.add_route("$default")
    by_hand = api.control.create_deployment(
        ApiId=api.id, StageName="production", Description="by hand"
    )
    assert (by_hand["AutoDeployed"], by_hand["Description"]) == (False, "by hand")
    assert stage_of(api)["DeploymentId"] == by_hand["DeploymentId"]
    api.add_route("join")
    assert stage_of(api)["DeploymentId"] != by_hand["DeploymentId"]


def test_a_new_stage_serves_the_deployment_that_it_is_given_until_the_next_change(world):
    api = world.api("$default")
    first = stage_of(api)["DeploymentId"]
    api.add_route("join")
    created = api.control.create_stage(
        ApiId=api.id, StageName="beta", AutoDeploy=True, DeploymentId=first
    )
    assert created["DeploymentId"] == first
    api.add_route("leave")
    assert api.control.get_stage(ApiId=api.id, StageName="beta")["DeploymentId"] != first


def test_sockets_are_refused_until_there_is_something_to_deploy(world, api):
    with pytest.raises(InvalidStatus) as error:
        world.connect(api.url)
    assert error.value.response.status_code == 403
    assert "DeploymentId" not in stage_of(api)


def test_old_automatic_deployments_do_not_pile_up(api):
    by_hand = None
    for number in range(30):
        api.add_route(str(number))
        if number == 3:
            by_hand = api.control.create_deployment(ApiId=api.id)["DeploymentId"]
    left = deployments_of(api)
    assert len([each for each in left if each["AutoDeployed"]]) == 21
    assert by_hand in [each["DeploymentId"] for each in left]


def test_a_change_and_its_deployment_are_kept_together_or_not_at_all(world, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    world.start(state_file=folder / "state.json")
    api = Api(world)
    api.control.create_stage(ApiId=api.id, StageName="production", AutoDeploy=True)
    api.add_route("$default")
    before = stage_of(api), items(api.control.get_routes(ApiId=api.id))
    folder.rename(tmp_path / "elsewhere")
    code = ("InternalServerException", 500)
    assert refusal(api.control.create_route, ApiId=api.id, RouteKey="join") == code
    after = stage_of(api), items(api.control.get_routes(ApiId=api.id))
    for stage in (before[0], after[0]):
        stage.pop("ResponseMetadata")
    assert after == before
