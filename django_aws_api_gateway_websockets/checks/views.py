"""Checks of the views that the URL patterns mount."""

from __future__ import annotations

import re
from typing import Any, Iterator, NamedTuple, Sequence, Type

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.mixins import AccessMixin
from django.core.checks import CheckMessage
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from ..conf import conf
from ..security.origins import is_origin_pattern
from ..views import WebSocketView
from ..views.logins import AUTHENTICATION, COOKIE
from .messages import check_message
from .settings import check_rate, settings_are_valid
from .successors import check_names

#: The attributes of a view that are lists of texts.
LISTS = (
    "additional_origins",
    "additional_required_headers",
    "all_permissions_required",
    "allowed_origins",
    "permissions_required",
    "required_connection_headers",
    "required_headers",
    "subprotocols",
)

#: The end of a pattern, of path() or of re_path(), that wants a slash behind the route.
SLASH_AFTER_ROUTE = re.compile(r"(<(\w+:)?route>|\(\?P<route>[^)]*\))/(\$|\\Z)?$")

#: Caches that count for one process only, or that lose counts when many requests come at once.
UNSHARED_CACHES = (
    "django.core.cache.backends.db.DatabaseCache",
    "django.core.cache.backends.dummy.DummyCache",
    "django.core.cache.backends.filebased.FileBasedCache",
    "django.core.cache.backends.locmem.LocMemCache",
)


class Mounted(NamedTuple):
    """A WebSocketView that one URL pattern mounts."""

    pattern: URLPattern
    has_route: bool
    #: The pattern, after those that include it.
    url: str = ""

    @property
    def view(self) -> Type[WebSocketView]:
        view: Type[WebSocketView] = self.pattern.callback.view_class  # type: ignore[attr-defined]
        return view

    def __str__(self) -> str:
        return f"{self.view.__name__} at {str(self.pattern.pattern)!r}"

    def get(self, name: str) -> Any:
        """Return the attribute of that name, as as_view() was given it or as the class has it."""
        given = getattr(self.pattern.callback, "view_initkwargs", {})
        return given.get(name, getattr(self.view, name))


def mounted_views() -> list[Mounted]:
    """Return every WebSocketView that the site mounts."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    return list(_find(get_resolver().url_patterns, has_route=False))


def check_url_patterns(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that each URL pattern of a WebSocketView passes it the route, and ends with it."""
    without_a_route = [
        check_message(
            "E006",
            f"The URL pattern {str(found.pattern.pattern)!r} gives its WebSocketView no route.",
            'Write path("ws/<slug:route>", ...), or pass {"route": "default"} to path().',
            "settings.html#route",
        )
        for found in mounted_views()
        if not found.has_route
    ]
    return [*without_a_route, *_check_slash()]


def _check_slash() -> Iterator[CheckMessage]:
    for found in mounted_views():
        if SLASH_AFTER_ROUTE.search(found.url):
            yield check_message(
                "W035",
                f"The URL pattern {found.url!r} has a slash after the route, and the URLs that a "
                "gateway posts to have none: its events are answered with a redirect, or a 404.",
                'Write path("ws/<slug:route>", ...), without a slash at the end.',
                "settings.html#route",
            )


