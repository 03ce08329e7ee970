"""upgrade_gateway() and its dry run: a gateway of an older release, while it is in use."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from django_aws_api_gateway_websockets.exceptions import AwsCallFailed, GatewayNotReady
from django_aws_api_gateway_websockets.models import get_boto3_client
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.control_plane import MOCK, OWN_ROUTES, calls_since
from tests.factories import (
    fresh,
    make_created_gateway,
    make_gateway,
    make_live_gateway,
    make_route,
)
from tests.old_release import deploy_as_1_1_1

pytestmark = pytest.mark.django_db

#: What an upgrade calls for a gateway with one additional route, and how often.
UPGRADE = {
    "GetRoutes": 2,
    "GetIntegrations": 2,
    "CreateIntegration": 5,
    "UpdateRoute": 4,
    "CreateIntegrationResponse": 1,
    "CreateRoute": 1,
    "CreateRouteResponse": 1,
    "GetStages": 1,
    "GetApi": 1,
    "GetRouteResponses": 1,
    "GetIntegrationResponses": 1,
    "GetDeployment": 1,
    "CreateDeployment": 1,
    "DeleteIntegration": 4,
}


def headers_mapped(gateway):
    """The names of the headers that every integration of the gateway maps, but that of pings."""
    found = get_boto3_client().get_integrations(ApiId=gateway.api_id)["Items"]
    mapped = [i["RequestParameters"] for i in found if i["IntegrationType"] != "MOCK"]
    names = [{key.rpartition(".")[2] for key in parameters} for parameters in mapped]
    return set.intersection(*names)


def stage_settings(gateway):
    (stage,) = get_boto3_client().get_stages(ApiId=gateway.api_id)["Items"]
    return stage["DefaultRouteSettings"]


def throttles(gateway):
    settings = stage_settings(gateway).items()
    return {name: value for name, value in settings if name.startswith("Throttling")}


def test_an_upgrade_maps_what_this_version_maps_and_leaves_nothing_over(
    local_gateway, control_plane
):
    gateway = deploy_as_1_1_1()
    routes, start = control_plane.routes(gateway.api_id), len(local_gateway.requests)
    gateway.upgrade_gateway()
    assert Counter(calls_since(local_gateway, start)) == UPGRADE
    assert headers_mapped(gateway) >= {"connectionId", "sourceIp", "X-Websocket-Secret"}
    assert control_plane.routes(gateway.api_id) == {**routes, "ping": MOCK}
    assert control_plane.orphans(gateway.api_id) == set()
    assert control_plane.stages(gateway.api_id) == {"production": fresh(gateway).deployment_id}


@pytest.mark.django_db(transaction=True)
def test_an_api_that_1_1_1_left_half_made_is_finished(local_gateway, control_plane):
    """1.1.1 marked a gateway as created before it had made the routes."""
    made = get_boto3_client().create_api(
        Name="Chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    gateway = make_created_gateway(api_id=made["ApiId"], api_endpoint=made["ApiEndpoint"])
    gateway.upgrade_gateway()
    assert {*control_plane.routes(gateway.api_id)} == {*OWN_ROUTES, "ping"}
    stages = control_plane.stages(gateway.api_id)
    assert stages == {"production": fresh(gateway).deployment_id}


def test_open_sockets_live_through_it_and_forged_events_do_not(
    local_gateway, live_server, settings
):
    from django_aws_api_gateway_websockets.local.testing import open_socket

    gateway = deploy_as_1_1_1(target_base_endpoint=f"{live_server.url}/ws/")
    forger = WebSocketClient("/ws/", gateway=gateway, connection_id="forged=")
    assert answered(forger.connect()) == (200, b"{}")
    socket = open_socket(gateway, channel="lobby")
    gateway.upgrade_gateway()
    socket.send({"action": "chat", "text": "still here"})
    assert socket.receive() == {"text": "still here"}
    later = open_socket(gateway, channel="lobby")
    later.send({"action": "chat", "text": "new here"})
    assert socket.receive() == later.receive() == {"text": "new here"}
    forger.headers[proof.HEADER] = "0" * 64
    forger.connection_id = "another="
    assert answered(forger.connect()) == (400, b"Some of the required headers are missing")
    socket.close()
    later.close()
    local_gateway.wait_until_quiet()


@pytest.mark.parametrize("operation", UPGRADE)
def test_each_call_may_fail_and_a_later_run_finishes(local_gateway, control_plane, operation):
    gateway = deploy_as_1_1_1()
    for after in (False,) if operation.startswith("Get") else (False, True):
        local_gateway.inject(operation, after=after)
        with pytest.raises(AwsCallFailed):
            fresh(gateway).upgrade_gateway()
        assert fresh(gateway).source_proof is None
        assert operation in fresh(gateway).last_error
        assert set(control_plane.routes(gateway.api_id)) >= {"$connect", "$disconnect", "join"}
    fresh(gateway).upgrade_gateway()
    assert "X-Websocket-Secret" in headers_mapped(gateway)
    assert control_plane.orphans(gateway.api_id) == set()
    assert control_plane.replies(gateway.api_id, "ping")
    assert (fresh(gateway).source_proof is None, fresh(gateway).last_error) == (False, None)


def test_a_second_upgrade_with_a_new_key_maps_that(local_gateway, settings):
    gateway = make_live_gateway()
    before = fresh(gateway).source_proof
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    gateway.upgrade_gateway()
    after = fresh(gateway).source_proof
    assert after == proof.fingerprint(proof.value_for(gateway)) != before


@pytest.mark.django_db(transaction=True)
def test_a_route_that_could_not_be_deployed_is_deployed_with_it(local_gateway, control_plane):
    gateway = make_live_gateway()
    local_gateway.inject("CreateRoute")
    route = make_route(gateway, route_key="join")
    assert not fresh(route).deployed
    gateway.upgrade_gateway()
    assert fresh(route).deployed
    assert set(control_plane.additional_routes(gateway)) == {"join"}


@pytest.mark.parametrize(
    "columns", [{}, {"api_created": True, "api_id": "api1", "target_base_endpoint": ""}]
)
def test_what_is_not_created_cannot_be_upgraded_even_in_a_dry_run(edge, columns):
    gateway = make_gateway(**columns)
    for verb in (gateway.upgrade_gateway, partial(gateway.upgrade_gateway, dry_run=True)):
        with pytest.raises(GatewayNotReady, match="needs to be created before"):
            verb()
    assert edge.requests == []


# The throttles


def test_throttles_are_set_when_the_gateway_is_created(local_gateway):
    gateway = make_gateway(throttling_rate_limit=50.5, throttling_burst_limit=100)
    gateway.create_gateway()
    assert throttles(gateway) == {"ThrottlingRateLimit": 50.5, "ThrottlingBurstLimit": 100}


def test_a_gateway_without_throttles_has_the_accounts(local_gateway):
    assert throttles(make_live_gateway()) == {}


def test_changed_throttles_are_set_by_an_upgrade_and_the_rest_of_the_stage_is_kept(local_gateway):
    gateway = make_live_gateway()
    get_boto3_client().update_stage(
        ApiId=gateway.api_id,
        StageName="production",
        DefaultRouteSettings={"LoggingLevel": "INFO", "ThrottlingBurstLimit": 9},
    )
    gateway.throttling_rate_limit = 10
    gateway.save()
    gateway.upgrade_gateway()
    assert throttles(gateway) == {"ThrottlingBurstLimit": 9, "ThrottlingRateLimit": 10}
    assert stage_settings(gateway)["LoggingLevel"] == "INFO"


# The dry run


def test_a_dry_run_says_what_the_upgrade_then_does_and_changes_nothing(
    local_gateway, control_plane
):
    gateway = deploy_as_1_1_1()
    gateway.throttling_burst_limit = 5
    row, start = vars(fresh(gateway)), len(local_gateway.requests)
    told = Counter(call.split()[0] for call in gateway.upgrade_gateway(dry_run=True))
    assert {operation[:3] for operation in calls_since(local_gateway, start)} == {"Get"}
    assert without_state(vars(fresh(gateway))) == without_state(row)
    gateway.save()
    start = len(local_gateway.requests)
    gateway.upgrade_gateway()
    done = Counter(calls_since(local_gateway, start))
    assert {snake(name): n for name, n in done.items() if name[:3] != "Get"} == told


def test_a_dry_run_does_not_tell_the_secret(local_gateway):
    gateway = deploy_as_1_1_1()
    calls = "\n".join(gateway.upgrade_gateway(dry_run=True))
    assert "create_integration IntegrationUri=https://www.example.com/ws/connect" in calls
    assert proof.value_for(gateway) not in calls


def test_a_dry_run_of_what_is_up_to_date_is_empty(local_gateway):
    assert make_live_gateway().upgrade_gateway(dry_run=True) == []


def test_a_refusal_of_aws_is_an_error_of_ours_and_not_noted_on_the_row(local_gateway):
    gateway = deploy_as_1_1_1()
    local_gateway.inject("GetRoutes")
    with pytest.raises(AwsCallFailed, match="GetRoutes"):
        gateway.upgrade_gateway(dry_run=True)
    assert fresh(gateway).last_error is None


def without_state(columns):
    return {name: value for name, value in columns.items() if name != "_state"}


def snake(operation):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
