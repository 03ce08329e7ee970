"""What must exist in AWS for a gateway, and the calls that make it so.

Each function compares what is there with what is wanted and makes only what is missing, so a run
that failed half-way is finished by the next one. Nothing here builds a client or writes a row.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from . import aws
from .exceptions import DeploymentFailed, GatewayNotReady
from .routes import Route, RouteTable

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

    from .models import ApiGateway

logger = logging.getLogger(__name__)

#: The tag by which a run finds the API that an earlier run made without hearing of it.
CREATION_TAG = "django-aws-api-gateway-websockets"

#: Seconds between the questions whether a deployment is in service.
DEPLOYMENT_WAITS = (0.5, 1, 2, 4, 8, 16)


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
    table = RouteTable(gateway, client)
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
    table = RouteTable(gateway, client)
    table.ensure(route)
    _drop(gateway, table, former_key)


def remove_route(gateway: ApiGateway, client: ApiGatewayV2Client, key: str) -> None:
    """Delete an additional route that the gateway no longer has."""
    _drop(gateway, RouteTable(gateway, client), key)


def ensure_stage(gateway: ApiGateway, client: ApiGatewayV2Client) -> None:
    """Make the stage unless it exists, with the gateway's throttles for each of its routes."""
    name: Any = {"ApiId": gateway.api_id, "StageName": gateway.stage}
    stages = {
        stage["StageName"]: stage
        for stage in aws.items(client, "get_stages", ApiId=gateway.api_id)
    }
    throttles = _throttles(gateway)
    if gateway.stage not in stages:
        chosen: Any = {"DefaultRouteSettings": throttles} if throttles else {}
        client.create_stage(**name, **chosen)
        return
    existing: Any = stages[gateway.stage].get("DefaultRouteSettings", {})
    # The other settings (logging, metrics) may be somebody's choice.
    wanted: Any = {**existing, **throttles}
    if wanted != existing:
        client.update_stage(**name, DefaultRouteSettings=wanted)


def deploy(gateway: ApiGateway, client: ApiGatewayV2Client) -> str:
    """Put the routes as they are now into service; return the deployment's id.

    Raises DeploymentFailed if AWS does not manage it within half a minute.
    """
    deployment: Any = client.create_deployment(
        ApiId=gateway.api_id, Description=gateway.stage_description, StageName=gateway.stage
    )
    deployment_id = str(deployment["DeploymentId"])
    for seconds in DEPLOYMENT_WAITS:
        if deployment.get("DeploymentStatus") != "PENDING":
            break
        time.sleep(seconds)
        deployment = client.get_deployment(ApiId=gateway.api_id, DeploymentId=deployment_id)
    status = deployment.get("DeploymentStatus", "DEPLOYED")
    if status != "DEPLOYED":
        reason = deployment.get("DeploymentStatusMessage", "AWS gives no reason")
        raise DeploymentFailed(f"The deployment {deployment_id} is {status}: {reason}")
    logger.info("Deployed api_id=%s deployment_id=%s", gateway.api_id, deployment_id)
    return deployment_id


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
    for mapping in aws.items(client, "get_api_mappings", DomainName=gateway.domain_name):
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
    for api in aws.items(client, "get_apis"):
        if (
            gateway.creation_token
            and api.get("Tags", {}).get(CREATION_TAG) == gateway.creation_token
        ):
            return api
    return None


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


def _throttles(gateway: ApiGateway) -> dict[str, Any]:
    """The throttles that the gateway wants; one that is left empty stays what it is in AWS."""
    wanted = {
        "ThrottlingRateLimit": gateway.throttling_rate_limit,
        "ThrottlingBurstLimit": gateway.throttling_burst_limit,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _tags(gateway: ApiGateway) -> dict[str, str]:
    if not isinstance(gateway.tags, dict):
        raise GatewayNotReady('The tags must be an object of names and values: {"team": "web"}')
    return {str(name): str(value) for name, value in gateway.tags.items()}