def check_views(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check the attributes of each view."""
    checks = (_check_lists, _check_origins, _check_rates, _check_authentication, _check_mixins)
    mounted = mounted_views()
    found_here = [message for found in mounted for check in checks for message in check(found)]
    # A class is named once, however often it is mounted.
    views = dict.fromkeys(found.view for found in mounted)
    return [*found_here, *(message for view in views for message in check_names(view))]


def check_deployed_views(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that the rates, if there are any, are counted in a cache that all processes share."""
    if not settings_are_valid():
        return []
    rates = [conf.connect_rate, conf.message_rate, conf.ticket_rate]
    for found in mounted_views():
        rates += [found.get("connect_rate"), found.get("message_rate")]
    backend = (settings.CACHES[conf.rate_cache] or {}).get("BACKEND")
    if not any(rates) or not _is_unshared(backend):
        return []
    return [
        check_message(
            "W007",
            f"The rates are counted in the cache {conf.rate_cache!r}, {backend}, which does not "
            "count for all processes at once.",
            'Let WEBSOCKETS["rate_cache"] name a cache on Redis or Memcached.',
            "security.html#rates",
        )
    ]


def _is_unshared(backend: Any) -> bool:
    """True for the caches above and their subclasses."""
    try:
        cache = import_string(str(backend))
    except ImportError:  # Django itself reports it.
        return False
    return isinstance(cache, type) and issubclass(
        cache, tuple(import_string(name) for name in UNSHARED_CACHES)
    )


def _check_lists(found: Mounted) -> Iterator[CheckMessage]:
    for name in LISTS:
        value = found.get(name)
        if not isinstance(value, (list, tuple, set, frozenset, type(None))):
            yield check_message(
                "E016",
                f"{name} of {found} is not a list. A text would count letter by letter.",
                f"Write {name} = [{value!r}].",
                "settings.html#view",
            )


def _check_origins(found: Mounted) -> Iterator[CheckMessage]:
    if any(_check_lists(found)):
        return
    for origin in [*(found.get("allowed_origins") or []), *found.get("additional_origins")]:
        if not is_origin_pattern(origin):
            yield check_message(
                "E015",
                f"{origin!r}, which {found} lets in, is not an origin.",
                'Write scheme://host in lower case, without a path: "https://www.example.com".',
                "security.html#origins",
            )


def _check_rates(found: Mounted) -> Iterator[CheckMessage]:
    for name in ("connect_rate", "message_rate"):
        yield from check_rate(found.get(name), f"{name} of {found}")


def _check_authentication(found: Mounted) -> Iterator[CheckMessage]:
    way = found.get("authentication")
    if way not in AUTHENTICATION:
        yield check_message(
            "E014",
            f"authentication of {found} is {way!r}.",
            f"It can be {', '.join(map(repr, AUTHENTICATION))}.",
            "security.html#tickets",
        )
        return
    needs_cookie = way == COOKIE and not found.get("allow_anonymous")
    if needs_cookie and not any(map(_is_authentication, settings.MIDDLEWARE)):
        yield check_message(
            "W003",
            f"{found} knows users by their cookie alone and lets in no guests, and MIDDLEWARE "
            "has no AuthenticationMiddleware: nobody can connect.",
            "Add it, or give out tickets.",
            "security.html#who-may",
        )


def _check_mixins(found: Mounted) -> Iterator[CheckMessage]:
    above = found.view.__mro__[: found.view.__mro__.index(WebSocketView)]
    if any(issubclass(klass, AccessMixin) for klass in above):
        yield check_message(
            "E017",
            f"{found} has an access mixin of Django's, which redirects whoever is not logged in. "
            "API Gateway posts without cookies, so that would be everybody.",
            "Take the mixin out. Set allow_anonymous = False, or permissions_required.",
            "security.html#who-may",
        )


def _is_authentication(name: str) -> bool:
    try:
        middleware = import_string(name)
    except ImportError:  # Django itself reports it.
        return False
    return isinstance(middleware, type) and issubclass(middleware, AuthenticationMiddleware)


def _find(patterns: Sequence[Any], *, has_route: bool, before: str = "") -> Iterator[Mounted]:
    """Yield the WebSocketViews of these patterns; an include() may pass the ``route``, too."""
    for pattern in patterns:
        is_include = isinstance(pattern, URLResolver)
        constants = pattern.default_kwargs if is_include else pattern.default_args
        routed = has_route or "route" in {*constants, *pattern.pattern.regex.groupindex}
        url = f"{before}{pattern.pattern}"
        if is_include:
            yield from _find(pattern.url_patterns, has_route=routed, before=url)
            continue
        view = getattr(pattern.callback, "view_class", None)
        if isinstance(view, type) and issubclass(view, WebSocketView):
            yield Mounted(pattern, routed, url)
