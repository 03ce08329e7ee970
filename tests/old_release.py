"""A gateway as 1.1.1 has deployed it: its integrations map the connection's id alone."""

from __future__ import annotations

from typing import Any

from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from tests.factories import make_gateway, make_route


def deploy_as_1_1_1(**columns: Any) -> ApiGateway:
    """Make it in the AWS of the test, with one additional route; its row, read anew."""
    gateway = make_gateway(**columns)
    base = gateway.target_base_endpoint
    route = make_route(gateway, route_key="join", integration_url=f"{base}join")
    client = get_boto3_client()
    api = client.create_api(
        Name=gateway.api_name,
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression=gateway.route_selection_expression,
    )
    urls = {"$connect": "connect", "$disconnect": "disconnect", "$default": "default"}
    for key, name in {**urls, route.route_key: "join"}.items():
        _add_route(client, api["ApiId"], key, f"{base}{name}")
    client.create_stage(ApiId=api["ApiId"], StageName="production")
    deployment = client.create_deployment(ApiId=api["ApiId"], StageName="production")
    ApiGateway.objects.filter(pk=gateway.pk).update(
        api_id=api["ApiId"],
        api_endpoint=api["ApiEndpoint"],
        api_created=True,
        deployment_id=deployment["DeploymentId"],
    )
    gateway.additional_routes.update(deployed=True)
    return ApiGateway.objects.get(pk=gateway.pk)


def _add_route(client: Any, api_id: str, key: str, url: str) -> None:
    integration = client.create_integration(
        ApiId=api_id,
        ConnectionType="INTERNET",
        IntegrationMethod="POST",
        IntegrationType="HTTP_PROXY",
        IntegrationUri=url,
        PassthroughBehavior="WHEN_NO_MATCH",
        PayloadFormatVersion="1.0",
        RequestParameters={"integration.request.header.connectionId": "context.connectionId"},
        TimeoutInMillis=29000,
    )
    client.create_route(
        ApiId=api_id,
        ApiKeyRequired=False,
        AuthorizationType="NONE",
        RouteKey=key,
        Target=f"integrations/{integration['IntegrationId']}",
    )
