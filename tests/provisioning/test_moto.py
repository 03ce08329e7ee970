"""moto reads what provisioning asks of AWS: a second reading, by people who know neither of us.

It has no CreateDeployment and no UpdateStage, and a custom domain of its has no address. Hooks of
botocore answer in its place. It knows nothing of conflicts, of what is gone, and of sockets: for
these there is the local gateway.
"""

from __future__ import annotations

import json
from unittest import mock

import boto3
import pytest

from django_aws_api_gateway_websockets.aws import current_session
from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.security import proof
from tests.factories import fresh, make_gateway, make_session

pytest.importorskip("moto", reason="Needs the dependency group `moto`")

from moto import mock_aws
from moto.apigatewaymanagementapi.models import apigatewaymanagementapi_backends

pytestmark = pytest.mark.django_db

REGION = "eu-west-1"
DOMAIN = "ws.example.com"
TARGET = "d-1.execute-api.eu-west-1.amazonaws.com"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1"


class Done:
    status_code = 200


@pytest.fixture
def aws(new_session):
    """moto in AWS's place, and a client that asks it what it has."""
    with mock_aws():
        boto3.setup_default_session(region_name=REGION)
        events = boto3.DEFAULT_SESSION.events
        deployment = {"DeploymentId": "d1", "DeploymentStatus": "DEPLOYED"}
        answers = {"CreateDeployment": deployment, "UpdateStage": {}}
        for operation, answer in answers.items():
            hook = mock.Mock(return_value=(Done, answer))
            events.register(f"before-call.apigatewayv2.{operation}", hook)
            answers[operation] = hook
        for operation in ("CreateDomainName", "GetDomainName"):
            events.register(f"after-call.apigatewayv2.{operation}", give_address)
        client = boto3.client("apigatewayv2", region_name=REGION)
        client.hooks = answers
        yield client


def give_address(parsed, **kwargs):
    for configuration in parsed.get("DomainNameConfigurations", []):
        configuration["ApiGatewayDomainName"] = TARGET


@pytest.fixture
def gateway(aws):
    gateway = make_gateway(
        api_name="chat",
        api_description="The chat",
        target_base_endpoint="https://www.example.com/ws/",
        tags={"team": "web"},
        domain_name=DOMAIN,
        certificate_arn=CERTIFICATE,
    )
    gateway.create_gateway()
    return fresh(gateway)


def routes_of(aws, gateway):
    """{route key: (URL, mapped headers)} as moto has them, but for the route of pings."""
    integrations = {
        found["IntegrationId"]: found
        for found in aws.get_integrations(ApiId=gateway.api_id)["Items"]
    }
    found = {}
    for route in aws.get_routes(ApiId=gateway.api_id)["Items"]:
        integration = integrations.pop(route["Target"].partition("/")[2])
        if integration["IntegrationType"] == "MOCK":
            continue
        found[route["RouteKey"]] = integration["IntegrationUri"], integration["RequestParameters"]
    assert integrations == {}
    return found


def test_the_api_has_what_the_row_says(aws, gateway):
    (api,) = aws.get_apis()["Items"]
    assert api["ApiId"] == gateway.api_id
    asked = {
        "Name": "chat",
        "Description": "The chat",
        "ProtocolType": "WEBSOCKET",
        "RouteSelectionExpression": "$request.body.action",
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "Tags": {"team": "web"},
    }
    assert {name: api[name] for name in asked} == asked


def test_each_route_has_its_url_and_the_proof(aws, gateway):
    routes = routes_of(aws, gateway)
    base = gateway.target_base_endpoint
    assert {key: url for key, (url, _) in routes.items()} == {
        "$connect": f"{base}connect",
        "$disconnect": f"{base}disconnect",
        "$default": f"{base}default",
    }
    for _, headers in routes.values():
        secret = headers[f"integration.request.header.{proof.HEADER}"]
        assert secret == f"'{proof.value_for(gateway)}'"
        assert headers["integration.request.header.connectionId"] == "context.connectionId"


def test_the_integrations_are_posts_of_29_seconds(aws, gateway):
    for found in aws.get_integrations(ApiId=gateway.api_id)["Items"]:
        if found["IntegrationType"] == "MOCK":
            continue
        asked = {
            "ConnectionType": "INTERNET",
            "IntegrationMethod": "POST",
            "IntegrationType": "HTTP_PROXY",
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": 29000,
        }
        assert {name: found[name] for name in asked} == asked


def test_the_stage_is_made_and_deployed(aws, gateway):
    (stage,) = aws.get_stages(ApiId=gateway.api_id)["Items"]
    assert stage["StageName"] == "production"
    assert aws.hooks["CreateDeployment"].call_count == 1
    assert (gateway.api_created, gateway.deployment_id) == (True, "d1")


