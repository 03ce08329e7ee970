"""Identity of who opened a connection, and whether it still holds. Knows users, not our models.

Only digests of a login are stored. Neither the session's key nor the password's hash can be
computed from them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, Optional

from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.db.models import QuerySet
from django.db.models.manager import BaseManager
from django.http import HttpRequest

from ..conf import conf
from .digests import digest


class Identity(NamedTuple):
    """A user, or None for an anonymous client, and the login that the user came with."""

    user: Any = None
    #: The digest of the user's session auth hash, which changes with the password.
    auth_hash: Optional[str] = None
    #: The digest of the key of Django's session.
    login: Optional[str] = None
    #: The path of the auth backend that gives the user, if it is not as Django's ModelBackend.
    backend: Optional[str] = None


def of_request(request: HttpRequest) -> Identity:
    """Return whose request it is; nobody's if that user is no longer active.

    The login is that of the request's session only if the session is that user's: a user whom a
    token names may come with the cookies of another one.
    """
    user = getattr(request, "user", None)
    is_user = user is not None and user.is_authenticated and is_active(user)
    # The user comes first: to find it Django reads the session, which drops a made-up key.
    if not is_user:
        return Identity(login=login_of(request))
    session = getattr(request, "session", {})
    if is_session_of(session, user):
        return of_user(user, login_of(request), session.get(BACKEND_SESSION_KEY))
    return of_user(user, None, getattr(user, "backend", None))


def of_cookie(request: HttpRequest) -> Identity:
    """Return as ``of_request`` whose request it is, by the login of its session in any case.

    A middleware may put another user in the place of the session's; that one, too, has been let in
    by the session's cookie.
    """
    return of_request(request)._replace(login=login_of(request))


def of_user(user: Any, login: Optional[str] = None, backend: Optional[str] = None) -> Identity:
    """Return the identity of a user, by the login with that digest if there is one."""
    if backend is not None and is_plain_backend(backend):
        backend = None
    return Identity(user, next(iter(auth_hashes(user)), None), login, backend)


def login_of(request: HttpRequest) -> Optional[str]:
    """Return the digest of the key of the request's session, or None if it has no lasting one."""
    session = getattr(request, "session", None)
    # The key of a signed-cookie session is the session's data, and changes with the data.
    if session is None or isinstance(session, SignedCookieStore):
        return None
    return digest(session.session_key) if session.session_key else None


def is_session_of(session: Any, user: Any) -> bool:
    """True if this session of Django is the login of this user."""
    key: str = user._meta.pk.value_to_string(user)
    return bool(session.get(SESSION_KEY) == key)


def auth_hashes(user: Any) -> list[str]:
    """Return the digests of the user's session auth hash: by SECRET_KEY, then by its fallbacks.

    The list is empty for a user model that has no session auth hash.
    """
    if not hasattr(user, "get_session_auth_hash"):
        return []
    fallbacks = getattr(user, "get_session_auth_fallback_hash", list)
    return [digest(value) for value in (user.get_session_auth_hash(), *fallbacks())]


def still_holds(user: Any, auth_hash: Optional[str]) -> bool:
    """True while the user is active and has the password that the login was made with.

    A connection has no hash if an older release made it, or if the user model has none.
    """
    return is_active(user) and (not auth_hash or auth_hash in auth_hashes(user))


def as_backend_gives(user: Any, backend: Optional[str]) -> Any:
    """Return the user as the site's own auth backend gives it, for a plain row of its table.

    The backend, or a manager that the site has made, may give an object of another class, or None.
    Where both are Django's own the row is what they give, and the database is not asked.
    """
    if user is None:
        return None
    if backend is not None:
        is_there = backend in conf.authentication_backends
        return load_backend(backend).get_user(user.pk) if is_there else None
    return user if _is_plain_manager(type(user)._default_manager) else _by_manager(user)


def _by_manager(user: Any) -> Any:
    return ModelBackend().get_user(user.pk)


@lru_cache(maxsize=None)
def is_plain_backend(path: str) -> bool:
    """True for a backend that gives users as Django's ModelBackend does."""
    try:
        backend: Any = type(load_backend(path))
    except ImportError:  # what the session says is not in the settings any more
        return False
    return getattr(backend, "get_user", None) is ModelBackend.get_user


@lru_cache(maxsize=None)
def _is_plain_manager(manager: BaseManager[Any]) -> bool:
    """True for a manager whose users are the rows of the model's table, all of them."""
    rows: Any = manager._queryset_class  # type: ignore[attr-defined]
    own = {name for klass in rows.__mro__ if klass not in QuerySet.__mro__ for name in vars(klass)}
    changed = {name for name in own & {*dir(QuerySet)} if not name.startswith("__")}
    return type(manager).get_queryset is BaseManager.get_queryset and not changed


def is_active(user: Any) -> bool:
    """True for an active user, and for every user of a model without ``is_active``."""
    return bool(getattr(user, "is_active", True))
