"""Routes of one API and their integrations: what they must be, and the calls that make them so.

Like the steps, a route table is given a client and makes only what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, NamedTuple

from .. import aws

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

#: Milliseconds for which API Gateway waits for the site's answer (its maximum).
TIMEOUT_MILLISECONDS = 29000

#: The request headers in which an integration describes the event.
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

#: The mapped header that shows that this package, or its release 1.1.1, made an integration.
CONNECTION_ID_HEADER = "integration.request.header.connectionId"


class Route(NamedTuple):
    """One route and the URL that its events are posted to."""

    key: str
    url: str

    @property
    def is_message(self) -> bool:
        return self.key not in ("$connect", "$disconnect")

    def request_parameters(self, static_headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that the integration maps into each request.

        ``static_headers`` have the same value in each request. API Gateway wants ' before and
        after such a value.
        """
        headers = {
            **{name: source for name, source in CONTEXT_HEADERS.items() if self._has(name)},
            **{name: f"'{value}'" for name, value in static_headers.items()},
        }
        return {f"integration.request.header.{name}": source for name, source in headers.items()}

    def _has(self, header: str) -> bool:
        return self.is_message or header != "messageId"


class RouteTable:
    """The routes of one API and their integrations, as they are in AWS."""

    def __init__(
        self, client: ApiGatewayV2Client, api_id: str, static_headers: Mapping[str, str]
    ) -> None:
        self.client = client
        self.api_id = api_id
        self.static_headers = static_headers
        found = aws.paginate(client, "get_routes", ApiId=api_id)
        self.routes = {route["RouteKey"]: route for route in found}
        self.integrations = list(aws.paginate(client, "get_integrations", ApiId=api_id))

    def ensure(self, route: Route) -> None:
        """Make the route with its integration, or correct the one that exists."""
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

    def remove_unused_integrations(self) -> None:
        """Delete this package's integrations to which no route points, such as a failed run's."""
        used = {route.get("Target") for route in self.routes.values()}
        for found in self.integrations:
            ours = CONNECTION_ID_HEADER in found.get("RequestParameters", {})
            if ours and f"integrations/{found['IntegrationId']}" not in used:
                self.client.delete_integration(
                    ApiId=self.api_id, IntegrationId=found["IntegrationId"]
                )

    def _create(self, route: Route, target: str) -> None:
        reply: Any = {"RouteResponseSelectionExpression": "$default"} if route.is_message else {}
        created: Any = self.client.create_route(
            ApiId=self.api_id,
            ApiKeyRequired=False,
            AuthorizationType="NONE",
            RouteKey=route.key,
            Target=target,
            **reply,
        )
        # A site's mock need not answer as AWS does.
        answer = created if isinstance(created, Mapping) else {}
        self.routes[route.key] = {**answer, "RouteKey": route.key, "Target": target}

    def _ensure_integration(self, route: Route) -> str:
        parameters = route.request_parameters(self.static_headers)
        wanted = {"IntegrationUri": route.url, "RequestParameters": parameters}
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
            RequestParameters=parameters,
            TimeoutInMillis=TIMEOUT_MILLISECONDS,
        )
        self.integrations.append({**wanted, "IntegrationId": created["IntegrationId"]})
        return str(created["IntegrationId"])
