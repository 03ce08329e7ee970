"""Pings: whether a gateway's API answers them, or the site does."""

from __future__ import annotations

from typing import Any, Collection
from urllib.parse import urlsplit

from django.urls import Resolver404, get_script_prefix, resolve

from ..conf import conf
from ..provisioning import pings


def are_answered_by_api(gateway: Any, keys: Collection[str]) -> bool:
    """True if the API should have a route for pings; ``keys`` are those of its other routes.

    A site that has its own ``ping``, as a route or as a handler, goes on getting them. What a
    view's ``default()`` makes of them cannot be known.
    """
    return (
        pings.KEY not in keys
        and bool(gateway.message_key)
        and not _has_handler(f"{gateway.target_base_endpoint}default")
    )


def _has_handler(url: str) -> bool:
    """True if the view that this site has mounted at the URL has a handler for pings."""
    path, prefix = urlsplit(url).path, get_script_prefix()
    if path.startswith(prefix):
        path = f"/{path[len(prefix) :]}"
    if not conf.has_url_patterns:
        return False
    try:
        view = resolve(path).func
    except Resolver404:  # The view may be another site's.
        return False
    # as_view() has set it: the models know no views.
    has_handler = getattr(view, "has_handler", None)
    return bool(has_handler and has_handler(pings.KEY))
