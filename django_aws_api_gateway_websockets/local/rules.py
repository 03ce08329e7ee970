"""Rules of the control plane: which documents AWS or the local gateway refuses, and with what.

Each is given a document that has its defaults, and adds what only AWS sets. What AWS would do and
the local gateway cannot is refused: only what the documentation names is accepted and ignored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from .documents import Document, Documents, deployment_path, integration_path, now
from .errors import BadRequest, Conflict, NotFound
from .expressions import RouteSelection, parse_parameters
from .integration_uri import check_uri
from .mock_integrations import NOT_OF_MOCKS, check_response, status_of

_METHODS = frozenset(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]+")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9._~:/?#&=,-]*")
_DOMAIN_NAME = re.compile(r"(\*\.)?([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}")
_MAPPING_KEY = re.compile(r"[A-Za-z0-9$_.+!*'()-]*")
_ROUTE_PARAMETER = re.compile(r"route\.request\.(header|querystring)\.[A-Za-z0-9._$-]+")

_NOT_OF_PROXIES = (
    *("ConnectionId", "ContentHandlingStrategy", "CredentialsArn", "IntegrationSubtype"),
    *("RequestTemplates", "ResponseParameters", "TemplateSelectionExpression", "TlsConfig"),
)

#: The expressions that AWS has for the place of an API key. The first is the default.
API_KEY_EXPRESSIONS = ("$request.header.x-api-key", "$context.authorizer.usageIdentifierKey")

Rule = Callable[[Documents, str, Document], None]


def accept(documents: Documents, path: str, document: Document) -> None:
    """Accept everything."""


def check_api(documents: Documents, path: str, api: Document) -> None:
    if api["ProtocolType"] != "WEBSOCKET":
        raise BadRequest("The local gateway plays WEBSOCKET APIs only.")
    _refuse_members(api, "CorsConfiguration", "CredentialsArn", "RouteKey", "Target")
    RouteSelection(api.get("RouteSelectionExpression", ""))
    if api["ApiKeySelectionExpression"] not in API_KEY_EXPRESSIONS:
        raise BadRequest("Invalid API key selection expression specified.")
    check_tags(api["Tags"])
    api.setdefault("CreatedDate", now())


def check_integration(documents: Documents, path: str, integration: Document) -> None:
    kinds = {"HTTP_PROXY": _check_proxy, "MOCK": _check_mock}
    if integration["IntegrationType"] not in kinds:
        raise BadRequest("The local gateway plays HTTP_PROXY and MOCK integrations only.")
    if integration["ConnectionType"] != "INTERNET":
        raise BadRequest("The local gateway plays the connection type INTERNET only.")
    if integration["PayloadFormatVersion"] != "1.0":
        raise BadRequest("PayloadFormatVersion must be 1.0.")
    if not 50 <= integration["TimeoutInMillis"] <= 29_000:
        raise BadRequest("Timeout should be between 50 ms and 29000 ms.")
    kinds[integration["IntegrationType"]](integration)


def _check_proxy(integration: Document) -> None:
    if integration.get("IntegrationMethod") not in _METHODS:
        raise BadRequest("Invalid HTTP method specified.")
    _refuse_members(integration, *_NOT_OF_PROXIES)
    if integration["PassthroughBehavior"] == "NEVER":
        raise BadRequest("A proxy has no templates here, so every body is passed through.")
    check_uri(integration.get("IntegrationUri", ""))
    _check_parameters(integration)


def _check_mock(integration: Document) -> None:
    _refuse_members(integration, *NOT_OF_MOCKS)
    status_of(integration)


def _check_parameters(integration: Document) -> None:
    for parameter in parse_parameters(integration.get("RequestParameters", {})):
        if (
            parameter.location == "path"
            and f"{{{parameter.name}}}" not in (integration["IntegrationUri"])
        ):
            raise BadRequest(f"The URI has no path parameter {{{parameter.name}}}.")


def check_route(documents: Documents, path: str, route: Document) -> None:
    if not route["RouteKey"]:
        raise BadRequest("RouteKey must not be empty.")
    if route["AuthorizationType"] != "NONE":
        raise BadRequest("The local gateway plays the authorization type NONE only.")
    if route["ApiKeyRequired"]:
        raise BadRequest("The local gateway has no API keys.")
    _refuse_members(route, "AuthorizationScopes", "AuthorizerId", "RequestModels")
    if route.get("RouteResponseSelectionExpression", "$default") != "$default":
        raise BadRequest("RouteResponseSelectionExpression must be $default for WEBSOCKET APIs.")
    if "Target" in route and integration_path(path, route) not in documents:
        raise BadRequest("Invalid target specified: " + route["Target"])
    _check_request_parameters(route.get("RequestParameters", {}))


def _check_request_parameters(parameters: Document) -> None:
    for name, constraints in parameters.items():
        if not _ROUTE_PARAMETER.fullmatch(name):
            raise BadRequest(f"Invalid request parameter specified: {name}")
        if constraints.get("Required"):
            raise BadRequest("The local gateway requires no request parameters of clients.")


def check_integration_removal(documents: Documents, path: str, document: Document) -> None:
    routes = documents.children(path.rpartition("/integrations/")[0] + "/routes")
    if any(integration_path(name, route) == path for name, route in routes.items()):
        raise Conflict("Cannot delete an integration that a route refers to.")


def check_integration_response(documents: Documents, path: str, response: Document) -> None:
    # AWS takes one of a proxy, too, and never asks it.
    _refuse_members(response, "ContentHandlingStrategy", "ResponseParameters")
    check_response(response)


def check_route_response(documents: Documents, path: str, response: Document) -> None:
    if response["RouteResponseKey"] != "$default":
        raise BadRequest("RouteResponseKey must be $default for WEBSOCKET APIs.")
    _refuse_members(response, "ResponseModels", "ResponseParameters")


def check_stage(documents: Documents, path: str, stage: Document) -> None:
    if not _STAGE_NAME.fullmatch(stage["StageName"]):
        raise BadRequest("Stage name only allows a-z, A-Z, 0-9, hyphen and underscore.")
    _refuse_members(stage, "ClientCertificateId")
    _check_stage_deployment(documents, path, stage)
    _check_variables(stage["StageVariables"])
    _check_route_settings(documents, path, stage)
    check_tags(stage["Tags"])
    stage.setdefault("CreatedDate", now())
    stage["LastUpdatedDate"] = now()


def _check_stage_deployment(documents: Documents, path: str, stage: Document) -> None:
    identifier = stage.get("DeploymentId")
    if identifier is not None and deployment_path(path, stage) not in documents:
        raise NotFound(f"Invalid deployment identifier specified: {identifier}")
    before = documents.find(path)
    if before and stage.get("AutoDeploy") and identifier != before.get("DeploymentId"):
        raise BadRequest("DeploymentId can't be updated if AutoDeploy is enabled.")


def _check_variables(variables: Document) -> None:
    for name, value in variables.items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise BadRequest(f"Invalid stage variable name specified: {name}")
        if not _VARIABLE_VALUE.fullmatch(value):
            raise BadRequest(f"Invalid value of the stage variable {name} specified.")


def _check_route_settings(documents: Documents, path: str, stage: Document) -> None:
    routes = documents.children(path.rpartition("/stages/")[0] + "/routes").values()
    known = {route["RouteKey"] for route in routes}
    # A route may have been deleted since, which leaves the settings of the stage as they are.
    known.update((documents.find(path) or {}).get("RouteSettings", {}))
    for key, settings in stage["RouteSettings"].items():
        if key not in known:
            raise NotFound(f"Unable to find Route by key {key} within the provided RouteSettings")
        _check_throttles(settings)
    _check_throttles(stage["DefaultRouteSettings"])


def _check_throttles(settings: Document) -> None:
    for member in ("ThrottlingBurstLimit", "ThrottlingRateLimit"):
        if settings.get(member, 0) < 0:
            raise BadRequest(f"{member} must not be negative.")


def check_deployment_removal(documents: Documents, path: str, document: Document) -> None:
    stages = documents.children(path.rpartition("/deployments/")[0] + "/stages")
    if any(deployment_path(name, stage) == path for name, stage in stages.items()):
        raise BadRequest("Active stages pointing to this deployment must be moved or deleted.")


def check_domain(documents: Documents, path: str, domain: Document) -> None:
    if not _DOMAIN_NAME.fullmatch(domain["DomainName"]):
        raise BadRequest("Invalid domain name specified: " + domain["DomainName"])
    _refuse_members(domain, "MutualTlsAuthentication")
    if domain["RoutingMode"] != "API_MAPPING_ONLY":
        raise BadRequest("The local gateway plays the routing mode API_MAPPING_ONLY only.")
    configurations = domain.get("DomainNameConfigurations") or [{}]
    if len(configurations) > 1:
        raise BadRequest("WebSocket APIs can be mapped to REGIONAL domain names only.")
    _complete_domain_configuration(configurations[0], domain["DomainName"])
    check_tags(domain["Tags"])
    # AWS's ARN has the region, which the local gateway has not.
    domain["DomainNameArn"] = f"arn:aws:apigateway:local::/domainnames/{domain['DomainName']}"


def _complete_domain_configuration(configuration: Document, name: str) -> None:
    if not configuration.get("CertificateArn"):
        raise BadRequest("CertificateArn must be provided.")
    if configuration.setdefault("EndpointType", "REGIONAL") != "REGIONAL":
        raise BadRequest("WebSocket APIs can be mapped to REGIONAL domain names only.")
    if configuration.setdefault("SecurityPolicy", "TLS_1_2") != "TLS_1_2":
        raise BadRequest("The security policy must be TLS_1_2.")
    configuration.setdefault("IpAddressType", "ipv4")
    configuration["DomainNameStatus"] = "AVAILABLE"
    # AWS answers with the hosted zone of its own name, whichever zone the caller sent.
    configuration["HostedZoneId"] = "ZLOCALGATEWAY"
    # The name derives from the domain's, so that an update of the certificate keeps it.
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    configuration["ApiGatewayDomainName"] = f"d-{digest}.execute-api.localhost"


def check_mapping(documents: Documents, path: str, mapping: Document) -> None:
    if not _MAPPING_KEY.fullmatch(mapping["ApiMappingKey"]):
        raise BadRequest("API mapping key may hold only letters, numbers and one of $-_.+!*'()")
    documents.get(f"apis/{mapping['ApiId']}")
    documents.get(f"apis/{mapping['ApiId']}/stages/{mapping['Stage']}")


def check_tags(tags: Document) -> None:
    """BadRequest for tags that no resource of AWS may have."""
    if len(tags) > 50:
        raise BadRequest("A resource has at most 50 tags.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise BadRequest("A tag's key has 1 to 128 characters, and its value at most 256.")
        if key.lower().startswith("aws:"):
            raise BadRequest(f"Tags that begin with aws: are AWS's own: {key}")


def _refuse_members(document: Document, *members: str) -> None:
    """Refuse what AWS has for HTTP APIs alone, and what is not played."""
    for member in members:
        if document.get(member):
            raise BadRequest(f"{member} is not supported by WEBSOCKET APIs of the local gateway.")
