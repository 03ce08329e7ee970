"""Broadcasts: messages that task workers send, their recipients, and how many are done."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from secrets import token_urlsafe
from typing import Any, Optional, Protocol, Sequence

from django.core.exceptions import ImproperlyConfigured
from django.db import models, router, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.module_loading import import_string

from ..conf import conf
from ..exceptions import ConfigurationError
from ..sending import Report
from .locking import reconnected
from .querysets import PrimaryQuerySet

#: The most recipients of a chunk, which is the work of one task.
CHUNK_SIZE = 1000

#: API Gateway ends every connection after two hours, so an older broadcast reaches nobody.
CONNECTION_LIFETIME = timedelta(hours=2)

#: What WEBSOCKETS["task_backend"] may say instead of a dotted path.
TASK_BACKENDS = {
    "celery": "django_aws_api_gateway_websockets.broadcasts.celery.CeleryBackend",
    "django": "django_aws_api_gateway_websockets.broadcasts.django.DjangoBackend",
}


class TaskBackend(Protocol):
    """Puts tasks into a queue; WEBSOCKETS["task_backend"] names the class."""

    def enqueue(self, chunk: int) -> None:
        """Have a worker call ``broadcasts.worker.deliver(chunk)`` soon.

        The function may be called several times, even at the same time. It returns None, or the
        seconds after which it has to be called again.
        """
        ...


def task_backend() -> TaskBackend:
    """Return a new task backend, of the class that the settings name.

    Raises ConfigurationError if they name none, or one that cannot be used here.
    """
    name = conf.task_backend
    if name is None:
        raise ConfigurationError('Set WEBSOCKETS["task_backend"], to "celery" or "django".')
    try:
        backend: TaskBackend = import_string(TASK_BACKENDS.get(name, name))()
    except (ImportError, ImproperlyConfigured, TypeError, ValueError, AttributeError) as error:
        text = f'WEBSOCKETS["task_backend"] is {name!r}, which cannot be used: {error}.'
        raise ConfigurationError(text) from error
    return backend


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    """Broadcasts: how they start, and how old ones are deleted."""

    def start(self, message: str, keys: Sequence[int], at_most_once: bool) -> Broadcast:
        """Record a message for the sessions of these keys; enqueue its chunks on commit."""
        database = router.db_for_write(self.model)
        parts = (keys[start : start + CHUNK_SIZE] for start in range(0, len(keys), CHUNK_SIZE))
        with transaction.atomic(using=database):
            broadcast = self.using(database).create(
                message=message, size=len(keys), at_most_once=at_most_once
            )
            chunks = [BroadcastChunk(broadcast=broadcast, recipients=part) for part in parts]
            BroadcastChunk.objects.using(database).bulk_create(chunks, batch_size=100)
            transaction.on_commit(broadcast.resume, using=database)
        return broadcast

    def old(self) -> BroadcastQuerySet:
        """Return the broadcasts that are older than any connection: they can reach nobody."""
        return self.filter(created_on__lte=timezone.now() - CONNECTION_LIFETIME)

    def forget_old(self) -> int:
        """Delete the broadcasts of this queryset that are two hours old; return how many."""
        _, deleted = self.old().only("pk").delete()
        return deleted.get(self.model._meta.label, 0)

    forget_old.alters_data = True  # type: ignore[attr-defined]


class Broadcast(models.Model):
    """One message to many, sent chunk by chunk."""

    #: The frame. PostgreSQL stores no NUL: JSON has it escaped, and ``broadcast_text`` refuses it.
    #: A JSONField would refuse the escaped one, too.
    message = models.TextField()
    #: How many recipients it is for.
    size = models.PositiveIntegerField()
    at_most_once = models.BooleanField(default=False)
    created_on = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        verbose_name = "broadcast"

    def __str__(self) -> str:
        return f"Broadcast {self.pk}"

    @property
    def is_finished(self) -> bool:
        """True if there is nothing left to do, whether recipients were reached or not."""
        return not self.chunks.on_primary().filter(finished_on=None).exists()

    @property
    def reached(self) -> int:
        """How many recipients are recorded as done: sent to, gone or failed."""
        return self._sum("reached")["reached"]

    @property
    def report(self) -> Report:
        """What became of the recipients that are done so far.

        With ``at_most_once`` it may count fewer than ``reached``: if a worker died, nobody knows
        whom it had just sent to.
        """
        failed = self.chunks.on_primary().filter(failed__gt=0)
        reasons: Counter[str] = Counter()
        for counts in failed.values_list("reasons", flat=True):
            reasons.update(counts)
        return Report(**self._sum("sent", "gone", "failed"), reasons=reasons)

    def resume(self) -> int:
        """Enqueue the unfinished chunks that no worker has; return how many.

        To call it too often does no harm. Raises ConfigurationError if there is no task backend.
        """
        return self.chunks.enqueue()

    resume.alters_data = True  # type: ignore[attr-defined]

    def _sum(self, *names: str) -> dict[str, int]:
        sums = self.chunks.on_primary().aggregate(**{name: Sum(name) for name in names})
        return {name: count or 0 for name, count in sums.items()}


class BroadcastChunkQuerySet(PrimaryQuerySet["BroadcastChunk"]):
    """Chunks of broadcasts, chosen by what is left to do."""

    def pending(self) -> BroadcastChunkQuerySet:
        """Return the chunks that are not finished, whether a worker has them or not.

        Those of old broadcasts are left out.
        """
        oldest = timezone.now() - CONNECTION_LIFETIME
        return self.on_primary().filter(finished_on=None, broadcast__created_on__gt=oldest)

    def unclaimed(self) -> BroadcastChunkQuerySet:
        """Return the chunks that no living worker has."""
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lte=timezone.now()))

    def enqueue(self) -> int:
        """Enqueue the chunks that are pending and unclaimed; return how many."""
        backend = task_backend()
        keys = list(self.pending().unclaimed().order_by("pk").values_list("pk", flat=True))
        for key in keys:
            backend.enqueue(key)
        return len(keys)

    enqueue.alters_data = True  # type: ignore[attr-defined]


class BroadcastChunk(models.Model):
    """Some of a broadcast's recipients. One worker at a time has the claim to send to them."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="chunks")
    #: The primary keys of the sessions, in order.
    recipients = models.JSONField()
    #: How many recipients, counted from the first, are done. They are never sent to again.
    reached = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    finished_on = models.DateTimeField(null=True)
    #: The worker that has the claim, and until when. An expired claim is a dead worker's.
    claimed_by = models.CharField(max_length=32, null=True)  # noqa: DJ001
    claimed_until = models.DateTimeField(null=True)

    objects = BroadcastChunkQuerySet.as_manager()

    class Meta:
        verbose_name = "chunk of a broadcast"

    def __str__(self) -> str:
        return f"Chunk {self.pk} of broadcast {self.broadcast_id}"

    @property
    def seconds_left(self) -> Optional[float]:
        """Seconds until another worker's claim expires, at least 1; None for a finished chunk."""
        if self.finished_on:
            return None
        until = self.claimed_until or timezone.now()
        return max((until - timezone.now()).total_seconds(), 1)

    def claim(self) -> bool:
        """Claim the chunk for this worker and read its progress; False if another one has it.

        It is one UPDATE, so of many workers at the same time one succeeds. Its conditions are on
        this row alone, because with a join databases read first and write afterwards.
        """
        worker = token_urlsafe(16)
        free = self._row().filter(finished_on=None).unclaimed()
        free.update(claimed_by=worker, claimed_until=lease())
        progress = ["reached", "sent", "gone", "failed", "reasons", "finished_on"]
        self.refresh_from_db(
            using=router.db_for_write(type(self)),
            fields=[*progress, "claimed_by", "claimed_until"],
        )
        return self.claimed_by == worker

    def write_if_claimed(self, **columns: Any) -> bool:
        """Write these columns and renew the claim, unless another worker has taken it."""
        mine = self._row().filter(claimed_by=self.claimed_by)
        write = partial(mine.update, claimed_until=lease(), **columns)
        return reconnected(mine.db, write) == 1

    def record(self, end: int, report: Report) -> bool:
        """Record the recipients up to ``end``, as ``write_if_claimed`` does."""
        self.gone += end - self.reached - report.sent - report.failed
        self.sent += report.sent
        self.failed += report.failed
        self.reasons = dict(Counter(self.reasons) + report.reasons)
        self.reached = end
        names = ("reached", "sent", "gone", "failed", "reasons")
        return self.write_if_claimed(**{name: getattr(self, name) for name in names})

    def finish(self) -> None:
        """Record that nothing is left to do."""
        self.write_if_claimed(finished_on=timezone.now())

    def release(self) -> None:
        """Give up the claim, if this worker still has it."""
        mine = self._row().filter(claimed_by=self.claimed_by)
        reconnected(mine.db, partial(mine.update, claimed_by=None, claimed_until=None))

    def _row(self) -> BroadcastChunkQuerySet:
        return type(self).objects.on_primary().filter(pk=self.pk)


def lease() -> datetime:
    """Return when a claim expires that is made or renewed now."""
    return timezone.now() + timedelta(seconds=conf.task_lease)
