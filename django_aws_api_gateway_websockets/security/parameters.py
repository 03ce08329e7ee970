"""Parameters of URLs: takes a secret one out of a request. Knows Django's requests, no model."""

from __future__ import annotations

from typing import Any, Tuple
from urllib.parse import unquote_plus

from django.http import HttpRequest

#: The keys of META that servers fill with the whole URL.
URL_KEYS = ("RAW_URI", "REQUEST_URI", "UNENCODED_URL")


def pop_parameter(request: HttpRequest, name: str) -> str:
    """Return a parameter's value, or an empty text, and remove it from the request.

    As in a QueryDict the last value counts. The other parameters stay as they are.
    """
    query, value = _without(request.META.get("QUERY_STRING", ""), name)
    if query == request.META.get("QUERY_STRING", ""):
        return ""
    request.META["QUERY_STRING"] = query
    vars(request).pop("GET", None)  # Django's cached copy
    for key in URL_KEYS:
        path, mark, rest = str(request.META.get(key, "")).partition("?")
        if mark:
            request.META[key] = f"{path}?{_without(rest, name)[0]}"
    scope: Any = getattr(request, "scope", None)
    if scope is not None:  # under ASGI
        scope["query_string"] = query.encode("latin-1")
    return value


def _without(query: str, name: str) -> Tuple[str, str]:
    """Return the query without the parameter, and the parameter's last value."""
    parts = query.split("&")
    ours = [part for part in parts if unquote_plus(part.partition("=")[0]) == name]
    kept = "&".join(part for part in parts if part not in ours)
    return kept, unquote_plus(ours[-1].partition("=")[2]) if ours else ""