def test_the_custom_domain_is_mapped_to_the_stage(aws, gateway):
    gateway.create_custom_domain()
    domain = aws.get_domain_name(DomainName=DOMAIN)
    (configuration,) = domain["DomainNameConfigurations"]
    asked = {
        "CertificateArn": CERTIFICATE,
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    assert {name: configuration[name] for name in asked} == asked
    (mapping,) = aws.get_api_mappings(DomainName=DOMAIN)["Items"]
    assert (mapping["ApiId"], mapping["Stage"]) == (gateway.api_id, "production")
    row = fresh(gateway)
    assert (row.api_gateway_domain_name, row.api_mapping_id) == (TARGET, mapping["ApiMappingId"])


def test_an_additional_route_is_made_changed_and_deleted(
    aws, gateway, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        route = gateway.additional_routes.create(
            name="Orders", route_key="order", integration_url="https://www.example.com/ws/order"
        )
    assert routes_of(aws, gateway)["order"][0] == "https://www.example.com/ws/order"
    route.integration_url = "https://www.example.com/ws/orders"
    with django_capture_on_commit_callbacks(execute=True):
        route.save()
    assert routes_of(aws, gateway)["order"][0] == "https://www.example.com/ws/orders"
    with django_capture_on_commit_callbacks(execute=True):
        route.delete()
    assert "order" not in routes_of(aws, gateway)
    assert aws.hooks["CreateDeployment"].call_count == 4


def test_pings_are_answered_by_a_mock(aws, gateway):
    (found,) = [
        integration
        for integration in aws.get_integrations(ApiId=gateway.api_id)["Items"]
        if integration["IntegrationType"] == "MOCK"
    ]
    assert found["RequestTemplates"] == {"$default": '{"statusCode":200}'}
    assert found["TemplateSelectionExpression"] == "\\$default"
    where = {"ApiId": gateway.api_id, "IntegrationId": found["IntegrationId"]}
    (response,) = aws.get_integration_responses(**where)["Items"]
    assert response["IntegrationResponseKey"] == "$default"
    assert response["ResponseTemplates"] == {"$default": '{"pong":true}'}


def test_only_the_routes_of_messages_answer(aws, gateway):
    for route in aws.get_routes(ApiId=gateway.api_id)["Items"]:
        assert (route["ApiKeyRequired"], route["AuthorizationType"]) == (False, "NONE")
        answers = route["RouteKey"] in ("$default", "ping")
        assert route.get("RouteResponseSelectionExpression") == ("$default" if answers else None)


def test_a_second_run_makes_nothing_twice(aws, gateway):
    before = routes_of(aws, gateway)
    ApiGateway.objects.update(api_created=False, deployment_id="")
    again = fresh(gateway)
    again.create_gateway()
    assert [api["ApiId"] for api in aws.get_apis()["Items"]] == [gateway.api_id]
    assert routes_of(aws, again) == before


def test_an_upgrade_that_is_tried_out_changes_nothing(aws, gateway):
    integration, *_ = aws.get_integrations(ApiId=gateway.api_id)["Items"]
    old = {"IntegrationId": integration["IntegrationId"], "IntegrationUri": "https://old.example/"}
    aws.update_integration(ApiId=gateway.api_id, **old)
    before = routes_of(aws, gateway)
    calls = gateway.upgrade_gateway(dry_run=True)
    assert [call.partition(" ")[0] for call in calls] == [
        *("create_integration", "update_route", "create_deployment", "delete_integration")
    ]
    assert routes_of(aws, gateway) == before
    gateway.upgrade_gateway()
    assert old["IntegrationUri"] not in [url for url, _ in routes_of(aws, gateway).values()]


def test_an_upgrade_changes_only_what_is_new(aws, gateway):
    before = routes_of(aws, gateway)
    ApiGateway.objects.update(throttling_rate_limit=50, throttling_burst_limit=20)
    fresh(gateway).upgrade_gateway()
    assert routes_of(aws, gateway) == before
    sent = json.loads(aws.hooks["UpdateStage"].call_args.kwargs["params"]["body"])
    throttles = {"throttlingRateLimit": 50, "throttlingBurstLimit": 20}
    # What the stage had besides is kept.
    assert sent["defaultRouteSettings"] == {**sent["defaultRouteSettings"], **throttles}
    assert sent["defaultRouteSettings"]["loggingLevel"] == "OFF"


@pytest.mark.parametrize("transport", ["auto", "boto3"])
def test_a_message_arrives_until_its_connection_is_closed(aws, gateway, settings, transport):
    settings.WEBSOCKETS = {"transport": transport}
    make_session(gateway, connection_id="abc")
    report = WebSocketSession.objects.send_message({"text": "hello"})
    assert report.sent == 1
    posted = apigatewaymanagementapi_backends["123456789012"][REGION].connections
    assert [found.data for found in posted.values()] == [b'{"text": "hello"}']
    assert WebSocketSession.objects.all().close().closed == 1
    assert len(posted) == 0


def test_the_hooks_of_our_clients_session_are_called(aws, gateway):
    """The session that ``aws.current_session()`` returns is that of moto's test."""
    assert current_session() is boto3.DEFAULT_SESSION
