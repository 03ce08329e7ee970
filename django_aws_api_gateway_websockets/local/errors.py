"""Errors that the local gateway answers with, in AWS's shape. Knows no transport.

GatewayError                    400 BadRequestException and so on, for the caller
|-- BadRequest
|-- Forbidden
|   |-- TokenMissing
|   `-- HostForeign
|-- NotFound
|-- Conflict
|-- Gone
|-- PayloadTooLarge
|-- LimitExceeded
|-- UnsupportedOperation
|-- StateNotKept
`-- InjectedFault
StateFileInvalid                for whoever starts the gateway
StateFileInUse
"""

from __future__ import annotations

import json

from django_aws_api_gateway_websockets.exceptions import ConfigurationError, WebSocketError


class GatewayError(WebSocketError):
    """An answer that is no success: its status, its x-amzn-ErrorType and its message."""

    status = 500
    error_type = "InternalServerException"

    @property
    def body(self) -> bytes:
        """The JSON that AWS sends beside the header."""
        return json.dumps({"message": str(self)}).encode()


class BadRequest(GatewayError):
    status = 400
    error_type = "BadRequestException"


class Forbidden(GatewayError):
    status = 403
    error_type = "ForbiddenException"

    def __init__(self, message: str = "Forbidden") -> None:
        super().__init__(message)


class TokenMissing(Forbidden):
    """The request bears no signature of version 4."""

    error_type = "MissingAuthenticationTokenException"

    def __init__(self) -> None:
        super().__init__("Missing Authentication Token")


class HostForeign(Forbidden):
    """The request came by a host name that is not this machine's: a web page may have sent it."""

    def __init__(self, host: str) -> None:
        text = "is no name of this gateway. Use 127.0.0.1, localhost, or the name that it is told."
        super().__init__(f"{host[:80]!r} {text}")


class NotFound(GatewayError):
    status = 404
    error_type = "NotFoundException"


class Conflict(GatewayError):
    status = 409
    error_type = "ConflictException"


class Gone(GatewayError):
    """The connection is closed, never existed, or its $connect has not returned yet."""

    status = 410
    error_type = "GoneException"

    def __init__(self) -> None:
        super().__init__("Gone")


class PayloadTooLarge(GatewayError):
    status = 413
    error_type = "PayloadTooLargeException"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The message is over {limit} bytes.")


class LimitExceeded(GatewayError):
    """The client does not read what it is sent."""

    status = 429
    error_type = "LimitExceededException"


class UnsupportedOperation(GatewayError):
    """AWS has this operation, and the local gateway has not."""

    # botocore would retry a 500, but not a 501.
    status = 501
    error_type = "NotImplementedException"


class InjectedFault(GatewayError):
    """An answer that a test asked for with LocalGateway.inject()."""

    def __init__(self, status: int, error_type: str) -> None:
        super().__init__("Injected by a test")
        self.status = status
        self.error_type = error_type


class StateNotKept(GatewayError):
    """The state file could not be written, so the change has not happened."""


class StateFileInvalid(ConfigurationError, ValueError):
    """The state file is not one that the local gateway wrote."""


class StateFileInUse(ConfigurationError, OSError):
    """Another gateway has the state file. Each would overwrite what the other keeps."""
