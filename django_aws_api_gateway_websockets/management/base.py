"""Base of the commands that provision a gateway."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_aws_api_gateway_websockets.exceptions import WebSocketError
from django_aws_api_gateway_websockets.models import ApiGateway


def find_gateway(pk: int) -> ApiGateway:
    """Return the gateway of that primary key; raise CommandError if there is none."""
    gateway = ApiGateway.objects.filter(pk=pk).first()
    if gateway is None:
        raise CommandError(f"There is no gateway with the primary key {pk}.")
    return gateway


def write_notices(command: BaseCommand, gateway: ApiGateway) -> None:
    """Print what somebody should know of the gateway's latest attempt."""
    for notice in gateway.notices:
        command.stderr.write(command.style.WARNING(f"{gateway}: {notice}"))


class ProvisioningCommand(BaseCommand):
    """Calls one method of the gateway that ``--pk`` names."""

    #: The name of the method.
    verb: str
    #: The text that is printed afterwards, with ``{0}`` for the gateway.
    success: str
    #: The gateway's property that says why there is nothing to do, unless AWS has something else.
    refusal: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pk", type=int, required=True, help="The gateway's primary key.")

    def handle(self, *args: Any, pk: int, **options: Any) -> None:
        gateway = find_gateway(pk)
        refusal = getattr(gateway, self.refusal)
        try:
            getattr(gateway, self.verb)()
        except WebSocketError as error:
            raise CommandError(str(error)) from error
        if refusal and not gateway.has_written:
            raise CommandError(refusal)
        write_notices(self, gateway)
        self.stdout.write(self.style.SUCCESS(self.success.format(gateway)))
