"""adoptLaterRelease makes a database of releases 3.0 to 4.1.0 one of this release."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, Error, connections

from django_aws_api_gateway_websockets.adoption import later, losses
from django_aws_api_gateway_websockets.adoption.adopting import Adoption
from django_aws_api_gateway_websockets.adoption.tables import APP

AFTERWARDS = (
    "Next: migrate, check --deploy, upgradeApiGateway --all, and remove_stale_contenttypes."
)


class Command(BaseCommand):
    help = (
        "Make a database of release 3.x or 4.x one of this release: drop its tables and columns, "
        "keep what this release can use, and apply this release's migrations."
    )
    # The settings may still be those of 4.x, which are errors.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="The database's alias.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be done, and change nothing."
        )
        parser.add_argument(
            "--drop-channel-permissions",
            action="store_true",
            help="Go on although channels have permissions, which this release has not.",
        )

    def handle(self, *args: Any, database: str, **options: Any) -> None:
        refuse_dependents()
        connection = connections[database]
        adoption = Adoption(connection)
        if not adoption.is_needed:
            self.stdout.write(self.style.SUCCESS(nothing_to_do(adoption)))
            return
        self.refuse_losses(adoption, drop=options["drop_channel_permissions"])
        changes, unknown = list(adoption.changes()), adoption.unknown_apis()
        if not options["dry_run"]:
            run(adoption)
        for change in changes:
            verb = change.planned if options["dry_run"] else change.done
            self.stdout.write(f"{verb} {change.what}.")
        for name in unknown:
            self.stdout.write(
                self.style.WARNING(
                    f"The API of {name} was being made. If AWS has it, delete it there, or enter "
                    "its API id: this release would make another one."
                )
            )
        if not options["dry_run"]:
            self.stdout.write(self.style.SUCCESS(f"Adopted. {AFTERWARDS}"))

    def refuse_losses(self, adoption: Adoption, *, drop: bool) -> None:
        """Raise CommandError if something would be lost; show what stands for the channels."""
        keys = list(losses.foreign_keys(adoption.connection, adoption.found))
        if keys:
            named = "".join(f"\n  {column} refers to {table}" for column, table in keys)
            raise CommandError(
                "Other tables have keys to tables that would be dropped. Remove these fields "
                f"first, by migrations under the release that you come from:{named}"
            )
        channels = losses.channels(adoption.connection, adoption.found)
        if not channels:
            return
        method = losses.can_join_channel(channels)
        if not drop and any(channel.access != losses.OPEN for channel in channels):
            raise CommandError(
                "Channels have permissions in the database, and would be open to everybody. Give "
                "your view this method, and run this again with --drop-channel-permissions:\n\n"
                f"{method}"
            )
        self.stdout.write(
            f"This method lets in whom the channels' permissions let in:\n\n{method}\n"
        )


def refuse_dependents() -> None:
    if found := later.dependents():
        named = "".join(f"\n  {migration} depends on {parent}" for migration, parent in found)
        raise CommandError(
            "Migrations of this site depend on some that only 3.x and 4.x have. "
            f"{later.HINT_FOR_DEPENDENTS}{named}"
        )


def nothing_to_do(adoption: Adoption) -> str:
    if adoption.is_over:
        return "Adopted already: nothing of release 3.x or 4.x is left."
    return "There is nothing to adopt: releases 3.x and 4.x have left nothing here. Run migrate."


def run(adoption: Adoption) -> None:
    try:
        adoption.run()
    except Error as error:
        raise CommandError(
            f"{error}. {'Nothing' if adoption.is_atomic else 'Not everything'} has been changed: "
            "run this again when that is mended."
        ) from error
    # It makes the permissions and the content types of the new models.
    call_command("migrate", APP, database=adoption.connection.alias, verbosity=0)
