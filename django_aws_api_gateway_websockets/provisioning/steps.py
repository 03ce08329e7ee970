"""Steps of provisioning: the API and its stage.

Each function compares what is there with what is wanted and makes only what is missing, so a run
that failed half-way is finished by the next one. Nothing here makes a client or writes a row.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping

from botocore.exceptions import ClientError

from .. import aws
from .answers import read, require_ip_address_types, text_of

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

logger = logging.getLogger(__package__)

#: Is told what somebody should know, although nothing failed.
Note = Callable[[str], None]

#: What a throttle is set to if the other one is, and AWS knows none: an account's own quota. Left
#: out, it might become 0, and every event would be refused with 429.
DEFAULT_THROTTLES = {"ThrottlingRateLimit": 10_000.0, "ThrottlingBurstLimit": 5_000}


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
    if "IpAddressType" in wanted:
        require_ip_address_types(client)
    version = {"Version": creation_token} if creation_token else {}
    api = next(_find_apis(client, creation_token), None) or create_with_tags(
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


def ensure_ip_address_type(client: ApiGatewayV2Client, api_id: str, wanted: str) -> str:
    """Let clients come by these addresses, at once; return the API's endpoint if AWS told it."""
    found = read(client, "get_api", ApiId=api_id)
    if found.get("IpAddressType", "ipv4") == wanted:
        return ""
    require_ip_address_types(client)
    changed: Any = client.update_api(ApiId=api_id, IpAddressType=wanted)  # type: ignore[arg-type]
    endpoint = changed.get("ApiEndpoint") if isinstance(changed, Mapping) else None
    return endpoint if isinstance(endpoint, str) else ""


def ensure_stage(
    client: ApiGatewayV2Client, api_id: str, stage: str, throttles: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Make the stage unless it exists, and set these throttles for each of its routes.

    Settings of an existing stage that ``throttles`` does not name (logging, metrics) are kept. A
    throttle of None is set only together with the other one. Return the stage as it was found.
    """
    name: Any = {"ApiId": api_id, "StageName": stage}
    found = aws.paginate(client, "get_stages", ApiId=api_id)
    stages = {each["StageName"]: each for each in found}
    existing: Any = stages.get(stage, {}).get("DefaultRouteSettings", {})
    chosen = _both(throttles, existing)
    if stage not in stages:
        settings: Any = {"DefaultRouteSettings": chosen} if chosen else {}
        client.create_stage(**name, **settings)
        return {}
    wanted: Any = {**existing, **chosen}
    if wanted != existing:
        client.update_stage(**name, DefaultRouteSettings=wanted)
    return dict(stages[stage])


def _both(throttles: Mapping[str, Any], existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return both throttles or none. What is not chosen stays as AWS has it, unless that is 0."""
    if all(value is None for value in throttles.values()):
        return {}
    return {
        name: throttles.get(name) or existing.get(name) or default
        for name, default in DEFAULT_THROTTLES.items()
    }


def stray_apis(client: ApiGatewayV2Client, creation_token: str, api_id: str) -> list[str]:
    """Return the ids of other APIs with this token that have no stage."""
    if not creation_token:
        return []
    others = [api["ApiId"] for api in _find_apis(client, creation_token) if api["ApiId"] != api_id]
    return [other for other in others if not [*aws.paginate(client, "get_stages", ApiId=other)]]


def _find_apis(client: ApiGatewayV2Client, creation_token: str) -> Iterator[Any]:
    """Yield the APIs of earlier runs whose CreateApi worked, but whose answer was lost."""
    for api in aws.paginate(client, "get_apis"):
        if creation_token and api.get("Version") == creation_token:
            yield api
