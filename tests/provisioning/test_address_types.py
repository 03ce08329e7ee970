"""The addresses by which clients may come: sent where somebody has chosen, in force at once."""

from __future__ import annotations

from unittest import mock

import pytest
from django.core.exceptions import ValidationError

from django_aws_api_gateway_websockets import models
from django_aws_api_gateway_websockets.exceptions import GatewayNotReady
from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from tests.control_plane import calls_since
from tests.factories import fresh, make_created_gateway, make_gateway, make_live_gateway

pytestmark = pytest.mark.django_db

DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}


def body_of(edge, line):
    (body,) = [request.json for request in edge.requests if request.line == line]
    return body


@pytest.mark.parametrize("chosen", ["ipv4", "dualstack"])
def test_a_new_api_and_a_new_domain_get_the_chosen_one(edge, chosen):
    gateway = make_gateway(ip_address_type=chosen, **DOMAIN)
    gateway.create_gateway()
    gateway.create_custom_domain()
    assert body_of(edge, "POST /v2/apis")["ipAddressType"] == chosen
    (configuration,) = body_of(edge, "POST /v2/domainnames")["domainNameConfigurations"]
    assert configuration["ipAddressType"] == chosen


@pytest.mark.parametrize("empty", [None, ""])
def test_nothing_is_sent_where_nobody_has_chosen(edge, empty):
    gateway = make_gateway(ip_address_type=empty, **DOMAIN)
    gateway.create_gateway()
    gateway.create_custom_domain()
    gateway.upgrade_gateway()
    assert not any(b"ipAddressType" in request.body for request in edge.requests)


def api(gateway):
    return get_boto3_client().get_api(ApiId=gateway.api_id)


def choose(gateway, chosen):
    ApiGateway.objects.update(ip_address_type=chosen)
    return fresh(gateway)


def test_a_changed_one_is_sent_by_an_upgrade_without_a_deployment(local_gateway, control_plane):
    gateway = choose(make_live_gateway(), "dualstack")
    deployed, endpoint = gateway.deployment_id, gateway.api_endpoint
    assert gateway.upgrade_gateway(dry_run=True) == ["update_api IpAddressType=dualstack"]
    gateway.upgrade_gateway()
    assert api(gateway)["IpAddressType"] == "dualstack"
    gateway = fresh(gateway)
    assert (gateway.deployment_id, gateway.api_endpoint) == (deployed, endpoint)
    assert gateway.upgrade_gateway(dry_run=True) == []
    start = len(local_gateway.requests)
    choose(gateway, "ipv4").upgrade_gateway()
    assert calls_since(local_gateway, start).count("UpdateApi") == 1
    assert api(gateway)["IpAddressType"] == "ipv4"


def test_an_empty_one_leaves_what_aws_has(local_gateway, control_plane):
    gateway = make_live_gateway()
    get_boto3_client().update_api(ApiId=gateway.api_id, IpAddressType="dualstack")
    gateway.upgrade_gateway()
    assert api(gateway)["IpAddressType"] == "dualstack"


def test_the_domain_gets_a_changed_one_as_well(local_gateway, control_plane):
    gateway = make_gateway(**DOMAIN)
    gateway.create_gateway()
    gateway.create_custom_domain()
    gateway = choose(gateway, "dualstack")
    told = [call.split()[0] for call in gateway.upgrade_gateway(dry_run=True)]
    assert told == ["update_api", "update_domain_name"]
    gateway.upgrade_gateway()
    domain = get_boto3_client().get_domain_name(DomainName="ws.example.com")
    assert domain["DomainNameConfigurations"][0]["IpAddressType"] == "dualstack"
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_the_endpoint_of_a_dual_stack_api_is_what_aws_answers(edge):
    host = "wss://api1.execute-api.eu-west-1.api.aws"
    edge.when("PATCH /v2/apis/api1$", body={"apiEndpoint": host})
    gateway = make_created_gateway(api_id="api1", ip_address_type="dualstack")
    gateway.upgrade_gateway()
    assert fresh(gateway).api_endpoint == host


@pytest.fixture
def old_botocore(edge):
    """A client of a botocore that does not know the parameter."""
    client = get_boto3_client()
    model = client.meta.service_model
    for operation in ("CreateApi", "UpdateApi"):
        del model.operation_model(operation).input_shape.members["IpAddressType"]
    with mock.patch.object(models, "get_boto3_client", return_value=client):
        yield edge


@pytest.mark.parametrize(
    ("make", "verb"),
    [
        (make_gateway, "create_gateway"),
        (make_created_gateway, "upgrade_gateway"),
        (make_created_gateway, "create_custom_domain"),
    ],
)
def test_an_old_botocore_is_told_of_by_the_version_that_is_needed(old_botocore, make, verb):
    gateway = make(ip_address_type="dualstack", **DOMAIN)
    with pytest.raises(GatewayNotReady, match=r"needs botocore 1\.37\.23 or newer"):
        getattr(gateway, verb)()
    assert {request.method for request in old_botocore.requests} <= {"GET"}
    assert "1.37.23" in fresh(gateway).last_error


def test_an_old_botocore_does_without_it(old_botocore):
    gateway = make_gateway(**DOMAIN)
    gateway.create_gateway()
    gateway.create_custom_domain()
    gateway.upgrade_gateway()
    assert fresh(gateway).has_custom_domain


def test_another_type_is_not_valid():
    with pytest.raises(ValidationError, match="ipv6"):
        make_gateway(ip_address_type="ipv6").full_clean()
