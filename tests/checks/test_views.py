"""Each check of the views: what triggers it, and what silences it."""

from __future__ import annotations

import pytest
from django.contrib.auth.mixins import (
    LoginRequiredMixin,
    PermissionRequiredMixin,
    UserPassesTestMixin,
)
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.cache import never_cache

from django_aws_api_gateway_websockets.views import WebSocketView
from tests.checks.messages import problems

# Django checks the database's own settings too.
pytestmark = pytest.mark.django_db


class ChatView(WebSocketView):
    pass


VIEW = ChatView.as_view()


def plain_view(request, **kwargs):
    return HttpResponse()


# The URL pattern


NAMELESS = {
    "no argument": path("ws/", VIEW),
    "another argument": path("ws/<slug:action>", VIEW),
    "regular expression": re_path(r"^ws/(\w+)$", VIEW),
    "included": path("ws/", include([path("chat/", VIEW)])),
    "decorated": path("ws/", never_cache(VIEW)),
}

NAMED = {
    "argument": path("ws/<slug:route>", VIEW),
    "regular expression": re_path(r"^ws/(?P<route>\w+)$", VIEW),
    "constant": path("ws/", VIEW, {"route": "default"}),
    "included": path("ws/", include([path("<slug:route>", VIEW)])),
    "argument of the including pattern": path("ws/<slug:route>/", include([path("", VIEW)])),
    "expression of the including pattern": re_path(r"^(?P<route>\w+)/", include([path("", VIEW)])),
    "constant of the including pattern": path("", include([path("", VIEW)]), {"route": "default"}),
    "another view": path("ws/", plain_view),
}


@pytest.mark.parametrize("pattern", NAMELESS.values(), ids=NAMELESS)
def test_a_pattern_that_gives_its_view_no_route_is_an_error(settings, pattern):
    settings.ROOT_URLCONF = (pattern,)
    problem = problems()["E006"]
    assert "gives its WebSocketView no route" in problem.msg
    assert 'path("ws/<slug:route>", ...)' in problem.hint


@pytest.mark.parametrize("pattern", NAMED.values(), ids=NAMED)
def test_a_pattern_that_gives_its_view_a_route_is_fine(settings, pattern):
    settings.ROOT_URLCONF = (pattern,)
    assert "E006" not in problems()


SLASHED = {
    "a path": path("ws/<slug:route>/", VIEW),
    "a path without a converter": path("ws/<route>/", VIEW),
    "an expression": re_path(r"^ws/(?P<route>\w+)/$", VIEW),
    "an expression that ends otherwise": re_path(r"^ws/(?P<route>[^/]+)/\Z", VIEW),
    "included": path("ws/", include([path("<slug:route>/", VIEW)])),
    "an including pattern": path("ws/<slug:route>/", include([path("", VIEW)])),
    "two includes": path("a/", include([path("<str:route>", include([path("/", VIEW)]))])),
}

SLASHLESS = {
    "a path": path("ws/<slug:route>", VIEW),
    "an expression": re_path(r"^ws/(?P<route>\w+)$", VIEW),
    "an optional slash": re_path(r"^ws/(?P<route>\w+)/?$", VIEW),
    "a constant, for a route of its own": path("ws/late/", VIEW, {"route": "late"}),
    "something behind the route": path("ws/<slug:route>/<slug:room>", VIEW),
    "another view": path("<slug:route>/", plain_view),
}


@pytest.mark.parametrize("pattern", SLASHED.values(), ids=SLASHED)
def test_a_slash_behind_the_route_is_named(settings, pattern):
    settings.ROOT_URLCONF = (pattern,)
    ((number, problem),) = problems().items()
    assert number == "W035"
    assert 'path("ws/<slug:route>", ...), without a slash' in problem.hint


@pytest.mark.parametrize("pattern", SLASHLESS.values(), ids=SLASHLESS)
def test_another_slash_is_fine(settings, pattern):
    settings.ROOT_URLCONF = (pattern,)
    assert problems() == {}


def test_a_project_without_urls_is_fine(settings):
    del settings.ROOT_URLCONF
    assert problems() == {}


# The attributes


def view_with(**attributes):
    return type("ChosenView", (WebSocketView,), attributes)


@pytest.mark.parametrize(
    "name",
    [
        *("permissions_required", "all_permissions_required", "allowed_origins"),
        *("additional_origins", "subprotocols", "required_headers"),
        *("additional_required_headers", "required_connection_headers"),
    ],
)
def test_a_text_in_place_of_a_list_is_an_error(mount, name):
    mount(view_with(**{name: "https://example.com"}))
    ((number, problem),) = problems().items()
    assert number == "E016"
    assert f"{name} of ChosenView" in problem.msg
    assert f"{name} = ['https://example.com']" in problem.hint


