"""Broadcasts as tasks of Celery."""

from __future__ import annotations

from typing import Any

from celery import shared_task  # type: ignore[import-untyped]

from .worker import deliver


class CeleryBackend:
    """WEBSOCKETS["task_backend"] = "celery"."""

    def enqueue(self, chunk: int) -> None:
        deliver_chunk.delay(chunk)


@shared_task(  # type: ignore[untyped-decorator]
    name="django_aws_api_gateway_websockets.deliver_chunk",
    bind=True,
    ignore_result=True,
    # A message whose worker has been killed comes back.
    acks_late=True,
    reject_on_worker_lost=True,
    # What fails is tried again for about seven minutes. No wait is longer than a minute, so that
    # it never outlasts the visibility timeout of a broker, which would multiply the message.
    autoretry_for=(Exception,),
    retry_backoff=5,
    retry_backoff_max=60,
    max_retries=10,
)
def deliver_chunk(self: Any, chunk: int) -> None:
    """Deliver a chunk; while another worker is at it, come back when that may have died."""
    seconds = deliver(chunk)
    if seconds is not None and not self.request.is_eager:
        raise self.retry(countdown=seconds)
