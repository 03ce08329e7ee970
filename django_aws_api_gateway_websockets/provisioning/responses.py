"""Responses of routes and of integrations: what an answer needs to reach the client.

Those of one route or integration are read when somebody asks for them, and once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping

from .. import aws

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

#: The only key that the response of a WebSocket route can have.
KEY = "$default"

#: What a route must say beside having a response. AWS reports no error if one of both is missing.
EXPRESSION = {"RouteResponseSelectionExpression": KEY}


class Responses:
    """The responses below one API, as they are in AWS."""

    def __init__(self, client: ApiGatewayV2Client, api_id: str) -> None:
        self.client = client
        self.api_id = api_id
        self._found: dict[str, list[Any]] = {}

    def of_route(self, route: Mapping[str, Any]) -> list[Any]:
        """Return the responses of a route. Of a fake it may raise NotImplementedError."""
        return self._read("get_route_responses", "RouteId", route)

    def of_integration(self, integration: Mapping[str, Any]) -> list[Any]:
        """Return the responses of an integration. Of a fake it may raise NotImplementedError."""
        return self._read("get_integration_responses", "IntegrationId", integration)

    def expect_none(self, identifier: str) -> None:
        """Read nothing below a route or an integration that has just been made."""
        self._found[identifier] = []

    def ensure_of_route(self, route: Mapping[str, Any]) -> None:
        """Give a route its response, unless it has it."""
        if "RouteId" in route and not _are_known(self.of_route, route):
            self.client.create_route_response(
                ApiId=self.api_id, RouteId=route["RouteId"], RouteResponseKey=KEY
            )
            self.of_route(route).append({"RouteResponseKey": KEY})

    def ensure_of_integration(
        self, integration: Mapping[str, Any], wanted: Mapping[str, Any]
    ) -> None:
        """Give an integration this response, unless it has one."""
        if not _are_known(self.of_integration, integration):
            identifier = integration["IntegrationId"]
            self.client.create_integration_response(
                ApiId=self.api_id, IntegrationId=identifier, **wanted
            )
            self.of_integration(integration).append(wanted)

    def remove_of_route(self, route: Mapping[str, Any]) -> None:
        """Delete the response of a route, if it has one."""
        found = self.of_route(route) if "RouteId" in route else []
        while found:
            self.client.delete_route_response(
                ApiId=self.api_id,
                RouteId=route["RouteId"],
                RouteResponseId=found[-1]["RouteResponseId"],
            )
            found.pop()

    def _read(self, operation: str, member: str, owner: Mapping[str, Any]) -> list[Any]:
        identifier = str(owner[member])
        if identifier not in self._found:
            where = {"ApiId": self.api_id, member: identifier}
            self._found[identifier] = [*aws.paginate(self.client, operation, **where)]
        return self._found[identifier]


def _are_known(read: Callable[[Mapping[str, Any]], list[Any]], owner: Mapping[str, Any]) -> bool:
    try:
        return bool(read(owner))
    except NotImplementedError:  # moto cannot list those of a route.
        return True
