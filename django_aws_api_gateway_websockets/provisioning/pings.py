"""Pings: the mock integration by which API Gateway answers a client's ping, without the site.

Nobody could try it on AWS. It has the form of AWS's guide ("Set up a WebSocket API integration
response", "WebSocket selection expressions") and of public templates: a request template with a
statusCode, and an integration response for everything. The backslash is the guide's: without it
``$default`` would be a variable.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from botocore.model import ServiceModel

#: The key of the route, and so what a client's ping has under the API's selection key.
KEY = "ping"

#: The one key that selects a template, and an integration response.
DEFAULT = "$default"

#: By its description an integration is known for one of ours: a mock maps no headers.
INTEGRATION = {
    "Description": "Answers pings; made by django-aws-api-gateway-websockets",
    "IntegrationType": "MOCK",
    "RequestTemplates": {DEFAULT: '{"statusCode":200}'},
    "TemplateSelectionExpression": f"\\{DEFAULT}",
}

#: What the client gets.
REPLY = {
    "IntegrationResponseKey": DEFAULT,
    "ResponseTemplates": {DEFAULT: '{"pong":true}'},
    "TemplateSelectionExpression": f"\\{DEFAULT}",
}

#: An expression that reads one key of the message, and nothing below it.
_ONE_KEY = re.compile(r"\$(\{)?request\.body\.([^\s{}$.\[\]]+)(?(1)\})")


def selecting_key(expression: str) -> str:
    """Return the one key that this route selection expression reads; an empty text for others."""
    found = _ONE_KEY.fullmatch(expression)
    return found[2] if found else ""


def can_make(client: Any) -> bool:
    """True for a client of botocore. A site's mock makes the routes that 1.1.1 made."""
    model = getattr(getattr(client, "meta", None), "service_model", None)
    return isinstance(model, ServiceModel)


def is_ping(integration: Mapping[str, Any]) -> bool:
    """True if this package has made the integration for pings."""
    return _is_like(integration, "Description", "IntegrationType")


def is_current(integration: Mapping[str, Any]) -> bool:
    """True if this release would make the same integration."""
    # The expression is left out: AWS might show its escaped dollar in another way.
    return _is_like(integration, "Description", "IntegrationType", "RequestTemplates")


def _is_like(integration: Mapping[str, Any], *members: str) -> bool:
    return all(integration.get(name) == INTEGRATION[name] for name in members)
