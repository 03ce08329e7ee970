"""What must exist in AWS for a gateway, and the calls that make it so.

Each function compares what is there with what is wanted and makes only what is missing, so a run
that failed half-way is finished by the next one. Nothing here builds a client or writes a row.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from .exceptions import GatewayNotReady

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

    from .models import ApiGateway

logger = logging.getLogger(__name__)

#: The tag by which a run finds the API that an earlier run made without hearing of it.
CREATION_TAG = "django-aws-api-gateway-websockets"

#: What API Gateway waits for an answer of ours, in milliseconds (its maximum).
TIMEOUT_MILLISECONDS = 29000

#: The request headers in which an integration tells us about the event.
CONTEXT_HEADERS = {
    "connectionId": "context.connectionId",
    "eventType": "context.eventType",
    "routeKey": "context.routeKey",
    "stage": "context.stage",
    "connectedAt": "context.connectedAt",
    "requestId": "context.requestId",
    "messageId": "context.messageId",
    "sourceIp": "context.identity.sourceIp",
}

#: The mapped header that every integration of ours has, and of 1.1.1.
CONNECTION_ID_HEADER = "integration.request.header.connectionId"


class Route(NamedTuple):
    """One route and the URL that its events are posted to."""

    key: str
    url: str

    @property
    def is_message(self) -> bool:
        return self.key not in ("$connect", "$disconnect")

    @property
    def request_parameters(self) -> dict[str, str]:
        return {
            f"integration.request.header.{header}": source
            for header, source in CONTEXT_HEADERS.items()
            if self.is_message or header != "messageId"
        }


class RouteTable:
    """The routes of one API and their integrations, as they are in AWS."""

    def __init__(self, api_id: str, client: ApiGatewayV2Client) -> None:
        self.api_id = api_id
        self.client = client
        self.routes = {found["RouteKey"]: found for found in self._list("get_routes")}
        self.integrations = list(self._list("get_integrations"))

    def ensure(self, route: Route) -> None:
        """Make the route with its integration, or mend the one that exists."""
        target = f"integrations/{self._ensure_integration(route)}"
        existing = self.routes.get(route.key)
        if existing is None:
            self._create(route, target)
        elif existing.get("Target") != target:
            self.client.update_route(ApiId=self.api_id, RouteId=existing["RouteId"], Target=target)
            existing["Target"] = target

    def remove(self, key: str) -> None:
        """Delete the route of that key, if there is one."""
        route = self.routes.pop(key, None)
        if route is not None:
            self.client.delete_route(ApiId=self.api_id, RouteId=route["RouteId"])

    def sweep(self) -> None:
        """Delete our integrations that no route points to, those of failed runs among them."""
        used = {route.get("Target") for route in self.routes.values()}
        for found in self.integrations:
            ours = CONNECTION_ID_HEADER in found.get("RequestParameters", {})
            if ours and f"integrations/{found['IntegrationId']}" not in used:
                self.client.delete_integration(
                    ApiId=self.api_id, IntegrationId=found["IntegrationId"]
                )

    def _create(self, route: Route, target: str) -> None:
        reply: Any = {"RouteResponseSelectionExpression": "$default"} if route.is_message else {}
        self.routes[route.key] = self.client.create_route(
            ApiId=self.api_id,
            ApiKeyRequired=False,
            AuthorizationType="NONE",
            RouteKey=route.key,
            Target=target,
            **reply,
        )

    def _ensure_integration(self, route: Route) -> str:
        wanted = {"IntegrationUri": route.url, "RequestParameters": route.request_parameters}
        for found in self.integrations:
            if all(found.get(name) == value for name, value in wanted.items()):
                return str(found["IntegrationId"])
        created: Any = self.client.create_integration(
            ApiId=self.api_id,
            ConnectionType="INTERNET",
            IntegrationMethod="POST",
            IntegrationType="HTTP_PROXY",
            IntegrationUri=route.url,
            PassthroughBehavior="WHEN_NO_MATCH",
            PayloadFormatVersion="1.0",
            RequestParameters=route.request_parameters,
            TimeoutInMillis=TIMEOUT_MILLISECONDS,
        )
        self.integrations.append({**wanted, "IntegrationId": created["IntegrationId"]})
        return str(created["IntegrationId"])

    def _list(self, operation: str) -> Iterator[Any]:
        return _items(self.client, operation, ApiId=self.api_id)


def ensure_api(gateway: ApiGateway, client: ApiGatewayV2Client) -> tuple[str, str]:
    """Return the id and the endpoint of the gateway's API, made now if there is none."""
    if gateway.api_id:
        return gateway.api_id, gateway.api_endpoint
    api = _api_made_before(gateway, client) or client.create_api(
        ApiKeySelectionExpression=gateway.api_key_selection_expression,
        Description=gateway.api_description,
        DisableSchemaValidation=True,
        Name=gateway.api_name,
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression=gateway.route_selection_expression,
        Tags={**_tags(gateway), CREATION_TAG: gateway.creation_token or ""},
    )
    logger.info("API created api_id=%s name=%s", api["ApiId"], gateway.api_name)
    return api["ApiId"], api["ApiEndpoint"]


