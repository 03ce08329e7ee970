"""Handlers of every shape that a decorator or a project gives them, and what looks like one."""

from __future__ import annotations

import json
import logging
import threading
from functools import cached_property as functools_cached_property
from functools import partial, partialmethod, singledispatchmethod, update_wrapper

import pytest
from django.shortcuts import render
from django.utils.functional import cached_property, classproperty

from django_aws_api_gateway_websockets.decorators import permission_required
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


class BoundCall:
    """A decorator's object that binds as a function does."""

    def __init__(self, function):
        self.function = function

    def __get__(self, view, owner=None):
        return self if view is None else partial(self, view)

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


class BoundOnly:
    """One that can be called only when it is bound."""

    def __init__(self, function):
        update_wrapper(self, function)
        self._inner = function

    def __get__(self, view, owner=None):
        return partial(self._inner, view)


class Unbound:
    """One that does not bind: the function gets no view."""

    def __init__(self, function):
        self.function = function

    def __call__(self, request, *args, **kwargs):
        return self.function(None, request, *args, **kwargs)


class Slotted:
    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function

    def __call__(self, request, *args, **kwargs):
        return self.function(None, request, *args, **kwargs)


class Called:
    """An object that wants a request."""

    def __call__(self, request, *args, **kwargs):
        return {"of": kwargs["route"]}


def unnamed(function):
    """A decorator without wraps()."""

    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


class ShapesView(WebSocketView):
    @BoundCall
    def bound_call(self, request, *args, **kwargs):
        return {"of": type(self).__name__}

    @BoundOnly
    def bound_only(self, request, *args, **kwargs):
        return {"of": type(self).__name__}

    @Unbound
    def unbound(self, request, *args, **kwargs):
        return {"of": kwargs["route"]}

    @Slotted
    def slotted(self, request, *args, **kwargs):
        return {"of": kwargs["route"]}

    @Unbound
    @unnamed
    def wrapped_twice(self, request, *args, **kwargs):
        return {"of": kwargs["route"]}

    @unnamed
    def without_wraps(self, request, *args, **kwargs):
        return {"of": type(self).__name__}

    @BoundCall
    async def later(self, request, *args, **kwargs):
        return {"of": type(self).__name__}

    def _answer(self, request, *args, text, **kwargs):
        return {"of": text}

    partial_method = partialmethod(_answer, text="a partialmethod")

    called = Called()

    @singledispatchmethod
    def by_type(self, request, *args, **kwargs):
        return {"of": type(self).__name__}


@pytest.mark.parametrize(
    ("action", "of"),
    [
        ("bound_call", "ShapesView"),
        ("bound_only", "ShapesView"),
        ("unbound", "default"),
        ("slotted", "default"),
        ("wrapped_twice", "default"),
        ("without_wraps", "ShapesView"),
        ("later", "ShapesView"),
        ("partial_method", "a partialmethod"),
        ("by_type", "ShapesView"),
        ("called", "default"),
    ],
)
def test_a_handler_may_have_the_shape_that_its_decorator_gives_it(ask, action, of):
    assert ask(ShapesView, action) == (200, json.dumps({"of": of}).encode())


def test_a_lock_below_a_decorators_object_still_locks(ask):
    class LockedView(WebSocketView):
        @BoundCall
        @permission_required("auth.view_user")
        def remove(self, request, *args, **kwargs):
            raise AssertionError("A guest was let in")

        def _remove(self, request, *args, **kwargs):
            raise AssertionError("A guest was let in")

        partly = partialmethod(permission_required("auth.view_user")(_remove))

    assert ask(LockedView, "remove") == (403, b"Permission denied")
    assert ask(LockedView, "partly") == (403, b"Permission denied")


# Set on the class


def shout(self, request, *args, **kwargs):
    return {"of": type(self).__name__}


def test_a_function_that_is_set_on_a_class_later_is_a_handler(ask):
    class LateView(WebSocketView):
        pass

    assert ask(LateView, "shout") == UNKNOWN
    LateView.shout = shout
    assert ask(LateView, "shout") == (200, b'{"of": "LateView"}')
    del LateView.shout
    assert ask(LateView, "shout") == UNKNOWN


def test_one_that_a_class_decorator_sets_is_a_handler_of_subclasses_too(ask):
    def with_shout(view):
        view.shout = shout
        return view

    @with_shout
    class DecoratedView(WebSocketView):
        pass

    class Below(DecoratedView):
        pass

    assert ask(Below, "shout") == (200, b'{"of": "Below"}')


def test_an_object_that_is_set_on_a_mixin_later_is_a_handler(ask):
    class Mixin:
        pass

    class MixedView(Mixin, WebSocketView):
        pass

    Mixin.shout = BoundCall(shout)
    assert ask(MixedView, "shout") == (200, b'{"of": "MixedView"}')


@pytest.mark.parametrize("late", [json.dumps, logging.getLogger, len, dict, "text", [].append])
def test_what_cannot_be_a_handler_is_none_wherever_it_is_set(ask, late):
    class LateView(WebSocketView):
        pass

    LateView.late = late
    assert ask(LateView, "late") == UNKNOWN


# What looks like a handler


class Renderer:
    """A callable object that a view keeps."""

    def __init__(self, *functions):
        self.functions = functions
        self.encode = json.dumps

    def __call__(self, *args, **kwargs):
        raise AssertionError("A client reached an object that a view keeps")


def fail(*args, **kwargs):
    raise AssertionError("A client reached what is no handler")


class Middleware:
    def __call__(self, request):
        raise AssertionError("A client reached an object that a view keeps")


def make_function():
    def made(self, request, *args, **kwargs):
        fail()

    return made


class KeepingView(WebSocketView):
    made = make_function()
    renderer = Renderer()
    middleware = Middleware()
    rendering = partial(render, template_name="a.html")
    renderer_class = Renderer
    encoder = json.dumps
    upper = str.upper
    size = len
    lock = threading.Lock()
    acquire = threading.Lock().acquire
    ready = partial(fail)
    partly = partial(lambda text, request, *args, **kwargs: fail(), "a partial")
    assigned = fail
    encode = partialmethod(json.dumps)
    encode_bound = json.JSONEncoder().encode
    to_dict = dict
    exception = ValueError
    factory = staticmethod(fail)
    build = classmethod(fail)

    @property
    def total(self):
        fail()

    @cached_property
    def room(self):
        fail()

    @functools_cached_property
    def hall(self):
        fail()

    @classproperty
    def floor(self):
        fail()

    class Meta:
        pass


@pytest.mark.parametrize("action", [name for name in vars(KeepingView) if name[0] != "_"])
def test_what_a_view_keeps_is_not_for_clients(ask, action):
    assert ask(KeepingView, action) == UNKNOWN
