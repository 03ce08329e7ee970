"""Clearing of sessions that are over, in batches. Knows the database, not AWS."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Callable

from django.db import transaction
from django.utils import timezone

from ..models import WebSocketSession, WebSocketSessionQuerySet
from ..models.broadcasts import CONNECTION_LIFETIME
from ..models.endings import end
from ..models.locking import unlocked
from ..sending import BATCH_SIZE
from ..signals import EXPIRED

#: A connection begins up to half a minute after its row, and another clock may have written that.
LEEWAY = timedelta(minutes=10)

#: Without USE_TZ the row has local time, which goes forward by an hour in spring.
DST_SHIFT = timedelta(hours=1)


def expired() -> WebSocketSessionQuerySet:
    """Return the sessions that count as connected, but are older than a connection can be."""
    now = timezone.now()
    shift = DST_SHIFT if timezone.is_naive(now) else timedelta()
    oldest = now - CONNECTION_LIFETIME - LEEWAY - shift
    return _sessions().filter(connected=True, created_on__lt=oldest)


def closed() -> WebSocketSessionQuerySet:
    """Return the sessions whose connection is known to have ended."""
    return _sessions().filter(connected=False)


def close_expired() -> int:
    """Mark the expired sessions as closed; return how many. AWS is not called: they are gone."""
    return _in_batches(expired(), partial(end, reason=EXPIRED))


def delete_closed() -> int:
    """Delete the closed sessions; return how many.

    Django sends the project's signals and follows its cascades, as with any delete().
    """
    return _in_batches(closed(), _delete)


def _sessions() -> WebSocketSessionQuerySet:
    return WebSocketSession.objects.on_primary()


def _delete(rows: WebSocketSessionQuerySet) -> int:
    _, by_model = rows.delete()
    return by_model.get(WebSocketSession._meta.label, 0)


def _in_batches(
    rows: WebSocketSessionQuerySet, write: Callable[[WebSocketSessionQuerySet], int]
) -> int:
    """Write to these rows, each batch in a transaction of its own; return how many.

    A row to which somebody else is writing at the moment is left for the next run.
    """
    ordered = rows.order_by("pk").values_list("pk", flat=True)
    written, keys = 0, list(ordered[:BATCH_SIZE])
    while keys:
        with transaction.atomic(rows.db):
            for free in unlocked(rows, keys):
                # ``rows`` is filtered, since a row may no longer meet its conditions.
                written += write(rows.filter(pk__in=free))
        keys = list(ordered.filter(pk__gt=keys[-1])[:BATCH_SIZE])
    return written
