"""Steps of provisioning: the API, its stage, its deployment and its custom domain.

Each function compares what is there with what is wanted and makes only what is missing, so a run
that failed half-way is finished by the next one. Nothing here makes a client or writes a row.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Mapping

from .. import aws
from ..exceptions import DeploymentFailed

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

logger = logging.getLogger(__package__)

#: The tag by which a run finds an API whose CreateApi worked, but whose answer was lost.
CREATION_TAG = "django-aws-api-gateway-websockets"

#: Seconds to wait before each new look at the status of a deployment.
DEPLOYMENT_WAITS = (0.5, 1, 2, 4, 8, 16)


def ensure_api(
    client: ApiGatewayV2Client, creation_token: str, wanted: Mapping[str, Any]
) -> tuple[str, str]:
    """Return the id and the endpoint of the API with this token; make the API if there is none.

    ``wanted`` are the parameters of CreateApi, with ``Tags``.
    """
    tags = {**wanted["Tags"], CREATION_TAG: creation_token}
    api = _find_api(client, creation_token) or client.create_api(**{**wanted, "Tags": tags})
    logger.info("API created api_id=%s name=%s", api["ApiId"], wanted["Name"])
    return api["ApiId"], api["ApiEndpoint"]


def ensure_stage(
    client: ApiGatewayV2Client, api_id: str, stage: str, throttles: Mapping[str, Any]
) -> None:
    """Make the stage unless it exists, and set these throttles for each of its routes.

    Settings of an existing stage that ``throttles`` does not name (logging, metrics) are kept.
    """
    name: Any = {"ApiId": api_id, "StageName": stage}
    found = aws.paginate(client, "get_stages", ApiId=api_id)
    stages = {each["StageName"]: each for each in found}
    if stage not in stages:
        chosen: Any = {"DefaultRouteSettings": throttles} if throttles else {}
        client.create_stage(**name, **chosen)
        return
    existing: Any = stages[stage].get("DefaultRouteSettings", {})
    wanted: Any = {**existing, **throttles}
    if wanted != existing:
        client.update_stage(**name, DefaultRouteSettings=wanted)


def deploy(client: ApiGatewayV2Client, api_id: str, stage: str, description: str) -> str:
    """Put the routes as they are now into service; return the deployment's id.

    Raises DeploymentFailed if AWS does not finish it within half a minute.
    """
    deployment: Any = client.create_deployment(
        ApiId=api_id, Description=description, StageName=stage
    )
    deployment_id = str(deployment["DeploymentId"])
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


def ensure_domain_name(
    client: ApiGatewayV2Client,
    domain_name: str,
    configuration: Mapping[str, str],
    tags: Mapping[str, str],
) -> str:
    """Return the name that the custom domain's DNS record must point to.

    The domain is made with this configuration and these tags unless it exists.
    """
    try:
        domain: Any = client.get_domain_name(DomainName=domain_name)
    except client.exceptions.NotFoundException:
        wanted: Any = {"DomainNameConfigurations": [configuration], "Tags": tags}
        domain = client.create_domain_name(DomainName=domain_name, **wanted)
    return str(domain["DomainNameConfigurations"][0]["ApiGatewayDomainName"])


def ensure_api_mapping(
    client: ApiGatewayV2Client, domain_name: str, api_id: str, stage: str
) -> str:
    """Return the id of the mapping from the custom domain to the stage, made if absent."""
    wanted = {"ApiId": api_id, "Stage": stage}
    for mapping in aws.paginate(client, "get_api_mappings", DomainName=domain_name):
        if wanted.items() <= mapping.items():
            return str(mapping["ApiMappingId"])
    created = client.create_api_mapping(DomainName=domain_name, **wanted)
    return created["ApiMappingId"]


def _find_api(client: ApiGatewayV2Client, creation_token: str) -> Any:
    """Return the API of an earlier run whose CreateApi worked, but whose answer was lost."""
    for api in aws.paginate(client, "get_apis"):
        if creation_token and api.get("Tags", {}).get(CREATION_TAG) == creation_token:
            return api
    return None
