"""The hash in a deployment's description: a gateway is deployed again only after a change."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from django_aws_api_gateway_websockets.provisioning import deployments
from tests.control_plane import calls_since
from tests.factories import fresh, make_gateway, make_live_gateway, make_route
from tests.stubbed import StubbedAws

pytestmark = pytest.mark.django_db

DEPLOY = "create_deployment StageName=production"


@pytest.fixture
def gateway(control_plane):
    """A live gateway with one additional route."""
    gateway = make_gateway(stage_description="For all")
    make_route(gateway, route_key="join", integration_url="https://www.example.com/ws/join")
    gateway.create_gateway()
    return fresh(gateway)


@pytest.fixture
def client(gateway):
    return get_boto3_client()


def description(gateway, client):
    """That of the deployment that the stage serves."""
    stage = client.get_stage(ApiId=gateway.api_id, StageName="production")
    served = {"ApiId": gateway.api_id, "DeploymentId": stage["DeploymentId"]}
    assert fresh(gateway).deployment_id == stage["DeploymentId"]
    return client.get_deployment(**served)["Description"]


def route_of(gateway, client, key="join"):
    items = client.get_routes(ApiId=gateway.api_id)["Items"]
    return next(route for route in items if route["RouteKey"] == key)


def test_the_hash_follows_what_the_user_says(gateway, client):
    said, _, digest = description(gateway, client).rpartition(" routes:")
    assert (said, len(digest)) == ("For all", 16)


def test_a_long_description_is_cut_before_the_hash():
    text = deployments.describe("x" * 5000, "0123456789abcdef")
    assert len(text) == 1024
    assert text.endswith("x routes:0123456789abcdef")


def test_nothing_is_deployed_where_nothing_has_changed(local_gateway, gateway, client):
    deployed = fresh(gateway).deployment_id
    start = len(local_gateway.requests)
    assert gateway.upgrade_gateway(dry_run=True) == []
    gateway.upgrade_gateway()
    assert {name[:3] for name in calls_since(local_gateway, start)} == {"Get"}
    assert fresh(gateway).deployment_id == deployed


def respond(gateway, client):
    route = route_of(gateway, client)
    where = {"ApiId": gateway.api_id, "RouteId": route["RouteId"]}
    client.create_route_response(**where, RouteResponseKey="$default")


def select_by_another_expression(gateway, client):
    expression = "$request.body.kind"
    client.update_api(ApiId=gateway.api_id, RouteSelectionExpression=expression)


def change_the_url(gateway, client):
    gateway.additional_routes.update(integration_url="https://www.example.com/ws/other")


def change_the_key(gateway, client):
    gateway.additional_routes.update(route_key="enter")


def change_the_default_key(gateway, client):
    ApiGateway.objects.update(route_key="other")


def delete_the_row(gateway, client):
    gateway.additional_routes.all().delete()


def add_a_row(gateway, client):
    rows = gateway.additional_routes.all()
    row = rows.get()
    row.pk, row.route_key = None, "leave"
    type(row).objects.bulk_create([row])


CHANGES = [
    *(respond, select_by_another_expression, change_the_url, change_the_key),
    *(change_the_default_key, delete_the_row, add_a_row),
]


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_of_what_is_frozen_is_deployed_once(gateway, client, change):
    before = description(gateway, client)
    change(gateway, client)
    assert DEPLOY in fresh(gateway).upgrade_gateway(dry_run=True)
    fresh(gateway).upgrade_gateway()
    assert description(gateway, client) != before
    assert fresh(gateway).upgrade_gateway(dry_run=True) == []


def test_a_route_that_is_made_and_changed_by_hand_is_deployed_each_time(gateway, client):
    where = {"ApiId": gateway.api_id}
    proxy = {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "POST"}
    mine = client.create_integration(**where, **proxy, IntegrationUri="https://mine.example.net/")
    target = f"integrations/{mine['IntegrationId']}"
    client.create_route(**where, RouteKey="mine", Target=target)
    for source in ("'1'", "'2'"):
        mapped = {"integration.request.header.extra": source}
        client.update_integration(
            **where, IntegrationId=mine["IntegrationId"], RequestParameters=mapped
        )
        assert gateway.upgrade_gateway(dry_run=True) == [DEPLOY]
        gateway.upgrade_gateway()
        assert gateway.upgrade_gateway(dry_run=True) == []


def test_what_somebody_has_changed_in_our_integration_is_put_right_without_a_deployment(
    gateway, client
):
    deployed = gateway.deployment_id
    target = route_of(gateway, client)["Target"].partition("/")[2]
    mapped = {"integration.request.header.extra": "'1'"}
    client.update_integration(ApiId=gateway.api_id, IntegrationId=target, RequestParameters=mapped)
    told = [call.split()[0] for call in gateway.upgrade_gateway(dry_run=True)]
    assert told == ["create_integration", "update_route", "delete_integration"]
    gateway.upgrade_gateway()
    assert fresh(gateway).deployment_id == deployed
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_a_new_secret_is_deployed_and_not_shown(gateway, client, settings):
    before = description(gateway, client)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert DEPLOY in gateway.upgrade_gateway(dry_run=True)
    gateway.upgrade_gateway()
    assert description(gateway, client) != before
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_what_a_deployment_does_not_freeze_needs_none(local_gateway, gateway, client):
    """Throttles, the description, a stranger's integration, an id: a route may be made anew."""
    ApiGateway.objects.update(throttling_rate_limit=5, stage_description="Other")
    client.create_integration(
        ApiId=gateway.api_id,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="POST",
        IntegrationUri="https://mine.example.net/",
    )
    client.delete_route(ApiId=gateway.api_id, RouteId=route_of(gateway, client)["RouteId"])
    start = len(local_gateway.requests)
    fresh(gateway).upgrade_gateway()
    assert calls_since(local_gateway, start).count("CreateRoute") == 1
    assert calls_since(local_gateway, start).count("CreateDeployment") == 0


