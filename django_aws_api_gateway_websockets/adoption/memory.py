"""Memory of what an adoption must carry over the change of the columns: logins and errors.

4.1.0 binds a connection to its login by HMACs of the user's session auth hash and of the key of
Django's session. Ours are plain digests of the two, so each has to be found again.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Iterable, Iterator, NamedTuple

from django.contrib.auth import get_user_model
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from django.utils.crypto import salted_hmac

from ..conf import conf
from ..security import identity
from ..security.digests import digest
from .later import Leftovers
from .tables import APP, Tables

AUTH_SALT = f"{APP}.WebSocketSession.auth_hash"
KEY_SALT = f"{APP}.WebSocketToken.session_key"

#: What is stored for a login that no longer holds: the digest of nothing that a user has.
NO_LOGIN = digest("")

BATCH_SIZE = 500


class Memory(NamedTuple):
    """What is written back when the columns of this release are there."""

    #: {pk of a gateway: its last error}
    errors: dict[Any, str]
    #: {pk of a session: (auth_hash, login)}
    logins: dict[Any, tuple[str | None, str | None]]


def remember(connection: BaseDatabaseWrapper, found: Leftovers, before: ProjectState) -> Memory:
    """Return what the columns of 4.x tell, in the words of this release."""
    return Memory(_errors(connection, found, before), _logins(connection, found, before))


def write_back(connection: BaseDatabaseWrapper, memory: Memory, after: ProjectState) -> None:
    """Write what was remembered into the columns of this release."""
    gateways = _rows(connection, after, "apigateway")
    for pk, error in memory.errors.items():
        gateways.filter(pk=pk).update(last_error=error)
    model = after.apps.get_model(APP, "websocketsession")
    sessions = [
        model(pk=pk, auth_hash=auth_hash, login=login)
        for pk, (auth_hash, login) in memory.logins.items()
    ]
    _rows(connection, after, "websocketsession").bulk_update(
        sessions, ["auth_hash", "login"], batch_size=BATCH_SIZE
    )


def _rows(connection: BaseDatabaseWrapper, state: ProjectState, model: str) -> Any:
    return state.apps.get_model(APP, model)._base_manager.using(connection.alias)


def _errors(
    connection: BaseDatabaseWrapper, found: Leftovers, before: ProjectState
) -> dict[Any, str]:
    if ("apigateway", "last_error") not in found.columns:
        return {}
    rows = _rows(connection, before, "apigateway").exclude(last_error="")
    return dict(rows.values_list("pk", "last_error"))


def _logins(
    connection: BaseDatabaseWrapper, found: Leftovers, before: ProjectState
) -> dict[Any, tuple[str | None, str | None]]:
    columns = [name for model, name in found.columns if model == "websocketsession"]
    if not columns:
        return {}
    rows = _rows(connection, before, "websocketsession").filter(connected=True)
    sessions = list(rows.values("pk", "user_id", *columns))
    holding = _holding(connection, sessions)
    logins = _keys(
        connection, {session.get("session_key_hash") for session in sessions} - {"", None}
    )
    return {
        session["pk"]: (
            holding.get(session["pk"], NO_LOGIN) if session.get("auth_hash") else None,
            logins.get(session.get("session_key_hash")),
        )
        for session in sessions
        if any(session.get(name) for name in columns)
    }


def _holding(
    connection: BaseDatabaseWrapper, sessions: Iterable[dict[str, Any]]
) -> dict[Any, str | None]:
    """Return {pk of a session: the auth hash of this release}, where the login still holds."""
    found: dict[Any, str | None] = {}
    bound = (session for session in sessions if session.get("auth_hash"))
    users = get_user_model()._base_manager.using(connection.alias)
    for batch in _batches(bound):
        known = users.in_bulk({session["user_id"] for session in batch} - {None})
        for session in batch:
            user = known.get(session["user_id"])
            if user is not None and session["auth_hash"] in _hashes_of_4_1_0(user):
                found[session["pk"]] = next(iter(identity.auth_hashes(user)))
    return found


def _hashes_of_4_1_0(user: Any) -> set[str]:
    if not hasattr(user, "get_session_auth_hash"):
        return set()
    fallbacks = getattr(user, "get_session_auth_fallback_hash", list)
    hashes = [user.get_session_auth_hash(), *fallbacks()]
    return {hmac for value in hashes for hmac in _hmacs(AUTH_SALT, value)}


def _keys(connection: BaseDatabaseWrapper, wanted: set[str]) -> dict[str, str]:
    """Return {HMAC of 4.1.0: digest} for each key of Django's session whose HMAC is wanted."""
    found: dict[str, str] = {}
    if not wanted or "django_session" not in Tables(connection).names:
        return found
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_key FROM django_session")
        while rows := cursor.fetchmany(BATCH_SIZE):
            for (key,) in rows:
                found.update((hmac, digest(key)) for hmac in wanted & _hmacs(KEY_SALT, key))
    return found


def _hmacs(salt: str, value: str) -> set[str]:
    """Return the HMACs of 4.1.0: one by SECRET_KEY, and one by each of its fallbacks."""
    return {
        salted_hmac(salt, value, secret=key, algorithm="sha256").hexdigest()
        for key in conf.secret_keys
    }


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_SIZE)):
        yield batch
