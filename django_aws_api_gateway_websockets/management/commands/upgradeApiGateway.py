"""upgradeApiGateway upgrades created gateways in AWS to what this version makes of one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_aws_api_gateway_websockets.exceptions import WebSocketError
from django_aws_api_gateway_websockets.management.base import find_gateway
from django_aws_api_gateway_websockets.models import ApiGateway


class Command(BaseCommand):
    help = (
        "Upgrade the API of one created gateway, or of all, to what this version makes: "
        "the proof of where events come from, the mapped headers, the routes, the throttles."
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
        for gateway in self.chosen(options):
            # A gateway that fails must not keep the others from being upgraded.
            try:
                work(gateway)
            except WebSocketError as error:
                failures.append(f"{gateway}: {error}")
        if failures:
            raise CommandError("\n".join(failures))

    def chosen(self, options: dict[str, Any]) -> list[ApiGateway]:
        if not options["all"]:
            return [find_gateway(options["pk"])]
        created = list(ApiGateway.objects.filter(api_created=True).order_by("pk"))
        if not created:
            raise CommandError("No gateway has been created.")
        return created

    def upgrade(self, gateway: ApiGateway) -> None:
        gateway.upgrade_gateway()
        self.stdout.write(self.style.SUCCESS(f"API Gateway upgraded: {gateway.api_name}"))

    def show_calls(self, gateway: ApiGateway) -> None:
        for call in gateway.upgrade_gateway(dry_run=True):
            self.stdout.write(f"{gateway.api_name}: {call}")
