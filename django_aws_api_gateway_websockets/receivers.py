"""Receivers of signals: what ends a login or deletes a gateway also closes its connections."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db.models import Q
from django.db.models.signals import post_save, pre_delete
from django.http import HttpRequest

from .models import ApiGateway, WebSocketSession, WebSocketTicket
from .models.endings import end
from .security.identity import auth_hashes, is_active, login_of
from .signals import CLOSED


def connect_signals() -> None:
    """Connect the receivers. It is called once, when the apps are ready."""
    user_logged_out.connect(close_logged_out, dispatch_uid=f"{__name__}.logged_out")
    # A receiver for all senders would keep Django from deleting rows in one statement, of every
    # model.
    for model in apps.get_models():
        if issubclass(model, get_user_model()):  # its proxies and subclasses, too
            post_save.connect(close_changed_user, sender=model, dispatch_uid=f"{__name__}.saved")
            pre_delete.connect(close_deleted_user, sender=model, dispatch_uid=f"{__name__}.gone")
        if issubclass(model, ApiGateway):
            pre_delete.connect(end_sessions, sender=model, dispatch_uid=f"{__name__}.gateway")


def close_logged_out(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Close the connections that the ending login has opened, and delete its tickets.

    The user's other logins, in other browsers, are kept.
    """
    login = login_of(request)
    if login is not None:
        ended = Q(login=login)
    elif user is not None:  # it is not known which login ended, so all of them do
        ended = Q(user_id=user.pk)
    else:
        return
    WebSocketTicket.objects.filter(ended).delete()
    WebSocketSession.objects.filter(ended).close(on_commit=True)


def close_changed_user(
    instance: Any, created: bool, raw: bool, using: str, update_fields: Any, **kwargs: Any
) -> None:
    """Close the connections of a user who is no longer active or has another password."""
    if created or raw:
        return
    if update_fields == frozenset({"last_login"}):  # Django saves it at each login
        return
    if update_fields is not None:  # the object's other columns may be stale
        instance = type(instance)._base_manager.using(using).get(pk=instance.pk)
    sessions = WebSocketSession.objects.filter(user_id=instance.pk)
    if is_active(instance):
        sessions = sessions.exclude(Q(auth_hash=None) | Q(auth_hash__in=auth_hashes(instance)))
    sessions.close(on_commit=True)


def close_deleted_user(instance: Any, **kwargs: Any) -> None:
    """Close the connections of a user whose rows are about to be deleted."""
    WebSocketSession.objects.filter(user_id=instance.pk).close(on_commit=True)


def end_sessions(instance: ApiGateway, using: str, **kwargs: Any) -> None:
    """Mark the sessions of a gateway whose row is about to be deleted: none can be sent to.

    The API stays in AWS, and so do its clients. AWS is not called: the API may be gone already.
    """
    end(WebSocketSession.objects.using(using).filter(api_gateway_id=instance.pk), CLOSED)
