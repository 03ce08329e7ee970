"""Steps of provisioning that a project of 1.1.1 overrides: what they return and set is used."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    get_boto3_client,
)
from tests.factories import fresh, make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db

DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}


class OwnDomain(ApiGateway):
    """Returns what 1.1.1's own steps returned: AWS's answer, and the mapping's id."""

    class Meta:
        proxy = True
        app_label = "tests"

    def _create_domain_name(self, client):
        self.seen = [client.meta.service_model.service_name]
        return {"DomainNameConfigurations": [{"ApiGatewayDomainName": "own.example.com"}]}

    def _create_api_mapping(self, client):
        # 1.1.1 had recorded the answer by now.
        self.seen.append(self.api_gateway_domain_name)
        return "own-mapping"


class Wrapped(ApiGateway):
    class Meta:
        proxy = True
        app_label = "tests"

    def _create_domain_name(self, client):
        answer = super()._create_domain_name(client)
        self.target = answer["DomainNameConfigurations"][0]["ApiGatewayDomainName"]
        return answer

    def _create_api_mapping(self, client):
        self.mapping = super()._create_api_mapping(client)
        return self.mapping


class OwnApi(ApiGateway):
    """Sets its columns, as 1.1.1's own steps did, and does not save."""

    class Meta:
        proxy = True
        app_label = "tests"

    def _create_api(self, client):
        self.api_id, self.api_endpoint = "own", "wss://own"

    def _create_routes(self, client):
        client.create_integration(ApiId=self.api_id, IntegrationType="HTTP_PROXY")

    def _create_stage_and_deploy(self, client):
        self.deploy_api(client)

    def deploy_api(self, client):
        self.deployment_id = "own deployment"


def as_proxy(model, gateway):
    return model.objects.get(pk=gateway.pk)


def test_the_results_of_own_domain_steps_are_recorded(edge):
    gateway = as_proxy(OwnDomain, make_created_gateway(**DOMAIN))
    gateway.create_custom_domain()
    row = fresh(gateway)
    assert row.api_gateway_domain_name == "own.example.com"
    assert row.api_mapping_id == "own-mapping"
    assert row.custom_domain_created
    assert gateway.seen == ["apigatewayv2", "own.example.com"]
    assert edge.requests == []


def test_a_step_gets_the_result_of_the_one_that_it_wraps(edge):
    gateway = as_proxy(Wrapped, make_created_gateway(**DOMAIN))
    gateway.create_custom_domain()
    row = fresh(gateway)
    assert gateway.target == row.api_gateway_domain_name != ""
    assert gateway.mapping == row.api_mapping_id == "m1"


def test_what_own_steps_of_the_api_set_is_recorded(edge):
    gateway = as_proxy(OwnApi, make_gateway())
    gateway.create_gateway()
    row = fresh(gateway)
    assert (row.api_id, row.api_endpoint) == ("own", "wss://own")
    assert (row.deployment_id, row.api_created) == ("own deployment", True)
    assert edge.lines == ["POST /v2/apis/own/integrations"]


def test_what_an_own_deployment_sets_is_recorded_for_a_route(edge):
    gateway = as_proxy(OwnApi, make_created_gateway(api_id="own"))
    route = ApiGatewayAdditionalRoute(
        api_gateway=gateway, name="x", route_key="x", integration_url="https://www.example.com/x"
    )
    route.save()
    route.api_gateway = gateway
    route.create_route(get_boto3_client())
    assert fresh(gateway).deployment_id == "own deployment"


# Routes of a gateway that is deployed, but does not count as created


def test_a_route_of_a_deployed_gateway_is_deployed(edge, commit):
    gateway = make_gateway(api_id="api1", deployment_id="d0")
    with commit():
        route = make_route(gateway, route_key="join")
    assert fresh(route).deployed
    assert "POST /v2/apis/api1/routes" in edge.lines
    assert fresh(gateway).deployment_id == "d1"


def test_a_route_of_a_deployed_gateway_is_removed(edge, commit):
    gateway = make_gateway(api_id="api1", deployment_id="d0")
    route = make_route(gateway, route_key="join")
    live = [{"routeKey": "join", "routeId": "r1", "target": "integrations/i1"}]
    edge.when("GET .*/routes", body={"items": live})
    with commit():
        route.delete()
    assert "DELETE /v2/apis/api1/routes/r1" in edge.lines


def test_deploying_a_route_asks_no_proof_of_a_gateway_that_somebody_made_by_hand(edge, commit):
    """Its other integrations do not send one: each of their events would be refused."""
    gateway = make_gateway(api_id="api1", deployment_id="d0")
    with commit():
        make_route(gateway)
    assert not fresh(gateway).must_prove_source


@pytest.mark.parametrize("columns", [{}, {"api_id": "api1"}, {"api_created": True}])
def test_a_route_of_a_gateway_that_aws_does_not_have_is_only_saved(edge, commit, columns):
    gateway = make_gateway(**columns)
    with commit():
        route = make_route(gateway)
    assert edge.requests == []
    assert not fresh(route).deployed
