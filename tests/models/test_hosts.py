"""Hosts of gateways and routes where the settings allow but some: forms, the admin, AWS."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from django_aws_api_gateway_websockets.exceptions import GatewayNotReady
from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    get_boto3_client,
)
from tests.factories import fresh, make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db

EVIL = "https://evil.example.net/ws/"
REFUSAL = f'The host of {EVIL} is not in WEBSOCKETS["allowed_integration_hosts"].'


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.WEBSOCKETS = {"allowed_integration_hosts": ["www.example.com"]}


def test_rows_for_an_allowed_host_are_valid(edge):
    gateway = make_gateway()
    gateway.full_clean()
    make_route(gateway).full_clean()
    gateway.create_gateway()
    assert fresh(gateway).api_created


@pytest.mark.parametrize("field", ["target_base_endpoint", "integration_url"])
def test_another_host_is_not_valid(field):
    row = {
        "target_base_endpoint": ApiGateway(api_name="x", target_base_endpoint=EVIL),
        "integration_url": ApiGatewayAdditionalRoute(
            api_gateway=make_gateway(), name="x", route_key="x", integration_url=EVIL
        ),
    }[field]
    with pytest.raises(ValidationError) as errors:
        row.full_clean()
    assert errors.value.message_dict == {field: [REFUSAL]}


def test_the_admin_says_so(admin_client):
    gateway = make_created_gateway()
    url = reverse("admin:django_aws_api_gateway_websockets_apigatewayadditionalroute_add")
    data = {"api_gateway": gateway.pk, "name": "x", "route_key": "x", "integration_url": EVIL}
    response = admin_client.post(url, data)
    assert response.context["adminform"].form.errors == {"integration_url": [REFUSAL]}


def gateway_elsewhere(make):
    return make(target_base_endpoint=EVIL)


def gateway_with_a_route_elsewhere(make):
    gateway = make()
    ApiGatewayAdditionalRoute.objects.bulk_create(
        [ApiGatewayAdditionalRoute(api_gateway=gateway, route_key="x", integration_url=EVIL)]
    )
    return gateway


@pytest.mark.parametrize("prepare", [gateway_elsewhere, gateway_with_a_route_elsewhere])
@pytest.mark.parametrize(
    ("make", "verb"),
    [(make_gateway, "create_gateway"), (make_created_gateway, "upgrade_gateway")],
)
def test_nothing_is_made_in_aws_for_another_host(edge, prepare, make, verb):
    gateway = prepare(make)
    with pytest.raises(GatewayNotReady, match=r"The host of https://evil\.example\.net/ws/"):
        getattr(gateway, verb)()
    assert edge.requests == []
    assert fresh(gateway).status == "failed"
    assert "evil.example.net" in fresh(gateway).last_error


def test_a_dry_run_of_an_upgrade_says_so_too(edge):
    with pytest.raises(GatewayNotReady):
        make_created_gateway(target_base_endpoint=EVIL).upgrade_gateway(dry_run=True)


def test_a_route_to_another_host_is_saved_but_not_deployed(edge, commit):
    gateway = make_created_gateway()
    with commit():
        route = make_route(gateway, integration_url=EVIL)
    assert edge.requests == []
    assert not fresh(route).deployed
    assert fresh(gateway).last_error == REFUSAL
    with pytest.raises(GatewayNotReady):
        route.create_route(get_boto3_client())
    assert edge.requests == []
