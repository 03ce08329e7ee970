"""Calls that are refused, and how AWS says so."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

BAD = ("BadRequestException", 400)
MISSING = ("NotFoundException", 404)
CONFLICT = ("ConflictException", 409)

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=x, Signature=y"}
CERTIFICATE = "arn:aws:acm:eu-west-1:1:certificate/1"
WEBSOCKET = {
    "Name": "test",
    "ProtocolType": "WEBSOCKET",
    "RouteSelectionExpression": "$request.body.action",
}


def refusal(call, **parameters):
    """The error type and status that a call is answered with, as in BAD and MISSING."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Message"]
    return code_and_status(error)


def code_and_status(error):
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def items(page):
    return page["Items"]