def ensure_routes(gateway: ApiGateway, client: ApiGatewayV2Client) -> None:
    """Make or mend $connect, $disconnect, the default route and the additional ones."""
    base = gateway.target_base_endpoint
    table = RouteTable(gateway.api_id, client)
    table.ensure(Route("$connect", f"{base}connect"))
    table.ensure(Route("$disconnect", f"{base}disconnect"))
    table.ensure(Route(gateway.route_key, f"{base}default"))
    for route in gateway.additional_routes.all():
        table.ensure(Route(route.route_key, route.integration_url))
    table.sweep()


def put_route(
    gateway: ApiGateway, client: ApiGatewayV2Client, route: Route, former_key: str
) -> None:
    """Make or mend one additional route, which may have had another key before."""
    table = RouteTable(gateway.api_id, client)
    table.ensure(route)
    _drop(gateway, table, former_key)


def remove_route(gateway: ApiGateway, client: ApiGatewayV2Client, key: str) -> None:
    """Delete an additional route that the gateway no longer has."""
    _drop(gateway, RouteTable(gateway.api_id, client), key)


def ensure_stage(gateway: ApiGateway, client: ApiGatewayV2Client) -> None:
    """Make the stage unless it exists."""
    stages = _items(client, "get_stages", ApiId=gateway.api_id)
    if gateway.stage not in {stage["StageName"] for stage in stages}:
        client.create_stage(ApiId=gateway.api_id, StageName=gateway.stage)


def deploy(gateway: ApiGateway, client: ApiGatewayV2Client) -> str:
    """Put the routes as they are now into service; return the deployment's id."""
    deployment = client.create_deployment(
        ApiId=gateway.api_id, Description=gateway.stage_description, StageName=gateway.stage
    )
    logger.info("Deployed api_id=%s deployment_id=%s", gateway.api_id, deployment["DeploymentId"])
    return deployment["DeploymentId"]


def ensure_domain_name(gateway: ApiGateway, client: ApiGatewayV2Client) -> str:
    """Return the name that the custom domain's DNS record must point to."""
    try:
        domain: Any = client.get_domain_name(DomainName=gateway.domain_name)
    except client.exceptions.NotFoundException:
        domain = client.create_domain_name(
            DomainName=gateway.domain_name,
            DomainNameConfigurations=[_domain_configuration(gateway)],
            Tags=_tags(gateway),
        )
    return str(domain["DomainNameConfigurations"][0]["ApiGatewayDomainName"])


def ensure_api_mapping(gateway: ApiGateway, client: ApiGatewayV2Client) -> str:
    """Return the id of the mapping from the custom domain to the gateway's stage."""
    wanted = {"ApiId": gateway.api_id, "Stage": gateway.stage}
    for mapping in _items(client, "get_api_mappings", DomainName=gateway.domain_name):
        if wanted.items() <= mapping.items():
            return str(mapping["ApiMappingId"])
    created = client.create_api_mapping(DomainName=gateway.domain_name, **wanted)
    return created["ApiMappingId"]


def _drop(gateway: ApiGateway, table: RouteTable, key: str) -> None:
    # A key that one route gave up may be another's by now.
    own = ("$connect", "$disconnect", gateway.route_key)
    if key not in own and not gateway.additional_routes.filter(route_key=key).exists():
        table.remove(key)
    table.sweep()


def _api_made_before(gateway: ApiGateway, client: ApiGatewayV2Client) -> Any:
    """Return the API of an earlier run whose CreateApi worked but was not heard of, or None."""
    for api in _items(client, "get_apis"):
        if (
            gateway.creation_token
            and api.get("Tags", {}).get(CREATION_TAG) == gateway.creation_token
        ):
            return api
    return None


def _items(client: Any, operation: str, **parameters: str) -> Iterator[Any]:
    """Every item of a listing, page after page."""
    while True:
        page = getattr(client, operation)(**parameters)
        yield from page.get("Items", [])
        if not page.get("NextToken"):
            return
        parameters["NextToken"] = page["NextToken"]


def _domain_configuration(gateway: ApiGateway) -> Any:
    configuration = {
        "CertificateArn": gateway.certificate_arn,
        "DomainNameStatus": "AVAILABLE",
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    if gateway.hosted_zone_id:
        configuration["HostedZoneId"] = gateway.hosted_zone_id
    return configuration


def _tags(gateway: ApiGateway) -> dict[str, str]:
    if not isinstance(gateway.tags, dict):
        raise GatewayNotReady('The tags must be an object of names and values: {"team": "web"}')
    return {str(name): str(value) for name, value in gateway.tags.items()}