def test_a_change_that_is_taken_back_before_it_is_deployed_needs_no_deployment(
    local_gateway, gateway, client
):
    deployed, (url,) = (
        gateway.deployment_id,
        gateway.additional_routes.values_list("integration_url", flat=True),
    )
    change_the_url(gateway, client)
    local_gateway.inject("CreateDeployment", after=False)
    with pytest.raises(RuntimeError, match="CreateDeployment"):
        gateway.upgrade_gateway()
    gateway.additional_routes.update(integration_url=url)
    assert DEPLOY not in gateway.upgrade_gateway(dry_run=True)
    gateway.upgrade_gateway()
    assert fresh(gateway).deployment_id == deployed


@pytest.mark.parametrize("said", ["", "by hand", "Automatic deployment triggered by changes"])
def test_a_deployment_of_somebody_else_is_replaced(gateway, client, said):
    where = {"ApiId": gateway.api_id, "StageName": "production"}
    client.create_deployment(**where, Description=said)
    assert gateway.upgrade_gateway(dry_run=True) == [DEPLOY]
    gateway.upgrade_gateway()
    assert description(gateway, client).startswith("For all routes:")
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_a_stage_that_was_led_back_to_an_old_deployment_is_led_forward(gateway, client):
    old = gateway.deployment_id
    change_the_url(gateway, client)
    gateway.upgrade_gateway()
    client.update_stage(ApiId=gateway.api_id, StageName="production", DeploymentId=old)
    assert gateway.upgrade_gateway(dry_run=True) == [DEPLOY]
    gateway.upgrade_gateway()
    assert description(gateway, client)
    assert fresh(gateway).deployment_id != old


def test_a_same_deployment_that_the_row_does_not_know_is_recorded(gateway, client):
    right = gateway.deployment_id
    ApiGateway.objects.update(deployment_id="")
    fresh(gateway).upgrade_gateway()
    assert fresh(gateway).deployment_id == right


@pytest.mark.django_db(transaction=True)
def test_a_saved_and_a_deleted_route_leave_nothing_to_do(gateway, client):
    route = make_route(gateway, route_key="leave")
    assert gateway.upgrade_gateway(dry_run=True) == []
    route.delete()
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_old_integrations_are_deleted_after_the_deployment(local_gateway, gateway, client):
    change_the_url(gateway, client)
    start = len(local_gateway.requests)
    gateway.upgrade_gateway()
    writes = [name for name in calls_since(local_gateway, start) if name[:3] != "Get"]
    assert writes[-2:] == ["CreateDeployment", "DeleteIntegration"]
    told = [call.split()[0] for call in make_live_gateway().upgrade_gateway(dry_run=True)]
    assert told == []


def test_responses_of_an_integration_that_is_no_proxy_are_frozen_as_well():
    aws = StubbedAws()
    gateway = make_gateway(api_id="api1")
    route = {"RouteKey": "ping", "RouteId": "r1", "Target": "integrations/i1"}
    found = {"IntegrationId": "i1", "IntegrationType": "MOCK"}
    digests = []
    for answer in ("pong", "PONG"):
        aws.expect_listings(routes=[route], integrations=[found])
        api = {"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$x"}
        aws.expect("get_api", api, ApiId="api1")
        response = {"IntegrationResponseKey": "$default", "ResponseTemplates": {"t": answer}}
        where = {"ApiId": "api1", "IntegrationId": "i1"}
        aws.expect("get_integration_responses", {"Items": [response]}, **where)
        digests.append(deployments.digest_of(aws.client, gateway.route_table(aws.client)))
    aws.expect_nothing_more()
    assert digests[0] != digests[1]
