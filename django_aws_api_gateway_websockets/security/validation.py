"""Validation of what a request says: pure questions about its text. Knows settings, no model."""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping

from django.core.exceptions import DisallowedHost, TooManyFieldsSent
from django.http import HttpRequest

from ..conf import conf

#: The widths of the database columns, in characters.
MAX_API_ID = 32
MAX_CHANNEL_NAME = 128
MAX_CONNECTION_ID = 255


def missing_headers(headers: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``names`` that are absent or empty."""
    return tuple(name for name in names if not headers.get(name))


def is_connection_id(value: str) -> bool:
    """True for printable ASCII without spaces, as API Gateway's ids are, that fits its column."""
    return re.fullmatch(rf"[!-~]{{1,{MAX_CONNECTION_ID}}}", value) is not None


def is_api_id(value: str) -> bool:
    """True for printable ASCII without spaces that fits its column."""
    return re.fullmatch(rf"[!-~]{{1,{MAX_API_ID}}}", value) is not None


def is_channel_name(value: str) -> bool:
    """True for at most 128 printable characters: spaces are printable, line ends and NUL not."""
    return len(value) <= MAX_CHANNEL_NAME and value.isprintable()


def has_allowed_host(request: HttpRequest) -> bool:
    """True if the request's Host is one of ALLOWED_HOSTS."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def claimed_host(request: HttpRequest) -> str:
    """Return the request's Host, whether ALLOWED_HOSTS has it or not."""
    try:
        return request.get_host()
    except DisallowedHost:
        raw: Any = request
        host: str = raw._get_raw_host()
        return host


def has_readable_query(request: HttpRequest) -> bool:
    """True unless the query has more fields than DATA_UPLOAD_MAX_NUMBER_FIELDS."""
    try:
        # URLs are UTF-8, whatever the client's Content-Type says. "charset=utf-7" would give half
        # characters, which can neither be stored nor hashed.
        request.encoding = "utf-8"
        return request.GET is not None
    except TooManyFieldsSent:
        return False


def has_readable_session_cookie(request: HttpRequest) -> bool:
    """True unless the session cookie has a NUL ("\\000" is one), which PostgreSQL cannot take."""
    return "\0" not in request.COOKIES.get(conf.session_cookie_name, "")
