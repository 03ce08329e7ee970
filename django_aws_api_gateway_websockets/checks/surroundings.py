"""Surroundings of the views: middlewares, databases and packages that do not go with sockets."""

from __future__ import annotations

import re
from typing import Any, Iterator

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth.middleware import PersistentRemoteUserMiddleware, RemoteUserMiddleware
from django.core.checks import CheckMessage
from django.db import connections
from django.db.models.signals import post_delete
from django.middleware.security import SecurityMiddleware
from django.utils.module_loading import import_string

from ..conf import conf
from ..views import WebSocketView
from .messages import check_message
from .settings import settings_are_valid
from .views import mounted_views

PAGE = "with-other-packages.html"
IN_TROUBLE = f"{PAGE}#redirects"

#: Names of middlewares that send everybody without a login to a page. Django's own asks the view.
LOGIN_WALL = re.compile(r"login_?required|require_?login|login_?wall|stronghold", re.IGNORECASE)
DJANGOS_OWN = "django.contrib.auth.middleware.LoginRequiredMiddleware"

#: The modes in which SQLite locks the database when a transaction begins.
LOCKING_MODES = {"IMMEDIATE", "EXCLUSIVE"}

#: The apps whose sessions can be ended from another browser, and their models.
SESSION_MODELS = {"usersessions": "UserSession", "user_sessions": "Session"}


def check_surroundings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check the middlewares, the databases and the packages of a site that mounts a view."""
    if not settings_are_valid() or not mounted_views():
        return []
    return [
        *_check_middlewares(),
        *_check_sqlite(),
        *_check_auditlog(),
        *_check_ended_sessions(),
        *_check_silk(),
        *(_check_ssl_redirect() if conf.endpoint_is_loopback else ()),
    ]


def check_deployed_surroundings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check what is right where no proxy stands in front of the site."""
    if not settings_are_valid() or not mounted_views() or conf.endpoint_is_loopback:
        return []
    return list(_check_ssl_redirect())


def _check_middlewares() -> Iterator[CheckMessage]:
    for name, middleware in _middlewares():
        if LOGIN_WALL.search(name) and not _is_a(middleware, DJANGOS_OWN):
            yield check_message(
                "W030",
                f"The middleware {name} asks for a login. API Gateway has none, so its messages "
                "and $disconnect are answered with a redirect that nobody follows.",
                "Exempt the URL of the WebSocketView in the middleware's settings, then put this "
                "check into SILENCED_SYSTEM_CHECKS.",
                IN_TROUBLE,
            )
        if _is_a(middleware, RemoteUserMiddleware) and not _keeps_login(middleware):
            yield check_message(
                "W031",
                f"The middleware {name} logs out whoever comes without its header. API Gateway "
                "sends none, so each $connect would end the login of its cookie.",
                "Take PersistentRemoteUserMiddleware, or a subclass with "
                "force_logout_if_no_header = False.",
                f"{PAGE}#remote-user",
            )


def _keeps_login(middleware: Any) -> bool:
    return issubclass(middleware, PersistentRemoteUserMiddleware) or not getattr(
        middleware, "force_logout_if_no_header", True
    )


def _check_ssl_redirect() -> Iterator[CheckMessage]:
    redirects = settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER
    if redirects and any(_is_a(found, SecurityMiddleware) for _, found in _middlewares()):
        yield check_message(
            "W032",
            "SECURE_SSL_REDIRECT is set, and SECURE_PROXY_SSL_HEADER is not: behind a proxy that "
            "ends TLS, and on the local gateway, each event is answered with a redirect.",
            "Set SECURE_PROXY_SSL_HEADER if your proxy sets that header, or add the view's path "
            "to SECURE_REDIRECT_EXEMPT. If your server tells Django the scheme by itself, put "
            "this check into SILENCED_SYSTEM_CHECKS.",
            IN_TROUBLE,
        )


def _check_sqlite() -> Iterator[CheckMessage]:
    for alias in connections:
        database = connections[alias].settings_dict
        mode = str(database.get("OPTIONS", {}).get("transaction_mode") or "").upper()
        is_sqlite = connections[alias].vendor == "sqlite" and database.get("ATOMIC_REQUESTS")
        if is_sqlite and mode not in LOCKING_MODES:
            has_option = django.VERSION >= (5, 1)
            yield check_message(
                "W033",
                f"The database {alias!r} is SQLite with ATOMIC_REQUESTS: of events that come at "
                'once, many fail with "database is locked", whatever the timeout is.',
                'Set "transaction_mode": "IMMEDIATE" in its OPTIONS.'
                if has_option
                else "Leave out ATOMIC_REQUESTS: Django has the option transaction_mode from 5.1 "
                "on. Or take PostgreSQL or MariaDB.",
                "local-gateway.html#sqlite",
            )


def _check_auditlog() -> Iterator[CheckMessage]:
    if any("auditlog" in name for name, _ in _middlewares()) and not any(
        found.view._add_user_to_request is not WebSocketView._add_user_to_request
        for found in mounted_views()
    ):
        yield _about_package(
            "auditlog", "its middleware notes the user before the view knows one", "auditlog"
        )


def _check_ended_sessions() -> Iterator[CheckMessage]:
    for label, model in SESSION_MODELS.items():
        if label in apps.app_configs and not post_delete.has_listeners(
            apps.get_model(label, model)
        ):
            yield _about_package(
                label, "a session that is ended from elsewhere keeps its socket", "sign-out"
            )
    if any("session_timeout" in name for name, _ in _middlewares()):
        yield _about_package(
            "session_timeout", "a session that has timed out keeps its socket", "expiry"
        )


def _check_silk() -> Iterator[CheckMessage]:
    chosen = ("SILKY_INTERCEPT_FUNC", "SILKY_IGNORE_PATHS")
    is_used = any(name.startswith("silk.") for name, _ in _middlewares())
    if is_used and not any(getattr(settings, name, None) for name in chosen):
        yield _about_package("silk", "it stores the messages and tickets of sockets", "silk")


def _about_package(package: str, what: str, anchor: str) -> CheckMessage:
    return check_message(
        "W034",
        f"{package} is installed: {what}.",
        "The recipe is a few lines. If you need none, put this check into SILENCED_SYSTEM_CHECKS.",
        f"{PAGE}#{anchor}",
    )


def _middlewares() -> Iterator[tuple[str, Any]]:
    """Yield the names of MIDDLEWARE with what they name, None for what Django cannot import."""
    for name in settings.MIDDLEWARE:
        try:
            yield name, import_string(name)
        except ImportError:  # Django itself reports it.
            yield name, None


def _is_a(middleware: Any, kind: Any) -> bool:
    if isinstance(kind, str):
        try:
            kind = import_string(kind)
        except ImportError:  # This Django has no such middleware.
            return False
    return isinstance(middleware, type) and issubclass(middleware, kind)
