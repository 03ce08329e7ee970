"""Rows for tests: a call names only what the test is about."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from django.db.models import Model
from django.utils import timezone

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)

_numbers = count(1)

Row = TypeVar("Row", bound=Model)


def fresh(row: Row) -> Row:
    """The row as another process reads it."""
    return type(row)._base_manager.get(pk=row.pk)


def make_gateway(**columns: Any) -> ApiGateway:
    """A gateway that can be provisioned."""
    columns.setdefault("api_name", f"Gateway {next(_numbers)}")
    columns.setdefault("target_base_endpoint", "https://www.example.com/ws/")
    return ApiGateway.objects.create(**columns)


def make_created_gateway(**columns: Any) -> ApiGateway:
    """A gateway that looks as if it had been provisioned."""
    api_id = columns.setdefault("api_id", f"api{next(_numbers)}")
    columns.setdefault("api_endpoint", f"wss://{api_id}.execute-api.eu-west-1.amazonaws.com")
    return make_gateway(api_created=True, **columns)


def make_live_gateway() -> ApiGateway:
    """A gateway that has been provisioned, in the local gateway of the test."""
    gateway = make_gateway()
    gateway.create_gateway()
    return gateway


def make_route(gateway: ApiGateway, **columns: Any) -> ApiGatewayAdditionalRoute:
    columns.setdefault("route_key", f"action{next(_numbers)}")
    columns.setdefault("name", columns["route_key"])
    columns.setdefault("integration_url", f"https://www.example.com/ws/{columns['route_key']}")
    return ApiGatewayAdditionalRoute.objects.create(api_gateway=gateway, **columns)


def make_session(gateway: Any = None, *, age: float = 3600, **columns: Any) -> WebSocketSession:
    """A session that connected ``age`` seconds ago."""
    columns.setdefault("connection_id", f"connection{next(_numbers)}=")
    session = WebSocketSession.objects.create(api_gateway=gateway, **columns)
    started = timezone.now() - timedelta(seconds=age)
    WebSocketSession.objects.filter(pk=session.pk).update(created_on=started)
    session.refresh_from_db()
    return session


def make_many(gateway: Any, count: int, first: int = 0, **columns: Any) -> None:
    """So many sessions that have connected just now, with numbers for connection ids."""
    WebSocketSession.objects.bulk_create(
        WebSocketSession(connection_id=f"{number}", api_gateway=gateway, **columns)
        for number in range(first, first + count)
    )
