"""Django backend: broadcasts as tasks of Django, or of the backport for older releases."""

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

#: Seconds after the end of the lease when a second task looks whether the first one has died.
MARGIN = 1


class DjangoBackend:
    """WEBSOCKETS["task_backend"] = "django". Derive from it to choose the backend or the queue."""

    #: What ``Task.using()`` is given: {"backend": "slow", "queue_name": "broadcasts"}.
    options: Mapping[str, Any] = {}

    def enqueue(self, chunk: int) -> None:
        deliver_chunk.using(**self.options).enqueue(chunk)


@task(takes_context=True)
def deliver_chunk(context: Any, chunk: int) -> None:
    """Deliver a chunk. Before that, enqueue a later task, which does it if this worker is killed.

    No backend promises to run the task of a killed worker again, and the database backend does
    not.
    """
    if not BroadcastChunk.objects.pending().filter(pk=chunk).exists():
        return
    current = context.task_result.task
    if current.get_backend().supports_defer:
        later = timezone.now() + timedelta(seconds=conf.task_lease + MARGIN)
        current.using(run_after=later).enqueue(chunk)
    deliver(chunk)
