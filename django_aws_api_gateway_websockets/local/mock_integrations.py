"""Mock integrations: what the gateway answers by itself, from templates that are static text.

Knows no documents' paths, and nothing of Velocity: a template with a directive is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .documents import Document
from .errors import BadRequest

#: The members that only other types of integrations have.
NOT_OF_MOCKS = (
    *("ConnectionId", "ContentHandlingStrategy", "CredentialsArn", "IntegrationMethod"),
    *("IntegrationSubtype", "IntegrationUri", "RequestParameters", "ResponseParameters"),
    "TlsConfig",
)

#: The key that stands for everything, in maps of templates and of integration responses.
_DEFAULT = "$default"


@dataclass(frozen=True)
class Mock:
    """What a mock integration answers each event with."""

    status: int
    body: bytes | None  #: None if no integration response takes the status


def read_mock(integration: Document, responses: Sequence[Document]) -> Mock:
    """The answer of a mock integration. BadRequest if the gateway cannot play it."""
    status = status_of(integration)
    chosen = _response_for(status, responses)
    return Mock(
        status, None if chosen is None else _selected(chosen, "ResponseTemplates").encode()
    )


def status_of(integration: Document) -> int:
    """The statusCode in the request template that is selected, which every mock must have."""
    template = _selected(integration, "RequestTemplates")
    try:
        status: Any = json.loads(template)["statusCode"]
    except (ValueError, LookupError, TypeError, RecursionError):
        status = None
    if not isinstance(status, int) or not 100 <= status < 600:
        raise BadRequest('The request template that is selected must be like {"statusCode": 200}.')
    return status


def check_response(response: Document) -> None:
    """BadRequest for an integration response that the gateway cannot play."""
    _pattern(response["IntegrationResponseKey"])
    _selected(response, "ResponseTemplates")


def _response_for(status: int, responses: Sequence[Document]) -> Document | None:
    """The response whose key matches the status, else the one for everything."""
    by_key = {response["IntegrationResponseKey"]: response for response in responses}
    for key, response in by_key.items():
        if key != _DEFAULT and _pattern(key).fullmatch(str(status)):
            return response
    return by_key.get(_DEFAULT)


def _pattern(key: str) -> re.Pattern[str]:
    try:
        if key == _DEFAULT:
            return re.compile("")
        if len(key) > 2 and key.startswith("/") and key.endswith("/"):
            return re.compile(key[1:-1])
    except re.error:
        pass
    raise BadRequest(f"IntegrationResponseKey must be $default or like /2\\d\\d/: {key}")


def _selected(document: Document, member: str) -> str:
    """The template that the selection expression names; an empty text if there is none."""
    templates = document.get(member) or {}
    for key, template in templates.items():
        if re.search("[$#]", template):
            raise BadRequest(f"The local gateway plays {member} without $ and # only: {key}")
    return str(templates.get(_static_key(document.get("TemplateSelectionExpression")), ""))


def _static_key(expression: str | None) -> str:
    """The key that an expression without variables names. A backslash escapes the dollar."""
    if not expression:
        return _DEFAULT
    if re.search(r"(?<!\\)\$", expression):
        raise BadRequest(
            "The local gateway plays a static TemplateSelectionExpression only, such as "
            f"\\$default: {expression}"
        )
    return expression.replace("\\$", "$")
