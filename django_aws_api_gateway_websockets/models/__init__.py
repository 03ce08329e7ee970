"""Models: gateways and their routes, sessions, tickets and broadcasts."""

from __future__ import annotations

import json

import boto3
from botocore.exceptions import ClientError
from django.conf import settings
from django.db import models

from .broadcasts import Broadcast, BroadcastChunk
from .gateways import ApiGateway, get_boto3_client
from .routes import ApiGatewayAdditionalRoute
from .sessions import WebSocketSession, WebSocketSessionQuerySet
from .tickets import WebSocketTicket

__all__ = [
    "ApiGateway",
    "ApiGatewayAdditionalRoute",
    "Broadcast",
    "BroadcastChunk",
    # Imported names of 1.1.1's module, which projects import or patch here.
    "ClientError",
    "WebSocketSession",
    "WebSocketSessionQuerySet",
    "WebSocketTicket",
    "boto3",
    "get_boto3_client",
    "json",
    "models",
    "settings",
]
