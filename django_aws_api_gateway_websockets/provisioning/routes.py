"""Routes of one API and their integrations: what they must be, and the calls that make them so.

Like the steps, a route table is given a client and makes only what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Container, Mapping, NamedTuple

from .. import aws
from . import pings
from .responses import EXPRESSION, Responses

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

#: What the name of a mapped header begins with.
REQUEST_HEADER = "integration.request.header."

#: The mapped header that shows that this package, or its release 1.1.1, made an integration.
CONNECTION_ID_HEADER = f"{REQUEST_HEADER}connectionId"

#: The header that tells the view that the body of its answer reaches the client.
ROUTE_RESPONSE = "routeResponse"


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
        return {f"{REQUEST_HEADER}{name}": source for name, source in headers.items()}

    def _has(self, header: str) -> bool:
        return self.is_message or header != "messageId"


class RouteTable:
    """The routes of one API and their integrations, as they are in AWS.

    With ``route_responses``, messages are answered by the body of the site's answer.
    """

    def __init__(
        self,
        client: ApiGatewayV2Client,
        api_id: str,
        static_headers: Mapping[str, str],
        route_responses: bool = False,
    ) -> None:
        self.client = client
        self.api_id = api_id
        self.static_headers = static_headers
        self.route_responses = route_responses
        self.responses = Responses(client, api_id)
        found = aws.paginate(client, "get_routes", ApiId=api_id)
        self.routes = {route["RouteKey"]: route for route in found}
        self.integrations = list(aws.paginate(client, "get_integrations", ApiId=api_id))

    def ensure(self, route: Route) -> None:
        """Make the route with its integration, or correct the one that exists."""
        replies = self.route_responses and route.is_message
        if not replies:
            self._take_back_response(route.key)
        self._lead(route, self._ensure_integration(route), replies)

    def ensure_ping(self) -> None:
        """Let API Gateway answer pings; a route that somebody has made by hand stays."""
        existing = self.routes.get(pings.KEY)
        if existing is None or self._is_ours(self.integration_of(existing)):
            self._lead(Route(pings.KEY, ""), self._ensure_ping_integration(), replies=True)

    def integration_of(self, route: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the integration behind a route; an empty one if there is none."""
        by_target = {
            f"integrations/{found['IntegrationId']}": found for found in self.integrations
        }
        found: Mapping[str, Any] = by_target.get(route.get("Target", ""), {})
        return found

    def remove(self, key: str) -> None:
        """Delete the route of that key, if there is one."""
        route = self.routes.pop(key, None)
        if route is not None:
            self.client.delete_route(ApiId=self.api_id, RouteId=route["RouteId"])

    def remove_unknown(self, known: Container[str]) -> list[str]:
        """Delete this package's routes whose keys are not known; return these.

        A route whose integration somebody has made by hand stays.
        """
        others = [(key, route) for key, route in self.routes.items() if key not in known]
        unknown = [key for key, route in others if self._is_ours(self.integration_of(route))]
        for key in unknown:
            self.remove(key)
        return unknown

    def remove_unused_integrations(self) -> None:
        """Delete this package's integrations to which no route points, such as a failed run's.

        Do it after the deployment that no longer uses them.
        """
        used = {route.get("Target") for route in self.routes.values()}
        for found in self.integrations:
            maps_ours = CONNECTION_ID_HEADER in found.get("RequestParameters", {})
            ours = maps_ours or pings.is_ping(found)
            if ours and f"integrations/{found['IntegrationId']}" not in used:
                self.client.delete_integration(
                    ApiId=self.api_id, IntegrationId=found["IntegrationId"]
                )

    def _is_ours(self, integration: Mapping[str, Any]) -> bool:
        """True if it maps all that this package maps. One that is made by hand maps less."""
        if pings.is_ping(integration):
            return True
        found = integration.get("RequestParameters") or {}
        wanted = Route("$connect", "").request_parameters(self.static_headers)
        static = {f"{REQUEST_HEADER}{name}" for name in self.static_headers}
        # A static value may be that of an old secret.
        return wanted.keys() <= found.keys() and all(
            found[name] == source for name, source in wanted.items() if name not in static
        )

    def _take_back_response(self, key: str) -> None:
        """Delete the response that this package has given to a route.

        Such a route's integration says so from before the response is made until it is deleted,
        so a run that fails in between leaves none that nobody finds.
        """
        route = self.routes.get(key, {})
        integration = self.integration_of(route)
        mapped = integration.get("RequestParameters") or {}
        if f"{REQUEST_HEADER}{ROUTE_RESPONSE}" in mapped or pings.is_ping(integration):
            self.responses.remove_of_route(route)

    def _lead(self, route: Route, integration_id: str, replies: bool) -> None:
        """Make the route, or let it lead to this integration."""
        wanted = {"Target": f"integrations/{integration_id}", **(EXPRESSION if replies else {})}
        existing = self.routes.get(route.key)
        if existing is None:
            self._create(route, wanted["Target"])
        else:
            self._update(existing, wanted)
        if replies:
            self.responses.ensure_of_route(self.routes[route.key])

    def _create(self, route: Route, target: str) -> None:
        reply: Any = EXPRESSION if route.is_message else {}
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
        self.responses.expect_none(str(answer.get("RouteId")))

    def _update(self, existing: dict[str, Any], wanted: Mapping[str, str]) -> None:
        changed: Any = {
            name: wanted[name] for name in wanted if existing.get(name) != wanted[name]
        }
        if changed:
            self.client.update_route(ApiId=self.api_id, RouteId=existing["RouteId"], **changed)
            existing.update(changed)

    def _ensure_integration(self, route: Route) -> str:
        replies = self.route_responses and route.is_message
        told = {ROUTE_RESPONSE: "true"} if replies else {}
        parameters = route.request_parameters({**self.static_headers, **told})
        wanted = {"IntegrationUri": route.url, "RequestParameters": parameters}
        for found in self.integrations:
            if all(found.get(name) == value for name, value in wanted.items()):
                return str(found["IntegrationId"])
        proxy = {"IntegrationMethod": "POST", "IntegrationType": "HTTP_PROXY"}
        return self._create_integration({**proxy, **wanted})

    def _ensure_ping_integration(self) -> str:
        found = [str(i["IntegrationId"]) for i in self.integrations if pings.is_current(i)]
        identifier = found[0] if found else self._create_integration(pings.INTEGRATION)
        self.responses.ensure_of_integration({"IntegrationId": identifier}, pings.REPLY)
        return identifier

    def _create_integration(self, wanted: Mapping[str, Any]) -> str:
        settings: Any = {
            "ConnectionType": "INTERNET",
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": TIMEOUT_MILLISECONDS,
            **wanted,
        }
        created: Any = self.client.create_integration(ApiId=self.api_id, **settings)
        identifier = str(created["IntegrationId"])
        self.integrations.append({**settings, "IntegrationId": identifier})
        self.responses.expect_none(identifier)
        return identifier
