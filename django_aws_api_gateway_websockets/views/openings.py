"""Openings of connections: the row of a $connect, or why there is none."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Mapping, Optional, Type

from django.db import router
from django.db.models import Model

from ..exceptions import AccessDenied, DuplicateConnection, SourceUnproved
from ..models import WebSocketSession, endings
from ..models.changes import ChangeTracking, remember
from ..models.statements import Insert
from . import errors
from .queries import is_plain


def open_session(
    model: Type[WebSocketSession], connection_id: str, may_exist: bool, **columns: Any
) -> tuple[WebSocketSession, bool]:
    """Make a connection's session; return it, and True unless it existed.

    AWS may repeat a $connect: a repetition gets the session that the first one made. Raises
    DuplicateConnection if the connection id belongs to somebody else, and IntegrityError if that,
    or something else that the row needs, has changed in this moment; see ``explain_refused_row``.
    """
    if may_exist:
        return _session_of_repetition(model, connection_id, columns), False
    return _create(model, connection_id=connection_id, **columns), True


def explain_refused_row(
    model: Type[WebSocketSession], connection_id: str, **columns: Any
) -> WebSocketSession:
    """Return the session that another $connect of this connection has made in the same moment.

    Call it after an IntegrityError of ``open_session``. Raises DuplicateConnection if the
    connection id belongs to somebody else, SourceUnproved if the gateway has been deleted in that
    moment, and AccessDenied if the user has.
    """
    if errors.is_rolled_back(router.db_for_write(model)):  # nothing more can be read
        raise DuplicateConnection("The connection exists")
    if model.objects.on_primary().filter(connection_id=connection_id).exists():
        return _session_of_repetition(model, connection_id, columns)
    gateway = columns["api_gateway"]
    if gateway is not None and not _exists(gateway):
        raise SourceUnproved("Unexpected API Gateway", reason="it has just been deleted")
    raise AccessDenied("Log in again", reason="its user has just been deleted")


def _exists(row: Model) -> bool:
    return type(row)._base_manager.using(row._state.db).filter(pk=row.pk).exists()


def _session_of_repetition(
    model: Type[WebSocketSession], connection_id: str, columns: Mapping[str, Any]
) -> WebSocketSession:
    """Return the session that the first one of two equal $connects has made."""
    owner = {name: value for name, value in columns.items() if name not in ("data", "backend")}
    owner.update(connection_id=connection_id, connected=True, request_count=1)
    session: Optional[WebSocketSession] = model.objects.on_primary().filter(**owner).first()
    if session is None or session.connection_id != connection_id:
        raise DuplicateConnection("The connection exists")
    return session


def _create(model: Type[WebSocketSession], **columns: Any) -> WebSocketSession:
    """Make a row as ``create()`` does. Where nothing of the site's takes part it is faster."""
    user = columns["user"]
    is_saved = user is None or user.pk is not None  # Django refuses a user that is not.
    if not (is_saved and _is_made_by_us(model)):
        return model.objects.create(**columns)
    session = model(**columns)
    _session_insert(router.db_for_write(model)).run(session)
    remember(session)
    return session


def _is_made_by_us(model: Type[WebSocketSession]) -> bool:
    """False for a model with a table, a manager, a save() or listeners of the site's own."""
    return (
        model._meta.concrete_model is WebSocketSession
        and is_plain(model.objects)
        and model.save is ChangeTracking.save
        and model.save_base is Model.save_base
        and not endings.has_save_listeners(model)
    )


@lru_cache(maxsize=None)
def _session_insert(using: str) -> Insert:
    return Insert(WebSocketSession, using)
