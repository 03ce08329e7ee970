"""Every error of the package, in one tree.

    WebSocketError
    |-- ConfigurationError            also ImproperlyConfigured
    |   `-- RegionMissing             also RuntimeError
    |-- ProvisioningError             also RuntimeError
    |   |-- GatewayNotReady           also ValueError: a field or an earlier step is missing
    |   |-- ProvisioningInProgress    another process is at it
    |   `-- AwsCallFailed             AWS refused, or could not be reached
    |-- MessageError                  nothing was sent
    |   |-- MessageNotSerializable    also TypeError and ValueError
    |   `-- MessageTooLarge           also ValueError
    `-- RequestRefused                a request to the view, answered with a 4xx
        |-- HeadersMissing
        |-- UserAgentUnexpected
        |-- RouteSelectionKeyMissing
        |-- DuplicateConnection       409
        `-- BodyTooLarge              413

Where callers already catch a built-in exception, ours inherits it.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured


class WebSocketError(Exception):
    """The root of the tree."""


class ConfigurationError(WebSocketError, ImproperlyConfigured):
    """A setting is missing or contradicts another."""


class RegionMissing(ConfigurationError, RuntimeError):
    """No AWS region is known."""


class ProvisioningError(WebSocketError, RuntimeError):
    """A gateway could not be brought to the wanted state in AWS."""


class GatewayNotReady(ProvisioningError, ValueError):
    """The gateway lacks a field, or an earlier step, that this one needs."""


class ProvisioningInProgress(ProvisioningError):
    """Another process is provisioning this gateway at the moment."""


class AwsCallFailed(ProvisioningError):
    """AWS refused a call or could not be reached; the cause is chained."""


class MessageError(WebSocketError):
    """A message cannot be sent to anybody; nothing was sent."""


class MessageNotSerializable(MessageError, TypeError, ValueError):
    """The message has no JSON form (an unknown type, NaN, an infinity)."""


class MessageTooLarge(MessageError, ValueError):
    """The message is over API Gateway's 128 KiB."""


class RequestRefused(WebSocketError):
    """A request to the view is refused; the text is the body of the answer.

    It must tell a stranger nothing about the site.
    """

    status_code = 400


class HeadersMissing(RequestRefused):
    """A header that API Gateway always sends is absent or empty."""


class UserAgentUnexpected(RequestRefused):
    """The User-Agent is not that of API Gateway."""


class RouteSelectionKeyMissing(RequestRefused):
    """The message does not say which handler it is for."""


class DuplicateConnection(RequestRefused):
    """A $connect for a connection id that somebody holds."""

    status_code = 409


class BodyTooLarge(RequestRefused):
    """The message is over API Gateway's 128 KiB."""

    status_code = 413
