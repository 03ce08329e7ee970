"""Endings of sessions: rows are marked as closed, and those who listen are told."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction
from django.db.models import F, Q
from django.db.models.signals import ModelSignal, post_save, pre_save
from django.utils import timezone

from ..signals import GONE, session_closed
from .querysets import PrimaryQuerySet

#: The conditions of sessions to which messages are sent, and of those that may still speak: AWS
#: has been seen to call a living connection gone.
CONNECTED = Q(connected=True)
MAY_SPEAK = CONNECTED | Q(gone_on__isnull=False)


def end(sessions: PrimaryQuerySet[Any], reason: str) -> int:
    """Mark these sessions as closed, as far as they are not; return how many there were.

    It is one UPDATE where nobody listens. Otherwise each row has its own, whose count tells which
    process ends the session. ``reason`` is one of ``signals.REASONS``. Those that AWS has called
    gone end for good, unless that is the reason.
    """
    rows = sessions.on_primary().filter(CONNECTED if reason == GONE else MAY_SPEAK)
    if not (has_close_listeners(rows.model) or has_save_listeners(rows.model)):
        return rows.update(**ending(reason))
    with transaction.atomic(rows.db):
        ended = [session for session in rows.order_by("pk") if mark_closed(session, reason)]
        if reason != GONE:  # Those that were gone have been told of, and end without a word.
            rows.filter(connected=False).update(gone_on=None)
    for session in ended:
        send_save(post_save, session)
        send_closed(session, reason)
    return len(ended)


def bring_back(session: Any) -> bool:
    """Mark a session as connected that is marked as gone; return False if it is not any more.

    It is one conditional UPDATE, which counts the message that has proved AWS wrong.
    """
    columns = {"connected": True, "gone_on": None, "updated_on": timezone.now()}
    rows = type(session)._base_manager.using(_database_of(session))
    gone = rows.filter(pk=session.pk, connected=False, gone_on__isnull=False)
    is_back = bool(gone.update(request_count=F("request_count") + 1, **columns))
    if is_back:
        session.mark_saved(request_count=session.request_count + 1, **columns)
    return is_back


def ending(reason: str) -> dict[str, Any]:
    """Return the columns of a session that ends for this reason."""
    now = timezone.now()
    return {"connected": False, "updated_on": now, "gone_on": now if reason == GONE else None}


def mark_closed(session: Any, reason: str) -> bool:
    """Mark one session as closed; return False if it was, so that each ending is told once."""
    columns = ending(reason)
    session.mark_saved(**columns)
    send_save(pre_save, session)
    rows = type(session)._base_manager.using(_database_of(session))
    return bool(rows.filter(pk=session.pk, connected=True).update(**columns))


def has_close_listeners(model: Any) -> bool:
    """True if somebody listens to session_closed."""
    return session_closed.has_listeners(_sender(model))


def has_save_listeners(model: Any) -> bool:
    """True if somebody listens to the signals of save(), which an UPDATE does not send."""
    return post_save.has_listeners(model) or pre_save.has_listeners(model)


def send_save(signal: ModelSignal, session: Any) -> None:
    """Send pre_save or post_save for a session that an UPDATE writes, as save() would.

    What a receiver of pre_save changes is not written.
    """
    options: Any = {"raw": False, "using": _database_of(session), "update_fields": None}
    if signal is post_save:
        options["created"] = False
    signal.send(sender=type(session), instance=session, **options)


def send_closed(session: Any, reason: str) -> None:
    """Send session_closed. What a receiver raises is logged by Django and stops nothing."""
    session_closed.send_robust(sender=_sender(type(session)), session=session, reason=reason)


def _database_of(session: Any) -> str:
    return router.db_for_write(type(session), instance=session)


def _sender(model: Any) -> Any:
    """Return the model of the table: a receiver for it hears of its proxies' sessions, too."""
    return model._meta.concrete_model
