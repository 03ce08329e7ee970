"""Celery backend: broadcasts as tasks of Celery."""

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
    # The broker delivers a task again whose worker has been killed.
    acks_late=True,
    reject_on_worker_lost=True,
    # A task that fails is retried for about seven minutes. No wait is longer than a minute: after
    # its visibility timeout, a broker would deliver the waiting task a second time.
    autoretry_for=(Exception,),
    retry_backoff=5,
    retry_backoff_max=60,
    max_retries=10,
)
def deliver_chunk(self: Any, chunk: int) -> None:
    """Deliver a chunk; if another worker has it, retry when that worker's claim expires."""
    seconds = deliver(chunk)
    if seconds is not None and not self.request.is_eager:
        raise self.retry(countdown=seconds)
