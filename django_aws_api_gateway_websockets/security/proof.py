"""Proof that an event comes from API Gateway: a header that only its integrations know.

Provisioning maps it, as a static value, into every integration of a gateway. Everything else that
an event says about its source (the API's id, the User-Agent) is public, and anybody can send it.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.debug import sensitive_variables

from ..conf import conf
from ..exceptions import ConfigurationError
from .digests import digest

#: Its name has SECRET in it, so that Django's error reports hide its value.
HEADER = "X-Websocket-Secret"
META_KEY = "HTTP_X_WEBSOCKET_SECRET"

#: Its name at 4.1.0. Gateways of that release send WEBSOCKETS["source_secret"] by it.
OLD_HEADER = "X-Ws-Gateway-Secret"
OLD_META_KEY = "HTTP_X_WS_GATEWAY_SECRET"

_NAME, _OLD_NAME = HEADER.lower().encode(), OLD_HEADER.lower().encode()

#: Where the value waits for the view, once it is no header any more. No client can send this key,
#: and its name has SECRET in it as well.
HIDDEN_KEY = "django_aws_api_gateway_websockets.source_secret"

#: API Gateway accepts 512 characters as a mapping's source. Two of them quote a static value.
MAX_LENGTH = 510

_SALT = "django_aws_api_gateway_websockets.proof"


class Hidden:
    """A secret on its way to the view. It does not show itself, as tools print what they find."""

    def __init__(self, value: Any) -> None:
        self.value = value


def hide_in_environ(environ: Dict[str, Any]) -> None:
    """Take the header out of a WSGI environment, and keep it there where only we look for it."""
    # The new header wins.
    for value in (environ.pop(OLD_META_KEY, ""), environ.pop(META_KEY, "")):
        if value:
            environ[HIDDEN_KEY] = Hidden(value)


def hide_in_scope(scope: Any) -> None:
    """Take the header out of an ASGI scope, likewise.

    The scope is changed in place: a tool around the application may read it later.
    """
    found = dict.fromkeys((_OLD_NAME, _NAME), b"")
    kept = []
    for name, value in scope.get("headers", ()):  # "lifespan" has none.
        lower = name.lower()
        if lower in found:  # Joined as Django joins them, so that two secrets prove nothing.
            found[lower] = b",".join(filter(None, (found[lower], value)))
        elif lower.replace(b"_", b"-") not in found:  # Django reads "_" as "-".
            kept.append((name, value))
    if len(kept) < len(scope.get("headers", ())):
        scope["headers"] = kept
    for value in filter(None, found.values()):  # The new header comes last, and wins.
        scope[HIDDEN_KEY] = Hidden(value.decode("latin-1"))


def pop_header(request: HttpRequest) -> str:
    """Return the header's value, and remove it from the request, so that nobody logs or shows it.

    The value is that of the old header if there is no new one, and an empty string if there is
    neither.
    """
    hide_in_environ(request.META)
    vars(request).pop("headers", None)  # Django's cached copy
    hidden = request.META.pop(HIDDEN_KEY, None)
    scope = getattr(request, "scope", None)
    if scope is not None:  # under ASGI
        hide_in_scope(scope)
        hidden = scope.pop(HIDDEN_KEY, hidden)
    return str(hidden.value) if hidden else ""


@sensitive_variables()
def value_for(gateway: Any) -> str:
    """Return what provisioning maps for a gateway: WEBSOCKETS["source_secret"], or a derived one.

    The derived secret needs no setting: it is an HMAC of the gateway's primary key and API id
    under SECRET_KEY. Tenants and sites that share the key have the same primary keys, but never
    the same API. Raises ConfigurationError for a secret that cannot be mapped.
    """
    value = _accepted(gateway)[0]
    if not is_mappable(value):
        # AWS would refuse it as well, and its error would show the secret.
        raise ConfigurationError(
            f'WEBSOCKETS["source_secret"] must be 1 to {MAX_LENGTH} printable ASCII characters '
            "without spaces, quotes and backslashes."
        )
    return value


@sensitive_variables()
def is_proof(value: str, gateway: Any) -> bool:
    """True if the header's value proves the gateway, by the newest secret or by an older one.

    It takes the same time whatever the value is. ``gateway`` is None for a gateway without a row,
    which only a secret of WEBSOCKETS["source_secret"] can prove.
    """
    # A list compares with all secrets. A generator would stop at the first that matches.
    found = [constant_time_compare(value, known) for known in _accepted(gateway)]
    # With an empty secret in the settings, an empty header must still prove nothing.
    return any(found) and bool(value)


@sensitive_variables()
def is_old_proof(value: str) -> bool:
    """True if an event of a gateway that has not been upgraded may bring this value, or none.

    A gateway that 4.1.0 deployed sends the secret of the settings, by the old header, and one of
    1.1.1 sends nothing. WEBSOCKETS["require_old_header"] says that all are of the first kind.
    """
    if not has_custom_secret():
        return True
    return is_proof(value, None) if value else not conf.require_old_header


def is_mappable(secret: Any) -> bool:
    """True if the secret can be the static value of a mapped header."""
    return (
        isinstance(secret, str)
        and bool(re.fullmatch(r"[!-~]+", secret))
        and (len(secret) <= MAX_LENGTH and not set(secret) & set("'\"\\"))
    )


def has_custom_secret() -> bool:
    """True if WEBSOCKETS["source_secret"] is set, so that no secret is derived."""
    return bool(conf.source_secret)


def fingerprint(value: str) -> str:
    """Return the digest by which a row says which value is mapped, without holding the value."""
    return digest(value)


def generation_of(gateway: Any) -> Optional[int]:
    """Return how old the secret is that the gateway sends: its place among the accepted ones.

    0 is the newest secret; None is one that the settings no longer have.
    """
    known = [fingerprint(value) for value in _accepted(gateway)]
    return known.index(gateway.source_proof) if gateway.source_proof in known else None


@sensitive_variables()
def _accepted(gateway: Any) -> list[str]:
    """Return the values that prove a gateway, newest first."""
    own = conf.source_secret
    if own or gateway is None:
        return list(own)
    if not gateway.api_id:
        return _derived(gateway.pk)
    values = _derived(f"{gateway.pk}/{gateway.api_id}")
    if gateway.source_proof and gateway.source_proof not in map(fingerprint, values):
        # Gateways were deployed with a value of the primary key alone. It is accepted of those
        # that send it until they are upgraded, and of no other.
        earlier = _derived(gateway.pk)
        if gateway.source_proof in map(fingerprint, earlier):
            values += earlier
    return values


@sensitive_variables()
def _derived(name: Any) -> list[str]:
    """Return the secrets of that name: by SECRET_KEY, then by its fallbacks."""
    return [
        salted_hmac(_SALT, str(name), secret=key, algorithm="sha256").hexdigest()
        for key in conf.secret_keys
    ]