@pytest.mark.parametrize("value", [5, object, {"a": 1}], ids=repr)
@pytest.mark.parametrize("name", ["allowed_origins", "subprotocols", "permissions_required"])
def test_anything_else_in_place_of_a_list_is_an_error_as_well(mount, name, value):
    mount(view_with(**{name: value}))
    assert list(problems(deploy=True)) == ["E016"]


def test_an_odd_id_of_an_api_is_named_and_no_traceback(mount):
    mount(view_with(aws_api_gateway_id=["api1"]))
    assert list(problems(deploy=True)) == ["W006"]


def test_what_as_view_is_given_is_checked_as_well(mount):
    mount(ChatView, subprotocols="chat.v1")
    assert list(problems()) == ["E016"]
    mount(ChatView, subprotocols=["chat.v1"])
    assert problems() == {}


ORIGINS = [
    *("https://example.com", "https://*.example.com", "http://localhost:8000"),
    *("https://example.com:8443", "https://[::1]:8000"),
    *("capacitor://localhost", "chrome-extension://abcdefghijklmnop", "ionic://*.localhost"),
]
NO_ORIGINS = [
    *("example.com", "https://example.com/", "https://Example.com", "https://example.com:443"),
    *("https://a@example.com", "*", "https://", "null", "ftp://example.com", ""),
    *("https://*", "https://foo*.example.com", "https://*.*.example.com"),
]


@pytest.mark.parametrize("name", ["allowed_origins", "additional_origins"])
def test_an_entry_that_is_no_origin_is_an_error(mount, name):
    mount(view_with(**{name: ORIGINS}))
    assert problems() == {}
    for entry in NO_ORIGINS:
        mount(view_with(**{name: [*ORIGINS, entry]}))
        assert repr(entry) in problems()["E015"].msg


@pytest.mark.parametrize("name", ["connect_rate", "message_rate"])
def test_a_rate_that_is_none_is_an_error(mount, name):
    mount(view_with(**{name: "30/m"}))
    assert problems() == {}
    mount(view_with(**{name: "30 a minute"}))
    assert f"{name} of ChosenView" in problems()["E012"].msg


def test_a_rate_of_tickets_is_counted_in_the_same_cache(settings):
    settings.WEBSOCKETS = {"ticket_rate": "5/m"}
    assert list(problems(deploy=True)) == ["W007"]


def test_an_unknown_way_to_authenticate_is_an_error_that_names_the_three(mount):
    mount(view_with(authentication="password"))
    assert "'cookie', 'ticket', 'either'" in problems()["E014"].hint


@pytest.mark.parametrize(
    "mixin", [LoginRequiredMixin, PermissionRequiredMixin, UserPassesTestMixin]
)
def test_a_mixin_that_redirects_is_an_error(mount, mixin):
    mount(type("MixedView", (mixin, WebSocketView), {}))
    assert "allow_anonymous = False" in problems()["E017"].hint


AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


@pytest.mark.parametrize(
    ("attributes", "warned"),
    [
        ({"authentication": "cookie", "allow_anonymous": False}, True),
        ({"authentication": "cookie", "allow_anonymous": True}, False),
        ({"authentication": "ticket", "allow_anonymous": False}, False),
        ({"authentication": "either", "allow_anonymous": False}, False),
    ],
)
def test_a_view_that_nobody_can_enter_is_a_warning(mount, settings, attributes, warned):
    mount(view_with(**attributes))
    assert problems() == {}
    settings.INSTALLED_APPS = [a for a in settings.INSTALLED_APPS if a != "django.contrib.admin"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != AUTHENTICATION]
    assert ("W003" in problems()) is warned


# The rates' cache

MEMORY = "django.core.cache.backends.locmem.LocMemCache"
REDIS = "django.core.cache.backends.redis.RedisCache"


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
@pytest.mark.parametrize("where", ["site", "view"])
def test_a_rate_in_a_cache_of_one_process_is_a_warning_before_a_deployment(
    mount, settings, backend, where
):
    backend = f"django.core.cache.backends.{backend}"
    settings.CACHES = {"default": {"BACKEND": backend}, "shared": {"BACKEND": REDIS}}
    assert problems(deploy=True) == {}
    rate = {"message_rate": "5/s"}
    mount(view_with(**rate) if where == "view" else ChatView)
    settings.WEBSOCKETS = rate if where == "site" else {}
    assert problems() == {}
    assert backend in problems(deploy=True)["W007"].msg
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "rate_cache": "shared"}
    assert problems(deploy=True) == {}
