"""Each check of middlewares, databases and packages: what triggers it, and what silences it."""

from __future__ import annotations

import sys
from types import ModuleType

import django
import pytest
from django.apps import AppConfig, apps
from django.contrib.auth.middleware import PersistentRemoteUserMiddleware, RemoteUserMiddleware
from django.contrib.sessions.models import Session
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections
from django.db.models.signals import post_delete
from django.utils.module_loading import import_string

from django_aws_api_gateway_websockets.checks.surroundings import DJANGOS_OWN
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.chat import ChatView
from tests.checks.messages import problems

pytestmark = pytest.mark.django_db


class KeepingMiddleware(RemoteUserMiddleware):
    force_logout_if_no_header = False


class SinglePageMiddleware(RemoteUserMiddleware):
    header = "HTTP_X_USER"


class SharedCache(LocMemCache):
    """A cache of a site's own, which is no more shared than its parent."""


@pytest.fixture
def install(monkeypatch, settings):
    """Makes a package of that name, whose middleware the site has."""

    def install(name):
        module, _, made = name.rpartition(".")
        monkeypatch.setitem(sys.modules, module.partition(".")[0], ModuleType("package"))
        monkeypatch.setitem(sys.modules, module, ModuleType(module))
        setattr(sys.modules[module], made, type(made, (), {}))
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, name]

    return install


WALLS = [
    "stronghold.middleware.LoginRequiredMiddleware",
    "login_required.middleware.LoginRequiredMiddleware",
    "global_login_required.GlobalLoginRequiredMiddleware",
    "mysite.walls.RequireLoginMiddleware",
    "mysite.walls.require_login_middleware",
]


@pytest.mark.parametrize("name", WALLS)
def test_a_middleware_that_asks_for_a_login_is_named(install, name):
    install(name)
    ((number, problem),) = problems().items()
    assert number == "W030"
    assert name in problem.msg


def test_it_is_not_where_no_view_is_mounted(install, settings):
    install(WALLS[0])
    settings.ROOT_URLCONF = ()
    assert problems() == {}


@pytest.mark.skipif(django.VERSION < (5, 1), reason="Django has none")
def test_djangos_own_middleware_and_its_subclasses_are_fine(settings, monkeypatch):
    own = type("OurLoginRequiredMiddleware", (import_string(DJANGOS_OWN),), {})
    monkeypatch.setattr(sys.modules[__name__], own.__name__, own, raising=False)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, DJANGOS_OWN, f"{__name__}.{own.__name__}"]
    assert problems() == {}


def test_a_middleware_that_cannot_be_imported_is_left_to_django(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "nowhere.Middleware"]
    assert problems() == {}


@pytest.mark.parametrize(
    ("middleware", "is_named"),
    [
        (RemoteUserMiddleware, True),
        (SinglePageMiddleware, True),
        (PersistentRemoteUserMiddleware, False),
        (KeepingMiddleware, False),
    ],
)
def test_a_middleware_that_logs_out_without_its_header_is_named(settings, middleware, is_named):
    name = f"{middleware.__module__}.{middleware.__name__}"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, name]
    assert ("W031" in problems()) is is_named


SECURITY = "django.middleware.security.SecurityMiddleware"


@pytest.mark.parametrize(
    ("endpoint", "deploy", "is_named"),
    [(None, True, True), (None, False, False), ("http://127.0.0.1:9001", False, True)],
)
def test_a_redirect_to_https_that_knows_no_proxy_is_named(settings, endpoint, deploy, is_named):
    assert SECURITY in settings.MIDDLEWARE
    settings.AWS_GATEWAY_ENDPOINT_URL = endpoint
    assert "W032" not in problems(deploy)
    settings.SECURE_SSL_REDIRECT = True
    assert ("W032" in problems(deploy)) is is_named
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert "W032" not in problems(deploy)


def test_without_the_middleware_nothing_redirects_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != SECURITY]
    assert "W032" not in problems(deploy=True)


@pytest.mark.skipif(connections["default"].vendor != "sqlite", reason="It is about SQLite")
@pytest.mark.parametrize("mode", [None, "DEFERRED", "immediate", "EXCLUSIVE"])
def test_sqlite_whose_transactions_begin_without_a_lock_is_named(monkeypatch, mode):
    database = connections["default"].settings_dict
    monkeypatch.setitem(database, "OPTIONS", {"transaction_mode": mode})
    assert problems() == {}
    monkeypatch.setitem(database, "ATOMIC_REQUESTS", True)
    found = problems()
    assert ("W033" in found) is (mode in (None, "DEFERRED"))
    if found:
        words = '"transaction_mode": "IMMEDIATE"' if django.VERSION >= (5, 1) else "Leave out"
        assert words in found["W033"].hint


def test_auditlog_is_named_until_a_view_tells_it_the_user(install, mount):
    install("auditlog.middleware.AuditlogMiddleware")
    assert "auditlog is installed" in problems()["W034"].msg

    class ToldView(WebSocketView):
        def _add_user_to_request(self, request):
            return super()._add_user_to_request(request)

    mount(ToldView)
    assert problems() == {}


def test_a_session_timeout_is_named(install):
    install("django_session_timeout.middleware.SessionTimeoutMiddleware")
    assert "session_timeout is installed" in problems()["W034"].msg


@pytest.mark.parametrize("setting", ["SILKY_INTERCEPT_FUNC", "SILKY_IGNORE_PATHS"])
def test_silk_is_named_until_it_is_told_what_to_leave_out(install, settings, setting):
    install("silk.middleware.SilkyMiddleware")
    assert "silk is installed" in problems()["W034"].msg
    setattr(settings, setting, ["/ws/"])
    assert problems() == {}


@pytest.mark.parametrize(
    ("label", "model"), [("usersessions", "UserSession"), ("user_sessions", "Session")]
)
def test_sessions_that_end_elsewhere_are_named_until_somebody_listens(monkeypatch, label, model):
    # Django's model stands for the package's.
    package = AppConfig(label, sys.modules[__name__])
    package.models = {model.lower(): Session}
    monkeypatch.setitem(apps.app_configs, label, package)
    package.apps, package.label = apps, label

    def listens(**kwargs):
        """Closes what the session has opened."""

    assert f"{label} is installed" in problems()["W034"].msg
    post_delete.connect(listens, sender=Session)
    try:
        assert problems() == {}
    finally:
        post_delete.disconnect(listens, sender=Session)


def test_a_subclass_of_a_cache_that_is_not_shared_is_named_as_well(settings, mount):
    mount(ChatView, connect_rate="5/m")
    backend = f"{__name__}.{SharedCache.__name__}"
    settings.CACHES = {"default": {"BACKEND": backend}}
    assert "W007" in problems(deploy=True)


def test_a_cache_that_cannot_be_imported_is_left_to_django(settings, mount):
    mount(ChatView, connect_rate="5/m")
    settings.CACHES = {"default": {"BACKEND": "nowhere.Cache"}}
    assert problems(deploy=True) == {}


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        *("max_in_flight", "max_send_rate", "send_timeout", "task_lease", "ticket_lifetime"),
        *("connect_rate", "message_rate", "ticket_rate"),
    ],
)
def test_a_truth_value_is_no_number(settings, name, value):
    settings.WEBSOCKETS = {name: value}
    is_off = value is False and name.endswith("_rate") and name != "max_send_rate"
    assert len(problems()) == (0 if is_off else 1)
