"""Identity of who opened a connection, and whether it still holds. Knows users, not our models.

Only digests of a login are stored. Neither the session's key nor the password's hash can be
computed from them.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.http import HttpRequest

from .digests import digest


class Identity(NamedTuple):
    """A user, or None for an anonymous client, and the login that the user came with."""

    user: Any = None
    #: The digest of the user's session auth hash, which changes with the password.
    auth_hash: Optional[str] = None
    #: The digest of the key of Django's session.
    login: Optional[str] = None


def of_request(request: HttpRequest) -> Identity:
    """Return whose cookies the request has; nobody's if that user is no longer active."""
    user = getattr(request, "user", None)
    is_user = user is not None and user.is_authenticated and is_active(user)
    # The user comes first: to find it Django reads the session, which drops a made-up key.
    login = login_of(request)
    if not is_user:
        return Identity(login=login)
    return Identity(user, next(iter(auth_hashes(user)), None), login)


def login_of(request: HttpRequest) -> Optional[str]:
    """Return the digest of the key of the request's session, or None if it has no lasting one."""
    session = getattr(request, "session", None)
    # The key of a signed-cookie session is the session's data, and changes with the data.
    if session is None or isinstance(session, SignedCookieStore):
        return None
    return digest(session.session_key) if session.session_key else None


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


def is_active(user: Any) -> bool:
    """True for an active user, and for every user of a model without ``is_active``."""
    return bool(getattr(user, "is_active", True))
