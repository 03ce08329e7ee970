"""Context variables of AWS's guide, "WebSocket API mapping template reference".

Those that depend on what the local gateway has not (authorizers, API keys, IAM, an answer that is
yet to come) are known and have no value, as on AWS where a request has none.
"""

from __future__ import annotations

import time

from .events import Event

_OF_THE_EVENT = frozenset(
    ["apiId", "connectedAt", "connectionId", "domainName", "eventType", "messageId"]
    + ["requestId", "requestTimeEpoch", "routeKey", "stage"]
    + ["identity.sourceIp", "identity.userAgent"]
)
_WITHOUT_VALUE = frozenset(
    ["authorizer.principalId", "error.messageString", "error.validationErrorString", "status"]
    + ["identity.accountId", "identity.apiKey", "identity.apiKeyId", "identity.caller"]
    + ["identity.cognitoAuthenticationProvider", "identity.cognitoAuthenticationType"]
    + ["identity.cognitoIdentityId", "identity.cognitoIdentityPoolId"]
    + ["identity.user", "identity.userArn"]
)
_DERIVED = frozenset(["extendedRequestId", "requestTime"])
_AUTHORIZER = "authorizer."


def is_context_variable(name: str) -> bool:
    """True if the guide lists the name that follows `context.`."""
    if name.startswith(_AUTHORIZER):
        return len(name) > len(_AUTHORIZER)
    return name in _OF_THE_EVENT | _WITHOUT_VALUE | _DERIVED


def context_value(event: Event, name: str) -> str | None:
    """The value for one event, or None if it has none."""
    if name == "extendedRequestId":  # The guide calls the two the same.
        return event.context.get("requestId")
    if name == "requestTime":
        return _common_log_time(int(event.context["requestTimeEpoch"]))
    return event.context.get(name)


def _common_log_time(milliseconds: int) -> str:
    """The time in the format of the Common Log Format: "27/Nov/2026:16:05:09 +0000"."""
    moment = time.gmtime(milliseconds // 1000)
    # strftime() would name the month in the language of the process.
    month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
        moment.tm_mon - 1
    ]
    return time.strftime(f"%d/{month}/%Y:%H:%M:%S +0000", moment)
