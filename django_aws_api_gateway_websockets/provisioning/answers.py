"""Answers of AWS, or of what a site's tests have put in its place."""

from __future__ import annotations

from typing import Any, Mapping

import botocore

from ..exceptions import AwsCallFailed, GatewayNotReady


def read(client: Any, operation: str, **parameters: str) -> Mapping[str, Any]:
    """Return the answer of a reading call; an empty one of a fake that lacks the call."""
    call = getattr(client, operation, None)
    found = call(**parameters) if call else {}
    return found if isinstance(found, Mapping) else {}


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


def require_ip_address_types(client: Any) -> None:
    """Raise GatewayNotReady if botocore is older than the parameter IpAddressType."""
    try:
        model = client.meta.service_model.operation_model("CreateApi")
        known = model.input_shape.members
    except AttributeError:
        return
    # A mock takes everything.
    if isinstance(known, Mapping) and "IpAddressType" not in known:
        raise GatewayNotReady(
            "The gateway's ip_address_type needs botocore 1.37.23 or newer, and "
            f"{botocore.__version__} is installed. Upgrade boto3 and botocore, or empty the field."
        )
