"""Endpoints: what names and botocore tell of where messages go. Knows no setting."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Match, NamedTuple, Optional

import boto3
import botocore.configprovider
import botocore.session
from botocore.exceptions import UnknownRegionError

from ..exceptions import ConfigurationError

#: The host of an API, {api}.execute-api.{region}.{suffix}: its region, and its suffix with a port.
API_HOST = re.compile(
    r"\.execute-api\.([a-z0-9-]+)\.([a-z0-9.-]*[a-z0-9](?::[0-9]+)?)", re.IGNORECASE
)

#: The form of a region, so that one that is newer than botocore is told from a mistake.
REGION = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]+", re.IGNORECASE)

#: What of the environment decides about botocore's endpoint for messages.
VARIABLES = (
    "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


class Endpoint(NamedTuple):
    """Where one stage's connections are posted to."""

    url: str
    region: str


def suffix_of(found: Optional[Match[str]]) -> str:
    """Return the DNS suffix of an API's host, or "" if it has no region of AWS's form."""
    return found[2].lower() if found and REGION.fullmatch(found[1]) else ""


@lru_cache(maxsize=64)
def dns_suffix(region: str) -> str:
    """Return the DNS suffix of a region's partition: ``amazonaws.com.cn`` for China.

    Raises ConfigurationError if botocore knows no partition of the region.
    """
    session = botocore.session.Session()
    try:
        partition = session.get_partition_for_region(region)
    except UnknownRegionError as error:
        raise ConfigurationError(f"{region} is not an AWS region.") from error
    partitions = session.get_data("endpoints")["partitions"]
    return str(next(p["dnsSuffix"] for p in partitions if p["partition"] == partition))


def configured_endpoint(session: boto3.Session, service: str) -> Optional[str]:
    """Return the URL that botocore's configuration has in the place of AWS's, or None."""
    own: Any = getattr(session, "_session", None)
    # botocore calls the class private, but has no other way to say what it would do.
    provider: Any = getattr(botocore.configprovider, "ConfiguredEndpointProvider", None)
    if provider is None or not isinstance(own, botocore.session.Session):
        return None
    if own.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    url = provider(own.full_config, own.get_scoped_config(), service).provide()
    return url.rstrip("/") if url else None
