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

#: API Gateway accepts 512 characters as a mapping's source. Two of them quote a static value.
MAX_LENGTH = 510

_SALT = "django_aws_api_gateway_websockets.proof"


def pop_header(request: HttpRequest) -> str:
    """Return the header's value, and remove it from the request, so that nobody logs or shows it.

    The value is an empty string if there is no such header.
    """
    value: str = request.META.pop(META_KEY, "")
    vars(request).pop("headers", None)  # Django's cached copy
    scope = getattr(request, "scope", None)
    if scope is not None:  # under ASGI, where Django reads "_" as "-"
        name = HEADER.lower().encode()
        scope["headers"] = [
            pair for pair in scope["headers"] if pair[0].lower().replace(b"_", b"-") != name
        ]
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
