"""The region of provisioning: that of the API, else that of the settings."""

from __future__ import annotations

from unittest import mock

import pytest

from django_aws_api_gateway_websockets import models
from django_aws_api_gateway_websockets.hosts import region_of
from tests.factories import make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db

FAR = "wss://api1.execute-api.us-east-2.amazonaws.com"
NEAR = "wss://api1.execute-api.eu-west-1.amazonaws.com"
DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        (FAR, "us-east-2"),
        ("wss://x.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("wss://x.execute-api.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("wss://x.execute-api.eu-central-2.api.aws", "eu-central-2"),
        ("WSS://X.EXECUTE-API.EU-WEST-1.AMAZONAWS.COM", "eu-west-1"),
        ("ws://127.0.0.1:9000/a1b2", ""),
        ("ws://127.0.0.1:9000/.execute-api.eu-west-1.", ""),
        ("", ""),
    ],
)
def test_the_region_is_in_the_endpoint(endpoint, region):
    assert region_of(endpoint) == region


def create(gateway):
    gateway.create_gateway()


def upgrade(gateway):
    gateway.upgrade_gateway()


def upgrade_dry(gateway):
    gateway.upgrade_gateway(dry_run=True)


def make_domain(gateway):
    gateway.create_custom_domain()


def add_a_route(gateway):
    make_route(gateway)


def delete_a_route(gateway):
    models.ApiGatewayAdditionalRoute.objects.bulk_create(
        [models.ApiGatewayAdditionalRoute(api_gateway=gateway, name="x", route_key="x")]
    )
    gateway.additional_routes.get().delete()


VERBS = [upgrade, upgrade_dry, make_domain, add_a_route, delete_a_route]


@pytest.fixture
def made(edge):
    """How the client was made, with what boto3 makes of it."""
    with mock.patch.object(models, "get_boto3_client", wraps=models.get_boto3_client) as make:
        yield make


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_goes_to_the_region_of_the_api(edge, made, verb):
    verb(make_created_gateway(api_endpoint=FAR, **DOMAIN))
    assert made.call_args_list == [mock.call(region_name="us-east-2")]
    signed = [request.headers["Authorization"] for request in edge.requests]
    assert signed
    assert all("/us-east-2/apigateway/" in header for header in signed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("endpoint", [NEAR, "ws://127.0.0.1:9000", ""])
def test_a_fake_without_arguments_is_called_where_the_region_is_that_of_the_settings(
    edge, made, verb, endpoint
):
    verb(make_created_gateway(api_endpoint=endpoint, **DOMAIN))
    assert made.call_args_list == [mock.call()]


def test_a_gateway_that_is_not_created_goes_to_the_region_of_the_settings(edge, made):
    create(make_gateway())
    assert made.call_args_list == [mock.call()]


def test_an_api_that_tells_its_region_needs_no_setting(edge, made, settings):
    settings.AWS_REGION_NAME = None
    upgrade(make_created_gateway(api_endpoint=FAR))
    assert made.call_args_list == [mock.call(region_name="us-east-2")]
