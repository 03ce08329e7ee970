"""clearWebSocketSessions deletes the sessions of connections that are over, and old broadcasts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import pluralize

from django_aws_api_gateway_websockets.management import clearing
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.models.broadcasts import Broadcast

# With the imported names of 1.1.1's module, which projects import from here.
__all__ = ["BaseCommand", "Command", "WebSocketSession"]


class Command(BaseCommand):
    help = (
        "Close the sessions that are older than API Gateway lets a connection become, and delete "
        "those that are closed, with old broadcasts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be done, and change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            expired = clearing.expired().count()
            deleted = expired + clearing.closed().count()
            self.say("Would close", expired, "delete", deleted, Broadcast.objects.old().count())
        else:
            closed, deleted = clearing.close_expired(), clearing.delete_closed()
            self.say("Closed", closed, "deleted", deleted, Broadcast.objects.forget_old())

    def say(self, closed: str, expired: int, deleted: str, over: int, broadcasts: int) -> None:
        self.stdout.write(
            self.style.SUCCESS(
                f"{closed} {expired} expired session{pluralize(expired)}, "
                f"{deleted} {over} closed session{pluralize(over)} "
                f"and {broadcasts} old broadcast{pluralize(broadcasts)}."
            )
        )
