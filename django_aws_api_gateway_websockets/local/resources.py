"""Resources of the control plane: what each consists of, and what AWS adds to it.

One `Kind` for each collection of the REST API. What must not be is in the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from . import rules
from .documents import Document, new_id


@dataclass(frozen=True)
class Kind:
    """How one collection's documents are named, told apart, checked and removed."""

    noun: str  #: as in the names of operations
    id_member: str
    parent: str = ""  #: the collection that this one is below
    is_named: bool = False  #: the caller chooses the id
    unique: str = ""  #: a member that no two siblings share
    required: tuple[str, ...] = ()  #: what each document in the state file has
    defaults: Mapping[str, Any] = field(default_factory=dict)  #: what AWS shows if nothing is set
    check: rules.Rule = rules.accept  #: refuses a new or changed document, or completes it
    check_removal: rules.Rule = rules.accept

    def new_id(self, document: Document) -> str:
        if self.is_named:
            return str(document[self.id_member])
        return new_id()

    def with_defaults(self, document: Document) -> Document:
        """A copy that has all that AWS would show."""
        return _merged(self.defaults, document)


def _merged(defaults: Mapping[str, Any], document: Mapping[str, Any]) -> Document:
    merged = {**deepcopy(dict(defaults)), **deepcopy(dict(document))}
    for member, default in defaults.items():
        if isinstance(default, dict):
            merged[member] = {**default, **merged[member]}
    return merged


#: The collections of what the local gateway cannot create: they are empty.
EMPTY = frozenset(
    ["authorizers", "models", "routingrules", "vpclinks"]
    + ["portals", "portalproducts", "productpages", "productrestendpointpages"]
)

KINDS = {
    "apis": Kind(
        "Api",
        "ApiId",
        required=("Name", "ProtocolType", "RouteSelectionExpression", "CreatedDate"),
        defaults={
            "ApiKeySelectionExpression": rules.API_KEY_EXPRESSIONS[0],
            "DisableExecuteApiEndpoint": False,
            "DisableSchemaValidation": False,
            "IpAddressType": "ipv4",
            "Tags": {},
        },
        check=rules.check_api,
    ),
    "integrations": Kind(
        "Integration",
        "IntegrationId",
        parent="apis",
        required=("IntegrationType",),
        defaults={
            "ConnectionType": "INTERNET",
            "IntegrationResponseSelectionExpression": "${integration.response.statuscode}",
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": 29_000,
        },
        check=rules.check_integration,
        check_removal=rules.check_integration_removal,
    ),
    "integrationresponses": Kind(
        "IntegrationResponse",
        "IntegrationResponseId",
        parent="integrations",
        unique="IntegrationResponseKey",
        required=("IntegrationResponseKey",),
        check=rules.check_integration_response,
    ),
    "routes": Kind(
        "Route",
        "RouteId",
        parent="apis",
        unique="RouteKey",
        required=("RouteKey",),
        defaults={"ApiKeyRequired": False, "AuthorizationType": "NONE"},
        check=rules.check_route,
    ),
    "routeresponses": Kind(
        "RouteResponse",
        "RouteResponseId",
        parent="routes",
        unique="RouteResponseKey",
        required=("RouteResponseKey",),
        check=rules.check_route_response,
    ),
    "stages": Kind(
        "Stage",
        "StageName",
        parent="apis",
        is_named=True,
        defaults={
            "DefaultRouteSettings": {
                "DataTraceEnabled": False,
                "DetailedMetricsEnabled": False,
                "LoggingLevel": "OFF",
            },
            "RouteSettings": {},
            "StageVariables": {},
            "Tags": {},
        },
        check=rules.check_stage,
    ),
    "deployments": Kind(
        "Deployment",
        "DeploymentId",
        parent="apis",
        required=("CreatedDate", "Snapshot"),
        defaults={"AutoDeployed": False, "DeploymentStatus": "DEPLOYED"},
        check_removal=rules.check_deployment_removal,
    ),
    "domainnames": Kind(
        "DomainName",
        "DomainName",
        is_named=True,
        required=("DomainNameConfigurations",),
        defaults={
            "ApiMappingSelectionExpression": "$request.basepath",
            "RoutingMode": "API_MAPPING_ONLY",
            "Tags": {},
        },
        check=rules.check_domain,
    ),
    "apimappings": Kind(
        "ApiMapping",
        "ApiMappingId",
        parent="domainnames",
        unique="ApiMappingKey",
        required=("ApiId", "Stage"),
        defaults={"ApiMappingKey": ""},
        check=rules.check_mapping,
    ),
}
