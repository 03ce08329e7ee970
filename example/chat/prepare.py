"""Preparation of the demo: makes its tables, users and gateway. Called by run.py."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession

from .models import ROOMS

USERS = ("alice", "bob")
PASSWORD = "local-demo"  # noqa: S105


def make_tables() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        # With it readers do not wait for writers. The database file keeps the mode.
        cursor.execute("PRAGMA journal_mode = WAL")


def make_users() -> None:
    """Make the users that the login page names. All of them can use the admin."""
    users = get_user_model().objects
    for name in USERS:
        if not users.filter(username=name).exists():
            users.create_superuser(name, password=PASSWORD)


def make_gateway(site: str) -> ApiGateway:
    """Make the gateway in this run's local gateway. That of the last run is gone."""
    WebSocketSession.objects.all().delete()
    ApiGateway.objects.all().delete()
    gateway = ApiGateway.objects.create(
        api_name="demo", target_base_endpoint=f"{site}/ws/", default_channel_name=ROOMS[0]
    )
    # Every other action takes the route $default, whose URL ends in "default".
    gateway.additional_routes.create(
        name="Hang up", route_key="hang_up", integration_url=f"{site}/ws/hang_up"
    )
    gateway.create_gateway()
    return gateway
