"""Broadcasts as tasks of Django's own framework, or of its backport to older releases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Mapping

from django.utils import timezone

from ..conf import conf
from ..models import BroadcastChunk
from .worker import deliver

try:
    from django.tasks import task
except ImportError:  # before Django 6.0
    from django_tasks import task  # type: ignore[no-redef]

#: Seconds beyond the lease after which a task looks whether the one before it has died.
MARGIN = 1


class DjangoBackend:
    """WEBSOCKETS["task_backend"] = "django". Derive from it to choose the backend or the queue."""

    #: What ``Task.using()`` is given: {"backend": "slow", "queue_name": "broadcasts"}.
    options: Mapping[str, Any] = {}

    def enqueue(self, chunk: int) -> None:
        deliver_chunk.using(**self.options).enqueue(chunk)


@task(takes_context=True)
def deliver_chunk(context: Any, chunk: int) -> None:
    """Deliver a chunk, having first left a task that does it if this worker is killed.

    No backend promises to run a task of a killed worker again, and the database backend does not.
    """
    if not BroadcastChunk.objects.pending().filter(pk=chunk).exists():
        return
    this = context.task_result.task
    if this.get_backend().supports_defer:
        later = timezone.now() + timedelta(seconds=conf.task_lease + MARGIN)
        this.using(run_after=later).enqueue(chunk)
    deliver(chunk)
