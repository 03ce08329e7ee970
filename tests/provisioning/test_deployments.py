"""A deployment is in service when AWS says so, and not before."""

from __future__ import annotations

import time

import pytest

from django_aws_api_gateway_websockets.exceptions import DeploymentFailed
from tests.factories import fresh, make_created_gateway
from tests.stubbed import StubbedAws

pytestmark = pytest.mark.django_db


@pytest.fixture
def aws():
    stubbed = StubbedAws()
    yield stubbed
    stubbed.expect_nothing_more()


@pytest.fixture
def slept(monkeypatch):
    """The seconds that are slept, at once."""
    seconds = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


@pytest.fixture
def gateway():
    return make_created_gateway(api_id="api1", deployment_id="d0")


def expect_deployment(aws, *answers):
    """CreateDeployment, and GetDeployment for each answer after the first."""
    for number, answer in enumerate(answers):
        answered = {"DeploymentId": "d1", **answer}
        if number:
            aws.expect("get_deployment", answered, ApiId="api1", DeploymentId="d1")
        else:
            where = {"ApiId": "api1", "StageName": "production", "Description": ""}
            aws.expect("create_deployment", answered, **where)


PENDING, DEPLOYED = {"DeploymentStatus": "PENDING"}, {"DeploymentStatus": "DEPLOYED"}


@pytest.mark.parametrize("answer", [{}, DEPLOYED])
def test_one_that_is_in_service_at_once_is_not_waited_for(aws, gateway, slept, answer):
    expect_deployment(aws, answer)
    gateway.deploy_api(aws.client)
    assert (fresh(gateway).deployment_id, slept) == ("d1", [])


def test_one_that_is_pending_is_waited_for(aws, gateway, slept):
    expect_deployment(aws, PENDING, PENDING, DEPLOYED)
    gateway.deploy_api(aws.client)
    assert (fresh(gateway).deployment_id, slept) == ("d1", [0.5, 1])


def test_one_that_fails_is_an_error_with_the_reason_of_aws(aws, gateway, slept):
    failed = {"DeploymentStatus": "FAILED", "DeploymentStatusMessage": "No integration"}
    expect_deployment(aws, PENDING, failed)
    with pytest.raises(DeploymentFailed, match=r"^The deployment d1 is FAILED: No integration$"):
        gateway.deploy_api(aws.client)
    assert fresh(gateway).deployment_id == "d0"


def test_one_that_stays_pending_is_given_up_after_half_a_minute(aws, gateway, slept):
    expect_deployment(aws, *[PENDING] * 7)
    with pytest.raises(DeploymentFailed, match="is PENDING: AWS gives no reason"):
        gateway.deploy_api(aws.client)
    assert 30 <= sum(slept) <= 35
