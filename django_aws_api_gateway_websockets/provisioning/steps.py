"""Steps of provisioning: the API, its stage, its deployment and its custom domain.

Each function compares what is there with what is wanted and makes only what is missing, so a run
that failed half-way is finished by the next one. Nothing here makes a client or writes a row.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Callable, Mapping

from botocore.exceptions import ClientError

from .. import aws
from ..exceptions import AwsCallFailed, DeploymentFailed

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

logger = logging.getLogger(__package__)

#: Is told what somebody should know, although nothing failed.
Note = Callable[[str], None]

#: Seconds to wait before each new look at the status of a deployment.
DEPLOYMENT_WAITS = (0.5, 1, 2, 4, 8, 16)


def ensure_api(
    client: ApiGatewayV2Client,
    creation_token: str,
    wanted: Mapping[str, Any],
    tags: Mapping[str, str],
    note: Note,
) -> tuple[str, str]:
    """Return the id and the endpoint of the API with this token; make the API if there is none.

    ``wanted`` are the parameters of CreateApi. The token is the API's ``Version``: it needs no
    permission of its own, as a tag does, and nothing else uses the version of a WebSocket API.
    """
    version = {"Version": creation_token} if creation_token else {}
    api = _find_api(client, creation_token) or create_with_tags(
        client.create_api, tags, note, **wanted, **version
    )
    api_id, endpoint = text_of(api, "ApiId"), text_of(api, "ApiEndpoint")
    logger.info("API created api_id=%s name=%s", api_id, wanted["Name"])
    return api_id, endpoint


def create_with_tags(
    create: Callable[..., Any], tags: Mapping[str, str], note: Note, **wanted: Any
) -> Any:
    """Call a create operation with tags; without them, and with a note, if they are forbidden."""
    if not tags:
        return create(**wanted)
    try:
        return create(**wanted, Tags=tags)
    except ClientError as error:
        if not is_forbidden(error):
            raise
        refusal = error
    # AWS does not always say what exactly it forbids. Nothing was made, so this makes it once.
    created = create(**wanted)
    note(f"The tags could not be set: that needs apigateway:TagResource. AWS said: {refusal}")
    return created


def is_forbidden(error: ClientError) -> bool:
    """True if the credentials do not permit the call."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = str(error.response.get("Error", {}).get("Code"))
    return status == 403 or code.startswith("AccessDenied")


def text_of(answer: Any, *path: Any) -> str:
    """Return a text in an answer of AWS; raise AwsCallFailed if there is none at this path."""
    found = answer
    try:
        for step in path:
            found = found[step]
    except (LookupError, TypeError):
        found = None
    # A site's tests may have replaced AWS by a mock, of which a column can hold nothing.
    if not isinstance(found, str) or not found:
        raise AwsCallFailed(f"AWS's answer has no {path[-1]}.")
    return found


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


def ensure_domain_name(
    client: ApiGatewayV2Client,
    domain_name: str,
    configuration: Mapping[str, str],
    tags: Mapping[str, str],
    note: Note,
) -> Any:
    """Return AWS's answer about the custom domain.

    The domain is made with this configuration and these tags unless it exists.
    """
    return _find_domain_name(client, domain_name) or create_with_tags(
        client.create_domain_name,
        tags,
        note,
        DomainName=domain_name,
        DomainNameConfigurations=[configuration],
    )


def target_of(domain: Any) -> str:
    """Return the name that the DNS record of a custom domain must point to."""
    return text_of(domain, "DomainNameConfigurations", 0, "ApiGatewayDomainName")


def mapping_of(mapping_id: Any) -> str:
    """Return the id of a mapping; raise AwsCallFailed if it is none."""
    return text_of({"ApiMappingId": mapping_id}, "ApiMappingId")


def ensure_api_mapping(
    client: ApiGatewayV2Client, domain_name: str, api_id: str, stage: str
) -> str:
    """Return the id of the mapping from the custom domain to the stage, made if absent."""
    wanted = {"ApiId": api_id, "Stage": stage}
    for mapping in aws.paginate(client, "get_api_mappings", DomainName=domain_name):
        if wanted.items() <= mapping.items():
            return str(mapping["ApiMappingId"])
    created = client.create_api_mapping(DomainName=domain_name, **wanted)
    return text_of(created, "ApiMappingId")


def _find_api(client: ApiGatewayV2Client, creation_token: str) -> Any:
    """Return the API of an earlier run whose CreateApi worked, but whose answer was lost."""
    for api in aws.paginate(client, "get_apis"):
        if creation_token and api.get("Version") == creation_token:
            return api
    return None


def _find_domain_name(client: ApiGatewayV2Client, domain_name: str) -> Any:
    # A fake of a site's tests, or a mock that was not told what to answer, has found nothing.
    if not hasattr(client, "get_domain_name"):
        return None
    try:
        found: Any = client.get_domain_name(DomainName=domain_name)
    except client.exceptions.NotFoundException:
        return None
    return found if isinstance(found, Mapping) else None
