"""Receivers of signals: what ends a login or deletes a gateway also closes its connections.

None of them makes fail what the site is doing: a logout is more than the closing of sockets.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from functools import partial, wraps
from typing import Any, Callable, Optional

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import DatabaseError, InterfaceError, connections, router, transaction
from django.db.models import Q
from django.db.models.signals import post_save, pre_delete
from django.http import HttpRequest

from .conf import conf
from .models import ApiGateway, WebSocketSession, WebSocketTicket
from .models.endings import end
from .security.digests import digest
from .security.identity import auth_hashes, is_active, is_session_of, login_of
from .signals import CLOSED

logger = logging.getLogger(__name__)


def connect_signals() -> None:
    """Connect the receivers. It is called once, when the apps are ready."""
    user_logged_out.connect(close_logged_out, dispatch_uid=f"{__name__}.logged_out")
    user_logged_in.connect(follow_login, dispatch_uid=f"{__name__}.logged_in")
    # A receiver for all senders would keep Django from deleting rows in one statement, of every
    # model.
    for model in apps.get_models():
        if issubclass(model, get_user_model()):  # its proxies and subclasses, too
            post_save.connect(close_changed_user, sender=model, dispatch_uid=f"{__name__}.saved")
            pre_delete.connect(close_deleted_user, sender=model, dispatch_uid=f"{__name__}.gone")
        if issubclass(model, ApiGateway):
            pre_delete.connect(end_sessions, sender=model, dispatch_uid=f"{__name__}.gateway")


def harmless(receiver: Callable[..., None]) -> Callable[..., None]:
    """Let the signal's sender go on if the database refuses, or lacks our tables.

    With django-tenants a schema may have users and no sessions. The savepoint keeps what the
    sender has written in its transaction.
    """

    @wraps(receiver)
    def receive(*args: Any, **kwargs: Any) -> None:
        using = router.db_for_write(WebSocketSession)
        is_inside = connections[using].in_atomic_block
        try:
            with transaction.atomic(using) if is_inside else nullcontext():
                receiver(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Sockets not closed by=%s error=%s", receiver.__name__, error)

    return receive


@harmless
def close_logged_out(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Close the connections that the ending login has opened, and delete its tickets.

    The user's other logins, in other browsers, are kept.
    """
    login, session = login_of(request), getattr(request, "session", None)
    if login is not None:
        # A connection that opens meanwhile may have been too late for the first look. And the
        # session may be another user's, who is kept unless Django really deletes it.
        using = router.db_for_write(WebSocketSession)
        look_again = partial(transaction.on_commit, partial(close_login, login), using=using)
        _after_deletion(session, look_again)
    if login is not None and (user is None or is_session_of(session, user)):
        close(Q(login=login))
    elif user is not None:  # it is not known which login ended, so all of them do
        close(Q(user_id=user.pk))


@harmless
def follow_login(request: Optional[HttpRequest], user: Any, **kwargs: Any) -> None:
    """Close what another user has opened by the login that this one has replaced.

    The same user keeps the connections: they belong to the new key of the session.
    """
    key = getattr(request, "COOKIES", {}).get(conf.session_cookie_name)
    if request is None or not key or not hasattr(request, "session"):
        return
    old, login = digest(key), login_of(request)
    if login == old:  # A token's login leaves the session as it is, whoever's that is.
        return
    close(Q(login=old) & ~Q(user_id=user.pk) & ~Q(user_id=None))
    if login is not None:
        for rows in (WebSocketSession.objects, WebSocketTicket.objects):
            rows.filter(login=old, user_id=user.pk).update(login=login)


@harmless
def close_login(login: str) -> None:
    """Close the connections of a login, and delete its tickets."""
    close(Q(login=login))


def close(ended: Q) -> None:
    """Close the connections of the logins that have ended, and delete their tickets."""
    WebSocketTicket.objects.filter(ended).delete()
    WebSocketSession.objects.filter(ended).close(on_commit=True)


def close_changed_user(
    instance: Any, created: bool, raw: bool, using: str, update_fields: Any, **kwargs: Any
) -> None:
    """Close the connections of a user who is no longer active or has another password."""
    if not (created or raw) and may_end_logins(instance, update_fields):
        close_ended_logins(instance, using, update_fields)


@harmless
def close_ended_logins(instance: Any, using: str, update_fields: Any) -> None:
    """Close those connections of a user whose login does not hold any more."""
    if update_fields is not None:  # the object's other columns may be stale
        instance = type(instance)._base_manager.using(using).get(pk=instance.pk)
    sessions = WebSocketSession.objects.filter(user_id=instance.pk)
    if is_active(instance):
        sessions = sessions.exclude(Q(auth_hash=None) | Q(auth_hash__in=auth_hashes(instance)))
    sessions.close(on_commit=True)


def may_end_logins(user: Any, update_fields: Any) -> bool:
    """False if what was written of a user, such as "last_seen", ends no login."""
    if update_fields is None:
        return True
    if update_fields == frozenset({"last_login"}):  # Django saves it at each login
        return False
    # A user of the site's own may make its hash, or whether it is active, of other columns.
    is_djangos = getattr(type(user), "get_session_auth_hash", None) is (
        AbstractBaseUser.get_session_auth_hash
    )
    columns = {field.name for field in user._meta.concrete_fields}
    return not (is_djangos and "is_active" in columns) or bool(
        update_fields & {"password", "is_active"}
    )


@harmless
def close_deleted_user(instance: Any, **kwargs: Any) -> None:
    """Close the connections of a user whose rows are about to be deleted."""
    WebSocketSession.objects.filter(user_id=instance.pk).close(on_commit=True)


@harmless
def end_sessions(instance: ApiGateway, using: str, **kwargs: Any) -> None:
    """Mark the sessions of a gateway whose row is about to be deleted: none can be sent to.

    The API stays in AWS, and so do its clients. AWS is not called: the API may be gone already.
    """
    end(WebSocketSession.objects.using(using).filter(api_gateway_id=instance.pk), CLOSED)


def _after_deletion(session: Any, act: Callable[[], Any]) -> None:
    """Call ``act`` when this session of Django has been deleted.

    Django sends ``user_logged_out`` before it deletes the session, and nothing afterwards.
    """
    delete = session.delete
    adelete: Any = getattr(session, "adelete", None)

    def delete_and_act(*args: Any, **kwargs: Any) -> None:
        delete(*args, **kwargs)
        act()

    async def adelete_and_act(*args: Any, **kwargs: Any) -> None:
        await adelete(*args, **kwargs)
        await sync_to_async(act)()

    session.delete = delete_and_act
    if adelete:  # of Django 5.1
        session.adelete = adelete_and_act
