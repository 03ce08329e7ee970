"""Deployments: each freezes the routes that clients reach until the next one.

A change of the control plane's documents is live only after CreateDeployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .documents import Document, Documents
from .errors import BadRequest
from .expressions import Parameter, RouteSelection, parse_parameters
from .resources import integration_path

#: The member of a deployment's document that AWS does not show.
SNAPSHOT = "Snapshot"


@dataclass(frozen=True)
class Route:
    """A deployed route and the integration behind it."""

    key: str
    method: str
    uri: str
    timeout: float  #: seconds
    parameters: tuple[Parameter, ...]
    declared: frozenset[str]  #: the client's own parameters that may be mapped
    replies: bool  #: the integration's answer is sent to the client


@dataclass(frozen=True)
class Stage:
    """What a client of one stage can reach at the moment."""

    api_id: str
    name: str
    variables: Mapping[str, str]
    selection: RouteSelection
    routes: Mapping[str, Route]

    def route_for(self, message: Any) -> Route | None:
        """The route that a parsed message asks for, else $default, else None."""
        key = self.selection.select(message)
        # A client may not fake its own $connect or $disconnect.
        if key is None or key in ("$connect", "$disconnect") or key not in self.routes:
            key = "$default"
        return self.routes.get(key)


def snapshot(documents: Documents, api_path: str) -> Document:
    """Copy the API's routes and integrations. BadRequest if they are not complete."""
    routes = documents.children(f"{api_path}/routes")
    if not routes:
        raise BadRequest("At least one route is required before deploying the Api.")
    selection = documents.get(api_path)["RouteSelectionExpression"]
    entries = [_freeze_route(documents, path, route) for path, route in routes.items()]
    return {"RouteSelectionExpression": selection, "Routes": entries}


def _freeze_route(documents: Documents, path: str, route: Document) -> Document:
    if "Target" not in route:
        raise BadRequest(f"The route {route['RouteKey']} has no integration.")
    integration = documents.get(integration_path(path, route))
    responses = list(documents.children(f"{path}/routeresponses").values())
    return {"Route": route, "Integration": integration, "RouteResponses": responses}


def read_stage(api_id: str, stage: Document, frozen: Document) -> Stage:
    """The stage as clients reach it, from its document and that of its deployment."""
    routes = [_read_route(entry) for entry in frozen["Routes"]]
    return Stage(
        api_id=api_id,
        name=stage["StageName"],
        variables=stage.get("StageVariables", {}),
        selection=RouteSelection(frozen["RouteSelectionExpression"]),
        routes={route.key: route for route in routes},
    )


def _read_route(entry: Document) -> Route:
    route, integration = entry["Route"], entry["Integration"]
    return Route(
        key=route["RouteKey"],
        method=integration["IntegrationMethod"],
        uri=integration["IntegrationUri"],
        timeout=integration["TimeoutInMillis"] / 1000,
        parameters=tuple(parse_parameters(integration.get("RequestParameters", {}))),
        declared=frozenset(route.get("RequestParameters", {})),
        # A reply needs both. AWS reports no error if one is missing.
        replies=route.get("RouteResponseSelectionExpression") == "$default"
        and bool(entry["RouteResponses"]),
    )
