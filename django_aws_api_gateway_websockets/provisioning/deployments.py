"""Deployments: what one freezes of an API, the hash of it, and putting it into service.

A stage serves the routes as they were when its deployment was made. The hash of them at the end of
the deployment's description says whether they have changed since.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from ..exceptions import DeploymentFailed
from .answers import read, text_of
from .routes import RouteTable

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

logger = logging.getLogger(__package__)

#: Seconds to wait before each new look at the status of a deployment.
DEPLOYMENT_WAITS = (0.5, 1, 2, 4, 8, 16)

#: The characters that AWS takes in a description.
MAX_DESCRIPTION = 1024

#: What the hash in a description follows.
MARK = "routes:"

#: What of an API a deployment freezes, beside its routes.
FROZEN_OF_API = (
    "RouteSelectionExpression",
    "ApiKeySelectionExpression",
    "DisableSchemaValidation",
)

#: What only names or describes a thing: the same route may be made anew and get another id.
NAMES = {
    *("ApiGatewayManaged", "ApiId", "Description", "IntegrationId", "IntegrationResponseId"),
    # Its value follows from the type of the integration.
    "IntegrationResponseSelectionExpression",
    *("OperationName", "ResponseMetadata", "RouteId", "RouteResponseId", "Target"),
}

#: Integrations of these types hand the answer on as it is, and have no responses of their own.
PROXIES = {"HTTP_PROXY", "AWS_PROXY"}


def digest_of(client: ApiGatewayV2Client, table: RouteTable) -> str:
    """Return the hash of what a deployment of this table would freeze.

    An empty string means that it cannot be known: AWS is a fake that lacks a call.
    """
    try:
        api = read(client, "get_api", ApiId=table.api_id)
        routes = [_frozen_route(table, key) for key in sorted(table.routes)]
    except NotImplementedError:
        return ""
    if not routes:
        return ""
    frozen = {"api": {name: api.get(name) for name in FROZEN_OF_API}, "routes": routes}
    # The source proof is a part of it. Who can read the hash can read the proof, too.
    text = json.dumps(frozen, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe(description: str, digest: str) -> str:
    """Return the description of a deployment, with the hash of its routes at the end."""
    if not digest:
        return description
    mark = f"{MARK}{digest}"
    return f"{description[: MAX_DESCRIPTION - len(mark) - 1]} {mark}".strip()


def is_deployed(
    client: ApiGatewayV2Client, api_id: str, stage: Mapping[str, Any], digest: str
) -> bool:
    """True if the stage's deployment, whoever made it, bears this hash."""
    deployment_id = stage.get("DeploymentId")
    if not (digest and deployment_id):
        return False
    found = read(client, "get_deployment", ApiId=api_id, DeploymentId=deployment_id)
    is_in_service = found.get("DeploymentStatus", "DEPLOYED") == "DEPLOYED"
    return is_in_service and str(found.get("Description", "")).endswith(f"{MARK}{digest}")


def deploy(client: ApiGatewayV2Client, api_id: str, stage: str, description: str) -> str:
    """Put the routes as they are now into service; return the deployment's id.

    Raises DeploymentFailed if AWS does not finish it within half a minute.
    """
    deployment: Any = client.create_deployment(
        ApiId=api_id, Description=description, StageName=stage
    )
    deployment_id = text_of(deployment, "DeploymentId")
    for seconds in DEPLOYMENT_WAITS:
        if deployment.get("DeploymentStatus") != "PENDING":
            break
        time.sleep(seconds)
        deployment = client.get_deployment(ApiId=api_id, DeploymentId=deployment_id)
    status = deployment.get("DeploymentStatus", "DEPLOYED")
    if status != "DEPLOYED":
        reason = deployment.get("DeploymentStatusMessage", "AWS gives no reason")
        raise DeploymentFailed(f"The deployment {deployment_id} is {status}: {reason}")
    logger.info("Deployed api_id=%s deployment_id=%s", api_id, deployment_id)
    return deployment_id


def _frozen_route(table: RouteTable, key: str) -> dict[str, Any]:
    """Return what a deployment freezes of one route, its integration, and their responses."""
    route = table.routes[key]
    frozen: dict[str, Any] = {"route": _plain(route)}
    if route.get("RouteResponseSelectionExpression") and "RouteId" in route:
        frozen["responses"] = _all_plain(table.responses.of_route(route))
    integration = table.integration_of(route)
    if not integration:
        return frozen
    frozen["integration"] = _plain(integration)
    if integration.get("IntegrationType", "HTTP_PROXY") not in PROXIES:
        frozen["replies"] = _all_plain(table.responses.of_integration(integration))
    return frozen


def _all_plain(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted(map(_plain, documents), key=str)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a document matters: no names, and nothing that is empty."""
    return {
        name: value
        for name, value in sorted(document.items())
        if name not in NAMES and value not in (None, "", [], {})
    }
