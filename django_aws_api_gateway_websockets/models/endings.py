"""Endings of sessions: rows are marked as closed, and those who listen are told."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction
from django.db.models.signals import ModelSignal, post_save, pre_save
from django.utils import timezone

from ..signals import session_closed
from .querysets import PrimaryQuerySet


def end(sessions: PrimaryQuerySet[Any], reason: str) -> int:
    """Mark the connected ones of these sessions as closed; return how many they were.

    It is one UPDATE where nobody listens. Otherwise each row has its own, whose count tells which
    process ends the session. ``reason`` is one of ``signals.REASONS``.
    """
    rows = sessions.on_primary().filter(connected=True)
    if not (has_close_listeners(rows.model) or has_save_listeners(rows.model)):
        return rows.update(connected=False, updated_on=timezone.now())
    with transaction.atomic(rows.db):
        ended = [session for session in rows.order_by("pk") if mark_closed(session)]
    for session in ended:
        send_save(post_save, session)
        send_closed(session, reason)
    return len(ended)


def mark_closed(session: Any) -> bool:
    """Mark one session as closed; return False if it was, so that each ending is told once."""
    columns = {"connected": False, "updated_on": timezone.now()}
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
