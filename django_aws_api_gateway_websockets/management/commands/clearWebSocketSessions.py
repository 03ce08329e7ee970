"""Delete the sessions of connections that are over."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import pluralize

from django_aws_api_gateway_websockets import clearing


class Command(BaseCommand):
    help = (
        "Close the sessions that are older than API Gateway lets a connection become, and delete "
        "those that are closed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be done, and change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            expired = clearing.expired().count()
            self.say("Would close", expired, "delete", expired + clearing.closed().count())
        else:
            closed = clearing.close_expired()
            self.say("Closed", closed, "deleted", clearing.delete_closed())

    def say(self, closed: str, expired: int, deleted: str, over: int) -> None:
        self.stdout.write(
            self.style.SUCCESS(
                f"{closed} {expired} expired session{pluralize(expired)}, "
                f"{deleted} {over} closed session{pluralize(over)}."
            )
        )
