"""Messages of the checks, all of the same form."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

DOCS = "https://django-aws-api-gateway-websockets.readthedocs.io/en/latest"


def check_message(number: str, text: str, hint: str, anchor: str) -> CheckMessage:
    """Return an error ("E002") or a warning ("W001"), whose hint links to a page#section."""
    kind: Any = Error if number.startswith("E") else Caution
    message: CheckMessage = kind(
        text,
        hint=f"{hint} See {DOCS}/{anchor}",
        id=f"django_aws_api_gateway_websockets.{number}",
    )
    return message
