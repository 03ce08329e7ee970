"""Checks of where boto3's clients and messages go."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Iterator

from botocore.exceptions import BotoCoreError
from django.core.checks import CheckMessage
from django.core.exceptions import ValidationError

from .. import aws
from ..conf import conf
from ..models.fields import validate_endpoint
from .messages import check_message

#: What chooses among AWS's own hosts for boto3's clients: the configuration and the environment.
HOST_VARIANTS = {
    "use_fips_endpoint": "AWS_USE_FIPS_ENDPOINT",
    "use_dualstack_endpoint": "AWS_USE_DUALSTACK_ENDPOINT",
}


def check_endpoint() -> Iterator[CheckMessage]:
    """Check AWS_GATEWAY_ENDPOINT_URL."""
    if not is_http_url(conf.endpoint_url or "http://unset"):
        yield check_message(
            "E003",
            "AWS_GATEWAY_ENDPOINT_URL is not an http or https URL.",
            'A local gateway has "http://127.0.0.1:9001".',
            "settings.html#endpoint",
        )


def check_host_variants() -> Iterator[CheckMessage]:
    """Check what leads provisioning to hosts that messages do not go to."""
    if conf.endpoint_url or conf.endpoints or aws.environment_endpoint():
        return
    with suppress(BotoCoreError):  # A profile of the environment that is not there.
        for variable, name in HOST_VARIANTS.items():
            if aws.config_variable(aws.own_session(), variable):
                yield check_message(
                    "W017",
                    f"{name} is set: provisioning calls a host of this kind, but messages go to "
                    "the host in each gateway's api_endpoint.",
                    'Name the hosts in WEBSOCKETS["endpoints"], or leave it out.',
                    "settings.html#endpoint",
                )


def check_endpoint_is_aws() -> Iterator[CheckMessage]:
    """Check that the setting does not lead to this machine, where the site is deployed."""
    if conf.endpoint_is_loopback:
        yield check_message(
            "W009",
            "AWS_GATEWAY_ENDPOINT_URL is this very machine: nothing goes to AWS.",
            "Leave it out where the site is deployed.",
            "settings.html#endpoint",
        )


def check_environment_endpoint() -> Iterator[CheckMessage]:
    """Check that nothing else leads away from AWS, where the site is deployed."""
    url = None if conf.endpoint_url else aws.environment_endpoint()
    if url:
        yield check_message(
            "W018",
            f"AWS_ENDPOINT_URL or the like leads provisioning and messages to {url[:200]!r}, not "
            "to AWS.",
            "If it is for another service, set AWS_ENDPOINT_URL_S3 or the like in its place.",
            "settings.html#endpoint",
        )


def check_endpoints(chosen: Any) -> Iterator[CheckMessage]:
    """Check WEBSOCKETS["endpoints"]."""
    if not isinstance(chosen or {}, dict) or not all(
        isinstance(api_id, str) and is_http_url(url) for api_id, url in (chosen or {}).items()
    ):
        yield check_message(
            "E027",
            'WEBSOCKETS["endpoints"] is not a dict of API ids and http or https URLs.',
            'Write {"a1b2c3d4e5": "https://ws.example.com/chat"}.',
            "settings.html#endpoint",
        )


def is_http_url(value: Any) -> bool:
    """True for the text of an absolute http or https URL."""
    try:
        validate_endpoint(value if isinstance(value, str) else "")
    except ValidationError:
        return False
    return True
