"""Proof that an event comes from API Gateway: a header that only its integrations know.

Provisioning maps it, as a static value, into every integration of a gateway. Everything else that
an event says about its source (the API's id, the User-Agent) is public, and anybody can send it.
"""

from __future__ import annotations

import re
from typing import Any, Optional

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

_LOWER_NAMES = {HEADER.lower().encode(), OLD_HEADER.lower().encode()}

#: API Gateway accepts 512 characters as a mapping's source. Two of them quote a static value.
MAX_LENGTH = 510

_SALT = "django_aws_api_gateway_websockets.proof"


def pop_header(request: HttpRequest) -> str:
    """Return the header's value, and remove it from the request, so that nobody logs or shows it.

    The value is that of the old header if there is no new one, and an empty string if there is
    neither.
    """
    new, old = request.META.pop(META_KEY, ""), request.META.pop(OLD_META_KEY, "")
    vars(request).pop("headers", None)  # Django's cached copy
    scope = getattr(request, "scope", None)
    if scope is not None:  # under ASGI, where Django reads "_" as "-"
        scope["headers"] = [
            pair
            for pair in scope["headers"]
            if pair[0].lower().replace(b"_", b"-") not in _LOWER_NAMES
        ]
    value: str = new or old
    return value


@sensitive_variables()
def value_for(gateway_pk: Any) -> str:
    """Return what provisioning maps for a gateway: WEBSOCKETS["source_secret"], or a derived one.

    The derived secret needs no setting: it is an HMAC of the gateway's primary key under
    SECRET_KEY. Raises ConfigurationError for a secret that cannot be mapped.
    """
    value = _accepted(gateway_pk)[0]
    if not is_mappable(value):
        # AWS would refuse it as well, and its error would show the secret.
        raise ConfigurationError(
            f'WEBSOCKETS["source_secret"] must be 1 to {MAX_LENGTH} printable ASCII characters '
            "without spaces, quotes and backslashes."
        )
    return value


@sensitive_variables()
def is_proof(value: str, gateway_pk: Any) -> bool:
    """True if the header's value proves the gateway, by the newest secret or by an older one.

    It takes the same time whatever the value is. ``gateway_pk`` is None for a gateway without a
    row, which only a secret of WEBSOCKETS["source_secret"] can prove.
    """
    # A list compares with all secrets. A generator would stop at the first that matches.
    found = [constant_time_compare(value, known) for known in _accepted(gateway_pk)]
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


def generation_of(stored: str, gateway_pk: Any) -> Optional[int]:
    """Return how old the secret with this fingerprint is: its place among the accepted ones.

    0 is the newest secret; None is one that the settings no longer have.
    """
    known = [fingerprint(value) for value in _accepted(gateway_pk)]
    return known.index(stored) if stored in known else None


@sensitive_variables()
def _accepted(gateway_pk: Any) -> list[str]:
    """Return the values that prove a gateway, newest first."""
    own = conf.source_secret
    if own or gateway_pk is None:
        return list(own)
    return [
        salted_hmac(_SALT, str(gateway_pk), secret=key, algorithm="sha256").hexdigest()
        for key in conf.secret_keys
    ]
