"""Parameters of URLs: takes a secret one out of a request. Knows Django's requests, no model."""

from __future__ import annotations

from typing import Any, Dict, Tuple
from urllib.parse import unquote_plus

from django.http import HttpRequest

from .proof import Hidden

#: The parameter of a $connect that carries a ticket.
TICKET_PARAMETER = "ws_token"

#: Where the URL as it came waits for the view. Its name has TOKEN in it, so that Django's error
#: reports hide its value.
HIDDEN_KEY = "django_aws_api_gateway_websockets.url_with_token"

#: The keys of META that servers fill with the whole URL.
URL_KEYS = ("RAW_URI", "REQUEST_URI", "UNENCODED_URL")


def pop_parameter(request: HttpRequest, name: str) -> str:
    """Return a parameter's value, or an empty text, and remove it from the request.

    As in a QueryDict the last value counts. The other parameters stay as they are.
    """
    query, value = _without(request.META.get("QUERY_STRING", ""), name)
    if query == request.META.get("QUERY_STRING", ""):
        return ""
    _set_url(request, _urls_without(request.META, name))
    return value


def hide_ticket_in_environ(environ: Dict[str, Any]) -> None:
    """Take the ticket out of a WSGI environment, and keep the URL where only we look for it."""
    cleaned = _urls_without(environ, TICKET_PARAMETER)
    if cleaned["QUERY_STRING"] != environ.get("QUERY_STRING", ""):
        environ[HIDDEN_KEY] = Hidden({key: environ[key] for key in cleaned})
        environ.update(cleaned)


def hide_ticket_in_scope(scope: Any) -> None:
    """Take the ticket out of an ASGI scope, likewise."""
    query = scope["query_string"].decode("latin-1")
    cleaned, _ = _without(query, TICKET_PARAMETER)
    if cleaned != query:
        scope[HIDDEN_KEY] = Hidden({"QUERY_STRING": query})
        scope["query_string"] = cleaned.encode("latin-1")


def restore_url(request: HttpRequest) -> None:
    """Put back what has been hidden: a view takes its ticket, or has another use for it."""
    hidden = request.META.pop(HIDDEN_KEY, None)
    hidden = getattr(request, "scope", {}).pop(HIDDEN_KEY, hidden)
    if hidden:
        _set_url(request, hidden.value)


def _set_url(request: HttpRequest, urls: Dict[str, str]) -> None:
    request.META.update(urls)
    vars(request).pop("GET", None)  # Django's cached copy
    scope: Any = getattr(request, "scope", None)
    if scope is not None:  # under ASGI
        scope["query_string"] = urls["QUERY_STRING"].encode("latin-1")


def _urls_without(environ: Dict[str, Any], name: str) -> Dict[str, str]:
    """Return the keys that hold the query, without the parameter."""
    urls = {"QUERY_STRING": _without(environ.get("QUERY_STRING", ""), name)[0]}
    for key in URL_KEYS:
        path, mark, rest = str(environ.get(key, "")).partition("?")
        if mark:
            urls[key] = f"{path}?{_without(rest, name)[0]}"
    return urls


def _without(query: str, name: str) -> Tuple[str, str]:
    """Return the query without the parameter, and the parameter's last value."""
    parts = query.split("&")
    ours = [part for part in parts if unquote_plus(part.partition("=")[0]) == name]
    kept = "&".join(part for part in parts if part not in ours)
    return kept, unquote_plus(ours[-1].partition("=")[2]) if ours else ""
