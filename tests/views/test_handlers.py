"""Which methods of a view are handlers, and what becomes of their answers."""

from __future__ import annotations

import datetime
from decimal import Decimal
from functools import wraps

import pytest
from django.contrib.auth.mixins import UserPassesTestMixin
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from django_aws_api_gateway_websockets.mixins import WebSocketContextMixin
from django_aws_api_gateway_websockets.views import WebSocketView

pytestmark = pytest.mark.django_db

UNKNOWN = (400, b"Unknown action")


@pytest.fixture
def ask(websocket, mount):
    """``ask(View, "name")``: what a client gets that asks a view for that method."""

    def ask(view, action):
        response = websocket(mount(view)).send({"action": action})
        return response.status_code, response.content

    return ask


class SiteView(WebSocketView):
    """A site's own base of all its views."""

    def shared(self, request, *args, **kwargs):
        return {"of": "the base"}

    def retired(self, request, *args, **kwargs):
        return {"of": "the base"}

    def renewed(self, request, *args, **kwargs):
        return {"of": "the base"}


def notify(*args, **kwargs):
    raise AssertionError("A client reached a function of a module")


class HandlersMixin:
    def mixed_in(self, request, *args, **kwargs):
        return {"of": "a mixin"}

    def renewed(self, request, *args, **kwargs):
        return {"of": "a mixin"}

    @property
    def hidden(self):
        raise AssertionError("A client reached a property")


class PageView(HandlersMixin, SiteView):
    retired = None
    number = 1

    class Inner:
        pass

    def own(self, request, *args, **kwargs):
        return {"of": "the view"}

    def kwargs(self, request, *args, **kwargs):
        raise AssertionError("An attribute of every view's instances hides this")

    def _private(self, request, *args, **kwargs):
        raise AssertionError("A client reached a private method")

    short = lambda self, request, *args, **kwargs: {"of": "a lambda"}  # noqa: E731

    @classmethod
    def of_class(cls, *args, **kwargs):
        raise AssertionError("A client reached a class method")

    @staticmethod
    def static(*args, **kwargs):
        raise AssertionError("A client reached a static method")


@pytest.mark.parametrize(
    ("action", "of"),
    [
        ("own", "the view"),
        ("shared", "the base"),
        ("mixed_in", "a mixin"),
        ("renewed", "a mixin"),
        ("short", "a lambda"),
    ],
)
def test_a_public_method_of_the_view_its_bases_and_mixins_is_a_handler(ask, action, of):
    assert ask(PageView, action) == (200, b'{"of": "%s"}' % of.encode())


@pytest.mark.parametrize(
    "action",
    ["retired", "hidden", "number", "Inner", "of_class", "static", "kwargs", "_private"],
)
def test_nothing_else_of_a_view_is_a_handler(ask, action):
    assert ask(PageView, action) == UNKNOWN


def test_a_view_has_no_handlers_of_its_subclass(ask):
    assert ask(SiteView, "own") == UNKNOWN


class DjangoView(
    UserPassesTestMixin, WebSocketContextMixin, TemplateResponseMixin, ContextMixin, WebSocketView
):
    """Has methods of Django's and our mixins, some of which it overrides."""

    def test_func(self):
        return True

    def get_context_data(self, **kwargs):
        raise AssertionError("A client reached an overridden method")

    get_websocket_channel = get_permission_denied_message = get_context_data


@pytest.mark.parametrize(
    "action",
    [
        "get_api_gateway",
        "get_context_data",
        "get_login_url",
        "get_permission_denied_message",
        "get_template_names",
        "get_test_func",
        "get_websocket_channel",
        "handle_no_permission",
        "render_to_response",
        "response_class",
        "test_func",
    ],
)
def test_methods_of_djangos_mixins_are_no_handlers_overridden_or_not(ask, action):
    assert ask(DjangoView, action) == UNKNOWN


class VerbsView(WebSocketView):
    """Its actions have the names of HTTP's methods, by which Django tells async views."""

    async def delete(self, request, *args, **kwargs):
        return {"deleted": True}

    def get(self, request, *args, **kwargs):
        return {"got": True}


def test_handlers_may_have_the_names_of_http_methods(ask):
    assert ask(VerbsView, "get") == (200, b'{"got": true}')
    assert ask(VerbsView, "delete") == (200, b'{"deleted": true}')


class AsyncVerbView(WebSocketView):
    async def post(self, request, *args, **kwargs):
        return {"posted": True}


def test_an_async_handler_called_post_makes_no_async_view(ask):
    assert ask(AsyncVerbView, "post") == (200, b'{"posted": true}')


def members_only(handler):
    @wraps(handler)
    def checked(self, request, *args, **kwargs):
        if request.user.is_anonymous:
            return JsonResponse({"error": "members only"}, status=403)
        return handler(self, request, *args, **kwargs)

    return checked


class DecoratedView(WebSocketView):
    @members_only
    def members(self, request, *args, **kwargs):
        raise AssertionError("The decorator was not asked")

    @method_decorator(never_cache)
    def fresh(self, request, *args, **kwargs):
        return JsonResponse({})


def test_a_decorated_method_is_a_handler(ask, websocket, mount):
    assert ask(DecoratedView, "members") == (403, b'{"error": "members only"}')
    fresh = websocket(mount(DecoratedView)).send({"action": "fresh"})
    assert "no-cache" in fresh["Cache-Control"]


def answering(answer, is_async):
    """A view whose handler ``ask`` answers so."""

    class AnsweringView(WebSocketView):
        if is_async:

            async def ask(self, request, *args, **kwargs):
                return answer

        else:

            def ask(self, request, *args, **kwargs):
                return answer

    return AnsweringView


ANSWERS = {
    "None": (None, (200, b"{}")),
    "an empty dict": ({}, (200, b"{}")),
    "False": (False, (200, b"{}")),
    "an empty text": ("", (200, b"{}")),
    "a dict": ({"a": [1, "é"]}, (200, rb'{"a": [1, "\u00e9"]}')),
    "a dict with a date": ({"on": datetime.date(2024, 2, 29)}, (200, b'{"on": "2024-02-29"}')),
    "a dict with a decimal": ({"n": Decimal("1.10")}, (200, b'{"n": "1.10"}')),
}


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_becomes_a_response(ask, answer, expected, is_async):
    assert ask(answering(answer, is_async), "ask") == expected


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
def test_a_response_is_passed_on_as_it_is(ask, is_async):
    answer = HttpResponse("as it is", status=202)
    assert ask(answering(answer, is_async), "ask") == (202, b"as it is")


def test_a_streaming_response_is_passed_on(websocket, mount):
    view = answering(StreamingHttpResponse([b"one ", b"two"]), is_async=False)
    response = websocket(mount(view)).send({"action": "ask"})
    assert response.getvalue() == b"one two"


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("answer", ["text", b"bytes", 1, [1], True, object()])
def test_any_other_answer_is_the_programmers_mistake(ask, answer, is_async):
    with pytest.raises(TypeError, match=r"ask must return None, a dict or an HttpResponse, not"):
        ask(answering(answer, is_async), "ask")


def test_what_a_handler_raises_is_not_swallowed(ask):
    class RaisingView(WebSocketView):
        def ask(self, request, *args, **kwargs):
            raise LookupError("the handler's own")

    with pytest.raises(LookupError, match="the handler's own"):
        ask(RaisingView, "ask")


def test_a_function_that_is_only_assigned_is_not_published(ask):
    class AssigningView(WebSocketView):
        hook = notify

    assert ask(AssigningView, "hook") == UNKNOWN
