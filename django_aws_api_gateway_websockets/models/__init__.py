"""Models: gateways and their routes, sessions, tickets and broadcasts."""

from __future__ import annotations

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
    "WebSocketSession",
    "WebSocketSessionQuerySet",
    "WebSocketTicket",
    "get_boto3_client",
]
