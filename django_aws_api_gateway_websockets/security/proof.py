"""The proof that an event comes from API Gateway: a header that only its integrations know.

Provisioning maps it, as a static value, into every integration of a gateway. What else an event
says of its source (the API's id, the User-Agent) is public and can be sent by anybody.
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

#: Django's error reports blank the value of whatever has SECRET in its name.
HEADER = "X-Websocket-Secret"
META_KEY = "HTTP_X_WEBSOCKET_SECRET"

#: API Gateway takes 512 characters as a mapping's source; two are the quotes of a static value.
MAX_LENGTH = 510

_SALT = "django_aws_api_gateway_websockets.proof"


def pop_header(request: HttpRequest) -> str:
    """Return the header's value, and take it out of the request, so that nobody logs or shows it.

    It is an empty string where there is none.
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

    The derived one needs no setting: it is an HMAC of the gateway's primary key under SECRET_KEY.
    Raises ConfigurationError for a secret that cannot be mapped.
    """
    value = _accepted(gateway_pk)[0]
    if not is_mappable(value):
        # AWS would refuse it as well, and print it.
        raise ConfigurationError(
            f'WEBSOCKETS["source_secret"] must be 1 to {MAX_LENGTH} printable ASCII characters '
            "without spaces, quotes and backslashes."
        )
    return value


@sensitive_variables()
def is_proof(value: str, gateway_pk: Any) -> bool:
    """True if the header's value proves the gateway, by the newest secret or by an older one.

    It takes the same time whatever the value is. ``gateway_pk`` is None for a gateway that has no
    row: only a secret of one's own can prove that.
    """
    # All are compared, before any() stops at one that succeeds.
    found = [constant_time_compare(value, known) for known in _accepted(gateway_pk)]
    # An empty secret in the settings must not make the header dispensable.
    return any(found) and bool(value)


def is_mappable(secret: Any) -> bool:
    """True if the secret can be the static value of a mapped header."""
    return (
        isinstance(secret, str)
        and bool(re.fullmatch(r"[!-~]+", secret))
        and (len(secret) <= MAX_LENGTH and not set(secret) & set("'\"\\"))
    )


def has_custom_secret() -> bool:
    """True if the settings have a secret that is not derived."""
    return bool(conf.source_secret)


def fingerprint(value: str) -> str:
    """Return the mark by which a row tells, without holding it, which value is mapped."""
    return digest(value)


def generation_of(mark: str, gateway_pk: Any) -> Optional[int]:
    """Return the place of the marked value among those that are accepted.

    0 is the newest secret; None is one that the settings no longer have.
    """
    marks = [fingerprint(value) for value in _accepted(gateway_pk)]
    return marks.index(mark) if mark in marks else None


@sensitive_variables()
def _accepted(gateway_pk: Any) -> list[str]:
    own = conf.source_secret
    if own or gateway_pk is None:
        return list(own)
    return [
        salted_hmac(_SALT, str(gateway_pk), secret=key, algorithm="sha256").hexdigest()
        for key in conf.secret_keys
    ]
