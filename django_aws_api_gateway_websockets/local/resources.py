"""Resources of the control plane: what each must hold, and what AWS adds to it.

One `Kind` for each collection of the REST API. A rule raises the error that AWS would answer.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from .documents import Document, Documents
from .errors import BadRequest, Conflict, NotFound
from .expressions import RouteSelection, parse_parameters

_METHODS = frozenset(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DOMAIN_NAME = re.compile(r"[A-Za-z0-9*-]+(\.[A-Za-z0-9-]+)+")
_MAPPING_KEY = re.compile(r"[A-Za-z0-9_.-]*")
_ROUTE_PARAMETER = re.compile(r"route\.request\.(header|querystring)\.[^\s.]+")

Rule = Callable[[Documents, str, Document], None]


def _no_rule(documents: Documents, path: str, document: Document) -> None:
    """Accept everything, and add nothing."""


@dataclass(frozen=True)
class Kind:
    """How one collection's documents are named, told apart, checked and removed."""

    noun: str  #: as in the names of operations
    id_member: str
    is_named: bool = False  #: the caller chooses the id
    unique: str = ""  #: a member that no two siblings share
    complete: Rule = _no_rule  #: refuses a new or changed document, or adds what is missing
    check_removal: Rule = _no_rule

    def new_id(self, document: Document) -> str:
        if self.is_named:
            return str(document[self.id_member])
        return new_id()


def new_id() -> str:
    """Ten characters, as in the ids of AWS's APIs."""
    alphabet = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(10))


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _complete_api(documents: Documents, path: str, api: Document) -> None:
    if api["ProtocolType"] != "WEBSOCKET":
        raise BadRequest("The local gateway plays WEBSOCKET APIs only.")
    for member in ("RouteKey", "Target", "CredentialsArn"):
        if member in api:
            raise BadRequest(f"{member} is not supported for WEBSOCKET APIs.")
    RouteSelection(api.get("RouteSelectionExpression", ""))
    api.setdefault("ApiKeySelectionExpression", "$request.header.x-api-key")
    api.setdefault("CreatedDate", now())


def _complete_integration(documents: Documents, path: str, integration: Document) -> None:
    if integration["IntegrationType"] != "HTTP_PROXY":
        raise BadRequest("The local gateway plays HTTP_PROXY integrations only.")
    if integration.get("ConnectionType", "INTERNET") != "INTERNET":
        raise BadRequest("The local gateway plays the connection type INTERNET only.")
    if integration.get("IntegrationMethod") not in _METHODS:
        raise BadRequest("Invalid HTTP method specified.")
    if not re.match(r"https?://[^/]", integration.get("IntegrationUri", "")):
        raise BadRequest("Invalid HTTP endpoint specified for URI")
    if not 50 <= integration.setdefault("TimeoutInMillis", 29_000) <= 29_000:
        raise BadRequest("Timeout should be between 50 ms and 29000 ms.")
    parse_parameters(integration.get("RequestParameters", {}))
    integration.setdefault("ConnectionType", "INTERNET")
    integration.setdefault("PassthroughBehavior", "WHEN_NO_MATCH")
    integration.setdefault("PayloadFormatVersion", "1.0")


def _complete_route(documents: Documents, path: str, route: Document) -> None:
    if route.setdefault("AuthorizationType", "NONE") != "NONE":
        raise BadRequest("The local gateway plays the authorization type NONE only.")
    if route.setdefault("ApiKeyRequired", False):
        raise BadRequest("The local gateway has no API keys.")
    for name in route.get("RequestParameters", {}):
        if not _ROUTE_PARAMETER.fullmatch(name):
            raise BadRequest(f"Invalid request parameter specified: {name}")
    if "Target" in route and integration_path(path, route) not in documents:
        raise BadRequest("Invalid target specified: " + route["Target"])


def integration_path(route_path: str, route: Document) -> str:
    """The path of the integration that a route's Target names, as in "integrations/ID"."""
    api_path = "/".join(route_path.split("/")[:2])
    collection, _, identifier = route.get("Target", "").partition("/")
    return f"{api_path}/integrations/{identifier}" if collection == "integrations" else ""


