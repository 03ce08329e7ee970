"""Exceptions of the package, in one tree.

    WebSocketError
    |-- ConfigurationError            also ImproperlyConfigured
    |   `-- RegionMissing             also RuntimeError
    |-- ProvisioningError             also RuntimeError
    |   |-- GatewayNotReady           also ValueError: a field or an earlier step is missing
    |   |-- ProvisioningInProgress    another process is provisioning it
    |   |-- AwsCallFailed             also botocore's error: AWS refused, or was not reached
    |   `-- DeploymentFailed          AWS has the routes, but could not deploy them
    |-- MessageError                  nothing was sent
    |   |-- MessageNotSerializable    also TypeError and ValueError
    |   `-- MessageTooLarge           also ValueError
    `-- RequestRefused                a request to the view, answered with a 4xx
        |-- HeadersMissing
        |-- UserAgentUnexpected
        |-- RouteSelectionKeyMissing
        |-- SourceUnproved            nothing proves that it comes from API Gateway
        |   `-- ConnectionUnknown     it does, but not from a known connection
        |-- AccessDenied              403: the user may not do this
        |   `-- TicketInvalid
        |-- DuplicateConnection       409
        |-- BodyTooLarge              413
        `-- RateExceeded              429

Where callers already catch a built-in exception, ours inherits it.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured


class WebSocketError(Exception):
    """The root of the tree."""


class ConfigurationError(WebSocketError, ImproperlyConfigured):
    """A setting is missing or invalid, or contradicts another."""


class RegionMissing(ConfigurationError, RuntimeError):
    """No AWS region is known."""


class ProvisioningError(WebSocketError, RuntimeError):
    """A gateway could not be brought to the wanted state in AWS."""


class GatewayNotReady(ProvisioningError, ValueError):
    """The gateway lacks a field, or an earlier step, that this one needs."""


class ProvisioningInProgress(ProvisioningError):
    """Another process is provisioning this gateway at the moment."""


class AwsCallFailed(ProvisioningError):
    """AWS refused a call or could not be reached; the cause is chained.

    What is raised is an instance of the cause's class, too: of botocore's ClientError, for one.
    """


class DeploymentFailed(ProvisioningError):
    """AWS has the routes, but could not deploy them."""


class MessageError(WebSocketError):
    """A message cannot be sent to anybody; nothing was sent."""


class MessageNotSerializable(MessageError, TypeError, ValueError):
    """The message has no JSON form (an unknown type, NaN, an infinity), or a text cannot be sent.

    An empty text cannot, nor half a surrogate pair, nor what is no text.
    """


class MessageTooLarge(MessageError, ValueError):
    """The message is over API Gateway's 128 KiB."""


class RequestRefused(WebSocketError):
    """A request to the view is refused; the text is the body of the answer.

    The text must tell a stranger nothing about the site. What the operator should know goes into
    ``reason``, which is only logged.
    """

    status_code = 400

    def __init__(self, text: str = "", *, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


class HeadersMissing(RequestRefused):
    """A header that API Gateway always sends is absent or empty."""


class UserAgentUnexpected(RequestRefused):
    """The User-Agent is not that of API Gateway."""


class RouteSelectionKeyMissing(RequestRefused):
    """The message does not say which handler it is for."""


class SourceUnproved(RequestRefused):
    """The gateway of an event is not known, or the event lacks the proof that it is the sender.

    The answer is the same in both cases.
    """


class ConnectionUnknown(SourceUnproved):
    """The connection of a message is not known, or is of another gateway than the message."""


class AccessDenied(RequestRefused):
    """The user may not connect, or may not do this."""

    status_code = 403


class TicketInvalid(AccessDenied):
    """The ticket of a $connect is unknown, expired, used, or of a login that has ended."""


class DuplicateConnection(RequestRefused):
    """A $connect has a connection id that is already in use."""

    status_code = 409


class BodyTooLarge(RequestRefused):
    """The message is over API Gateway's 128 KiB."""

    status_code = 413


class RateExceeded(RequestRefused):
    """One client does this too often; it may try again in ``retry_after`` seconds."""

    status_code = 429

    def __init__(self, text: str, *, retry_after: int, reason: str = "") -> None:
        super().__init__(text, reason=reason)
        self.retry_after = retry_after
