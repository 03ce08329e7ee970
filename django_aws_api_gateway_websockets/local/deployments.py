"""Deployments: each freezes the routes that clients reach until the next one.

A change of the control plane's documents is live only after CreateDeployment, unless a stage
deploys automatically.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .documents import Document, Documents, integration_path, new_id, now
from .errors import BadRequest
from .expressions import Parameter, RouteSelection, parse_parameters
from .mock_integrations import Mock, read_mock

#: The member of a deployment's document that AWS does not show.
SNAPSHOT = "Snapshot"

_AUTOMATIC = "Automatic deployment triggered by changes to the Api configuration"
#: So that the state file does not grow with each change.
_AUTOMATIC_KEPT = 20


@dataclass(frozen=True)
class Proxy:
    """An integration that posts the event to a URL."""

    method: str
    uri: str
    timeout: float  #: seconds
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Route:
    """A deployed route and the integration behind it."""

    key: str
    integration: Proxy | Mock
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
    has_default_endpoint: bool  #: clients need no custom domain

    def route_for(self, message: Any) -> Route | None:
        """The route that a parsed message asks for, else $default, else None."""
        key = self.selection.select(message)
        # A client may not fake its own $connect or $disconnect.
        if key is None or key in ("$connect", "$disconnect") or key not in self.routes:
            key = "$default"
        return self.routes.get(key)


def deploy(documents: Documents, api_path: str, **members: Any) -> Document:
    """Freeze the API's routes in a new deployment. BadRequest if they are not complete."""
    deployment = {
        **members,
        "DeploymentId": new_id(),
        "CreatedDate": now(),
        "DeploymentStatus": "DEPLOYED",
        SNAPSHOT: _snapshot(documents, api_path),
    }
    deployment.setdefault("AutoDeployed", False)
    documents.put(f"{api_path}/deployments/{deployment['DeploymentId']}", deployment)
    return deployment


def serve(documents: Documents, stage_path: str, deployment: Document) -> None:
    """Let a stage serve a deployment."""
    identifier = deployment["DeploymentId"]
    stage = {
        **documents.get(stage_path),
        "DeploymentId": identifier,
        "LastUpdatedDate": now(),
    }
    if stage.get("AutoDeploy"):
        stage["LastDeploymentStatusMessage"] = (
            f"Successfully deployed stage with deployment ID '{identifier}'"
        )
    documents.put(stage_path, stage)


def deploy_automatically(documents: Documents, api_path: str) -> None:
    """Deploy to each stage that has AutoDeploy. A stage says why it could not be done."""
    stages = documents.children(f"{api_path}/stages").items()
    automatic = [path for path, stage in stages if stage.get("AutoDeploy")]
    if not automatic:
        return
    try:
        deployment = deploy(documents, api_path, Description=_AUTOMATIC, AutoDeployed=True)
    except BadRequest as error:
        message = f"Deployment attempt failed: {error}"
        for path in automatic:
            stage = {**documents.get(path), "LastDeploymentStatusMessage": message}
            documents.put(path, stage)
        return
    for path in automatic:
        serve(documents, path, deployment)
    _remove_old_automatic_ones(documents, api_path)


def _remove_old_automatic_ones(documents: Documents, api_path: str) -> None:
    stages = documents.children(f"{api_path}/stages").values()
    served = {stage.get("DeploymentId") for stage in stages}
    deployments = documents.children(f"{api_path}/deployments").items()
    left = [
        path
        for path, deployment in deployments
        if deployment["AutoDeployed"] and deployment["DeploymentId"] not in served
    ]
    for path in left[:-_AUTOMATIC_KEPT]:
        documents.remove(path)


def _snapshot(documents: Documents, api_path: str) -> Document:
    api, routes = documents.get(api_path), documents.children(f"{api_path}/routes")
    if not routes:
        raise BadRequest("Unable to deploy API because no routes exist in this API")
    entries = [_freeze_route(documents, path, route) for path, route in routes.items()]
    return {
        "DisableExecuteApiEndpoint": api["DisableExecuteApiEndpoint"],
        "RouteSelectionExpression": api["RouteSelectionExpression"],
        "Routes": entries,
    }


def _freeze_route(documents: Documents, path: str, route: Document) -> Document:
    if "Target" not in route:
        raise BadRequest(f"The route {route['RouteKey']} has no integration.")
    target = integration_path(path, route)
    return {
        "Route": route,
        "Integration": documents.get(target),
        "IntegrationResponses": list(
            documents.children(f"{target}/integrationresponses").values()
        ),
        "RouteResponses": list(documents.children(f"{path}/routeresponses").values()),
    }


def read_stage(api_id: str, stage: Document, frozen: Document) -> Stage:
    """The stage as clients reach it, from its document and that of its deployment."""
    routes = [_read_route(entry) for entry in frozen["Routes"]]
    return Stage(
        api_id=api_id,
        name=stage["StageName"],
        variables=stage.get("StageVariables", {}),
        selection=RouteSelection(frozen["RouteSelectionExpression"]),
        routes={route.key: route for route in routes},
        # A state file of an earlier version does not have it.
        has_default_endpoint=not frozen.get("DisableExecuteApiEndpoint", False),
    )


def _read_route(entry: Document) -> Route:
    route = entry["Route"]
    return Route(
        key=route["RouteKey"],
        # A state file of an earlier version has no integration responses.
        integration=read_integration(entry["Integration"], entry.get("IntegrationResponses", [])),
        declared=frozenset(route.get("RequestParameters", {})),
        # A reply needs both. AWS reports no error if one is missing.
        replies=route.get("RouteResponseSelectionExpression") == "$default"
        and bool(entry["RouteResponses"]),
    )


def read_integration(integration: Document, responses: Sequence[Document] = ()) -> Proxy | Mock:
    """What stands behind a route, from its document and those of its integration responses."""
    if integration["IntegrationType"] == "MOCK":
        return read_mock(integration, responses)
    return Proxy(
        method=integration["IntegrationMethod"],
        uri=integration["IntegrationUri"],
        timeout=integration["TimeoutInMillis"] / 1000,
        parameters=tuple(parse_parameters(integration.get("RequestParameters", {}))),
    )