def _check_integration_removal(documents: Documents, path: str, document: Document) -> None:
    routes = documents.children(path.rpartition("/integrations/")[0] + "/routes")
    if any(integration_path(name, route) == path for name, route in routes.items()):
        raise Conflict("Cannot delete an integration that a route refers to.")


def _complete_stage(documents: Documents, path: str, stage: Document) -> None:
    if not _STAGE_NAME.fullmatch(stage["StageName"]):
        raise BadRequest("Stage name only allows a-z, A-Z, 0-9, hyphen and underscore.")
    deployment = stage.get("DeploymentId")
    if deployment and deployment_path(path, stage) not in documents:
        raise NotFound(f"Invalid deployment identifier specified: {deployment}")
    stage.setdefault("CreatedDate", now())
    stage["LastUpdatedDate"] = now()


def deployment_path(stage_path: str, stage: Document) -> str:
    api_path = "/".join(stage_path.split("/")[:2])
    return f"{api_path}/deployments/{stage.get('DeploymentId')}"


def _check_deployment_removal(documents: Documents, path: str, document: Document) -> None:
    stages = documents.children(path.rpartition("/deployments/")[0] + "/stages")
    if any(deployment_path(name, stage) == path for name, stage in stages.items()):
        raise BadRequest("Active stages pointing to this deployment must be moved or deleted.")


def _complete_domain(documents: Documents, path: str, domain: Document) -> None:
    if not _DOMAIN_NAME.fullmatch(domain["DomainName"]):
        raise BadRequest("Invalid domain name specified: " + domain["DomainName"])
    configurations = domain.get("DomainNameConfigurations") or [{}]
    for configuration in configurations:
        _complete_domain_configuration(configuration, domain["DomainName"])
    domain.setdefault("ApiMappingSelectionExpression", "$request.basepath")


def _complete_domain_configuration(configuration: Document, name: str) -> None:
    if not configuration.get("CertificateArn"):
        raise BadRequest("CertificateArn must be provided.")
    if configuration.setdefault("EndpointType", "REGIONAL") != "REGIONAL":
        raise BadRequest("WebSocket APIs can be mapped to REGIONAL domain names only.")
    if configuration.setdefault("SecurityPolicy", "TLS_1_2") != "TLS_1_2":
        raise BadRequest("The security policy must be TLS_1_2.")
    configuration["DomainNameStatus"] = "AVAILABLE"
    # AWS answers with the hosted zone of its own name, whichever zone the caller sent.
    configuration["HostedZoneId"] = "ZLOCALGATEWAY"
    # The name derives from the domain's, so that an update of the certificate keeps it.
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    configuration["ApiGatewayDomainName"] = f"d-{digest}.execute-api.localhost"


def _complete_mapping(documents: Documents, path: str, mapping: Document) -> None:
    if not _MAPPING_KEY.fullmatch(mapping.setdefault("ApiMappingKey", "")):
        raise BadRequest("API mapping key may hold only letters, numbers and one of $-_.+!*'()")
    documents.get(f"apis/{mapping['ApiId']}")
    documents.get(f"apis/{mapping['ApiId']}/stages/{mapping['Stage']}")


def _complete_route_response(documents: Documents, path: str, response: Document) -> None:
    if response["RouteResponseKey"] != "$default":
        raise BadRequest("RouteResponseKey must be $default for WEBSOCKET APIs.")


KINDS = {
    "apis": Kind("Api", "ApiId", complete=_complete_api),
    "integrations": Kind(
        "Integration",
        "IntegrationId",
        complete=_complete_integration,
        check_removal=_check_integration_removal,
    ),
    "routes": Kind("Route", "RouteId", unique="RouteKey", complete=_complete_route),
    "routeresponses": Kind(
        "RouteResponse",
        "RouteResponseId",
        unique="RouteResponseKey",
        complete=_complete_route_response,
    ),
    "stages": Kind("Stage", "StageName", is_named=True, complete=_complete_stage),
    "deployments": Kind("Deployment", "DeploymentId", check_removal=_check_deployment_removal),
    "domainnames": Kind("DomainName", "DomainName", is_named=True, complete=_complete_domain),
    "apimappings": Kind(
        "ApiMapping", "ApiMappingId", unique="ApiMappingKey", complete=_complete_mapping
    ),
}
