"""Claims on a gateway: an attempt that another one has overtaken stops, and leaves the claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import AwsCallFailed, ProvisioningInProgress
from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from tests.control_plane import calls_since, while_asked
from tests.factories import fresh, make_gateway, make_live_gateway, make_route

pytestmark = pytest.mark.django_db

URL = "https://www.example.com/ws/join"


@pytest.fixture
def gateway(control_plane):
    return make_live_gateway()


def overtake(gateway):
    """The claim has lapsed, and somebody else has claimed the row; when that was."""
    claim = timezone.now() + timedelta(minutes=16)
    ApiGateway.objects.filter(pk=gateway.pk).update(provisioning_since=claim)
    return claim


OVERTAKEN = "has been taken over by another process"
STEPS = ["CreateApi", "CreateRoute", "CreateStage", "CreateDeployment"]


@pytest.mark.parametrize("operation", STEPS)
def test_an_attempt_that_was_overtaken_stops_and_leaves_the_claim(
    local_gateway, control_plane, operation
):
    gateway, claims = make_gateway(), []

    def take_over(name):
        if name == operation and not claims:
            claims.append(overtake(gateway))

    slow = fresh(gateway)
    start = len(local_gateway.requests)
    with while_asked(take_over), pytest.raises(ProvisioningInProgress) as told:
        slow.create_gateway()
    assert OVERTAKEN in str(told.value)
    # The call in whose middle it happened is the last one that changes anything.
    writes = [name for name in calls_since(local_gateway, start) if name[:3] != "Get"]
    assert writes[-1] == operation
    row = fresh(gateway)
    assert row.provisioning_since == claims[0]
    assert (row.last_error, row.api_created, row.deployment_id) == (None, False, "")
    if operation != "CreateApi":
        assert row.api_id


def test_an_attempt_that_was_overtaken_in_its_last_call_is_no_success(local_gateway, gateway):
    ApiGateway.objects.update(domain_name="ws.example.com", certificate_arn="arn:aws:acm:old")
    fresh(gateway).create_custom_domain()
    ApiGateway.objects.update(certificate_arn="arn:aws:acm:new")
    claims = []

    def take_over(name):
        if name == "UpdateDomainName":
            claims.append(overtake(gateway))

    with while_asked(take_over), pytest.raises(ProvisioningInProgress, match=OVERTAKEN):
        fresh(gateway).create_custom_domain()
    assert fresh(gateway).provisioning_since == claims[0]


def test_who_has_overtaken_finishes_with_one_of_each(local_gateway, control_plane):
    gateway, done = make_gateway(), []
    make_route(gateway, route_key="join", integration_url=URL)

    def take_over(name):
        if name == "CreateRoute" and not done:
            done.append(True)
            ApiGateway.objects.update(provisioning_since=timezone.now() - timedelta(minutes=16))
            fresh(gateway).create_gateway()

    slow = fresh(gateway)
    with while_asked(take_over), pytest.raises(AwsCallFailed):
        slow.create_gateway()  # AWS has the route already.
    assert fresh(gateway).api_created
    assert fresh(gateway).last_error is None
    fresh(gateway).upgrade_gateway()
    assert len(control_plane.apis) == 1
    assert control_plane.additional_routes(gateway) == {"join": URL}


def test_an_overtaken_attempt_may_be_tried_again_with_the_same_object(
    local_gateway, control_plane
):
    gateway, done = make_gateway(), []

    def take_over(name):
        if name == "CreateStage" and not done:
            done.append(overtake(gateway))

    with while_asked(take_over), pytest.raises(ProvisioningInProgress):
        gateway.create_gateway()
    ApiGateway.objects.update(provisioning_since=None)
    gateway.create_gateway()
    assert control_plane.additional_routes(gateway) == {}
    assert fresh(gateway).status == "created"


def test_a_deployment_of_a_route_that_was_overtaken_is_told(
    local_gateway, gateway, commit, caplog
):
    def take_over(name):
        if name == "CreateRoute":
            overtake(gateway)

    with while_asked(take_over), commit():
        route = make_route(gateway, route_key="join", integration_url=URL)
    assert OVERTAKEN in caplog.text
    assert OVERTAKEN in fresh(gateway).last_error
    assert not fresh(route).deployed


def test_a_gateway_that_is_deleted_during_an_attempt_is_told(local_gateway, control_plane):
    gateway = make_gateway()

    def delete_it(name):
        if name == "CreateStage":
            ApiGateway.objects.all().delete()

    with while_asked(delete_it), pytest.raises(
        ProvisioningInProgress, match="taken over by another process, or deleted"
    ):
        fresh(gateway).create_gateway()


# What an overtaken creation leaves


def make_a_second_api(gateway):
    """As an attempt does that is overtaken in the middle of its CreateApi."""
    made = get_boto3_client().create_api(
        Name="x",
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
        Version=fresh(gateway).creation_token,
    )
    return made["ApiId"]


def test_a_second_api_of_an_overtaken_creation_is_deleted_by_an_upgrade(control_plane, gateway):
    second = make_a_second_api(gateway)
    gateway = fresh(gateway)
    assert gateway.upgrade_gateway(dry_run=True) == [f"delete_api ApiId={second}"]
    gateway.upgrade_gateway()
    assert control_plane.apis == [gateway.api_id]
    assert gateway.notices == (f"The API {second} has been deleted in AWS: no row has it.",)


@pytest.mark.parametrize("use", ["a stage", "a row", "another token"])
def test_a_second_api_that_somebody_uses_stays(control_plane, gateway, use):
    """A copy of the row, or of the database, has the token as well."""
    second = make_a_second_api(gateway)
    if use == "a stage":
        get_boto3_client().create_stage(ApiId=second, StageName="production")
    elif use == "a row":
        make_gateway(api_id=second)
    else:
        get_boto3_client().update_api(ApiId=second, Version="1.0")
    fresh(gateway).upgrade_gateway()
    assert set(control_plane.apis) == {gateway.api_id, second}
