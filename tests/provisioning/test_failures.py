"""Each AWS call of provisioning failing in turn, and the next run finishing the job.

AWS is the local gateway. A call fails without an effect, as one that never arrived, and with its
effect, as one whose answer was lost.
"""

from __future__ import annotations

from collections import Counter

import pytest

from django_aws_api_gateway_websockets.exceptions import AwsCallFailed
from django_aws_api_gateway_websockets.models import ApiGateway
from tests.control_plane import MOCK
from tests.factories import make_gateway, make_route

pytestmark = pytest.mark.django_db

#: What create_gateway() calls for a gateway with one additional route, and how often.
CREATE_GATEWAY = {
    "GetApis": 1,
    "CreateApi": 1,
    "GetRoutes": 2,
    "GetIntegrations": 2,
    "CreateIntegration": 5,
    "CreateRoute": 5,
    "CreateIntegrationResponse": 1,
    "CreateRouteResponse": 1,
    "GetStages": 1,
    "CreateStage": 1,
    "GetApi": 1,
    "GetRouteResponses": 3,
    "GetIntegrationResponses": 1,
    "CreateDeployment": 1,
}

CREATE_CUSTOM_DOMAIN = {
    "GetDomainName": 1,
    "CreateDomainName": 1,
    "GetApiMappings": 1,
    "CreateApiMapping": 1,
}


@pytest.fixture
def gateway():
    gateway = make_gateway()
    make_route(gateway, route_key="join", integration_url="https://www.example.com/ws/join")
    return gateway


def calls(local_gateway):
    return Counter(operation for operation, _ in local_gateway.requests)


def lost_when(operation):
    """A call that changes something may be lost without or with its effect, others just so."""
    return (False,) if operation.startswith("Get") else (False, True)


def fail(local_gateway, gateway, operation, verb, *, after):
    """Let ``operation`` fail once, while a new operator calls ``verb`` and gets the error."""
    local_gateway.inject(operation, after=after)
    with pytest.raises(AwsCallFailed, match=f"InternalServerException.* {operation} operation"):
        getattr(ApiGateway.objects.get(pk=gateway.pk), verb)()
    gateway.refresh_from_db()


def assert_created(gateway, control_plane):
    assert gateway.api_created
    assert (gateway.last_error, gateway.status) == (None, "created")
    assert control_plane.apis == [gateway.api_id]
    assert control_plane.routes(gateway.api_id) == {
        "$connect": "https://www.example.com/ws/connect",
        "$disconnect": "https://www.example.com/ws/disconnect",
        "$default": "https://www.example.com/ws/default",
        "join": "https://www.example.com/ws/join",
        "ping": MOCK,
    }
    assert control_plane.replies(gateway.api_id, "ping")
    assert control_plane.orphans(gateway.api_id) == set()
    assert control_plane.stages(gateway.api_id) == {"production": gateway.deployment_id}
    assert all(route.deployed for route in gateway.additional_routes.all())


def test_a_run_without_failures_makes_each_call_once(local_gateway, gateway, control_plane):
    gateway.create_gateway()
    assert calls(local_gateway) == CREATE_GATEWAY
    assert_created(gateway, control_plane)


@pytest.mark.parametrize("operation", CREATE_GATEWAY)
def test_each_call_of_create_gateway_may_fail_and_a_later_run_finishes(
    local_gateway, gateway, control_plane, operation
):
    for _ in range(CREATE_GATEWAY[operation]):
        for after in lost_when(operation):
            fail(local_gateway, gateway, operation, "create_gateway", after=after)
            assert not gateway.api_created
            assert gateway.status == "failed"
            assert operation in gateway.last_error
            assert not any(route.deployed for route in gateway.additional_routes.all())
    gateway.create_gateway()
    assert_created(gateway, control_plane)


@pytest.mark.parametrize("operation", CREATE_CUSTOM_DOMAIN)
def test_each_call_of_create_custom_domain_may_fail_and_a_later_run_finishes(
    local_gateway, gateway, control_plane, operation
):
    gateway.domain_name, gateway.certificate_arn = "ws.example.com", "arn:aws:acm:x"
    gateway.save()
    gateway.create_gateway()
    for after in lost_when(operation):
        fail(local_gateway, gateway, operation, "create_custom_domain", after=after)
        assert not gateway.custom_domain_created
        assert gateway.status == "failed"
        assert operation in gateway.last_error
    gateway.create_custom_domain()
    assert gateway.custom_domain_created
    assert (gateway.last_error, gateway.status) == (None, "created, with custom domain")
    assert control_plane.domains == ["ws.example.com"]
    assert control_plane.mappings("ws.example.com") == {gateway.api_mapping_id: "production"}
    assert gateway.api_gateway_domain_name


def test_an_api_that_was_made_without_an_answer_is_not_made_again(
    local_gateway, gateway, control_plane
):
    fail(local_gateway, gateway, "CreateApi", "create_gateway", after=True)
    assert gateway.api_id == ""
    (made,) = control_plane.apis
    gateway.create_gateway()
    assert gateway.api_id == made
    assert calls(local_gateway)["CreateApi"] == 1


def test_a_failed_step_is_not_repeated_for_what_had_been_made(
    local_gateway, gateway, control_plane
):
    fail(local_gateway, gateway, "CreateStage", "create_gateway", after=False)
    assert gateway.api_id == control_plane.apis[0]
    before = calls(local_gateway)
    gateway.create_gateway()
    again = calls(local_gateway) - before
    assert {op for op in again if op.startswith("Create")} == {"CreateStage", "CreateDeployment"}


def test_an_edited_endpoint_leaves_no_integration_of_the_failed_run(
    local_gateway, gateway, control_plane
):
    fail(local_gateway, gateway, "CreateRoute", "create_gateway", after=False)
    gateway.target_base_endpoint = "https://other.example.com/ws/"
    gateway.save()
    gateway.create_gateway()
    assert (
        control_plane.routes(gateway.api_id)["$connect"] == "https://other.example.com/ws/connect"
    )
    assert control_plane.orphans(gateway.api_id) == set()
