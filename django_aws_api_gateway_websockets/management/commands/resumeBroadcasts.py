"""resumeBroadcasts enqueues the unfinished parts of broadcasts again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_aws_api_gateway_websockets.exceptions import ConfigurationError
from django_aws_api_gateway_websockets.models import BroadcastChunk


class Command(BaseCommand):
    help = "Enqueue again the unfinished chunks of broadcasts that no living worker has."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            enqueued = BroadcastChunk.objects.enqueue()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Enqueued {enqueued} chunks."))
