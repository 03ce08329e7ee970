"""upgradeApiGateway upgrades created gateways in AWS to what this version makes of one."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_aws_api_gateway_websockets.exceptions import WebSocketError
from django_aws_api_gateway_websockets.management.base import find_gateway, write_notices
from django_aws_api_gateway_websockets.models import ApiGateway

#: The status of a dry run that has found something to do.
CHANGES_FOUND = 2


class Command(BaseCommand):
    help = (
        "Upgrade the API of one created gateway, or of all, to what this version makes: "
        "the proof of where events come from, the mapped headers, the routes, the throttles, the "
        "domain's certificate. A dry run ends with the status 2 if there is something to do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--pk", type=int, help="The gateway's primary key.")
        which.add_argument("--all", action="store_true", help="All created gateways.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be changed in AWS, and stop."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        work = self.show_calls if options["dry_run"] else self.upgrade
        failures = []
        found = 0
        for gateway in self.chosen(options):
            # A gateway that fails must not keep the others from being upgraded.
            try:
                found += work(gateway)
            except WebSocketError as error:
                failures.append(f"{gateway}: {error}")
        if failures:
            raise CommandError("\n".join(failures))
        if found:
            sys.exit(CHANGES_FOUND)

    def chosen(self, options: dict[str, Any]) -> list[ApiGateway]:
        if not options["all"]:
            return [find_gateway(options["pk"])]
        created = list(ApiGateway.objects.filter(api_created=True).order_by("pk"))
        if not created:
            raise CommandError("No gateway has been created.")
        return created

    def upgrade(self, gateway: ApiGateway) -> int:
        gateway.upgrade_gateway()
        write_notices(self, gateway)
        self.stdout.write(self.style.SUCCESS(f"API Gateway upgraded: {gateway.api_name}"))
        return 0

    def show_calls(self, gateway: ApiGateway) -> int:
        """Print the calls that an upgrade would make; return how many."""
        calls = gateway.upgrade_gateway(dry_run=True)
        for call in calls or ["nothing to do"]:
            self.stdout.write(f"{gateway.api_name}: {call}")
        return len(calls)
