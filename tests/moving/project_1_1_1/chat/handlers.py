"""Handlers in every shape that 1.1.1 calls, and names that it calls and should not have."""

from __future__ import annotations

from functools import (
    lru_cache,
    partial,
    partialmethod,
    singledispatchmethod,
    update_wrapper,
    wraps,
)

from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from django_aws_api_gateway_websockets.views import WebSocketView


def answer(shape):
    return JsonResponse({"shape": shape})


def counted(handler):
    """Decorate as functions are decorated."""

    @wraps(handler)
    def wrapper(self, request, *args, **kwargs):
        return handler(self, request, *args, **kwargs)

    return wrapper


class Logged:
    """Decorate by a class that binds what it holds."""

    def __init__(self, handler):
        self.handler = handler
        update_wrapper(self, handler)

    def __get__(self, view, owner=None):
        return self if view is None else partial(self.handler, view)

    def __call__(self, *args, **kwargs):
        return self.handler(*args, **kwargs)


class Pinger:
    """Handle on its own, without a view."""

    def __call__(self, request, *args, **kwargs):
        return answer("object")


class ParentMixin:
    def mixed_in(self, request, *args, **kwargs):
        return answer("mixed in")


class ParentView(WebSocketView):
    def inherited(self, request, *args, **kwargs):
        return answer("inherited")

    def overridden(self, request, *args, **kwargs):
        return answer("of the parent")

    def default(self, request, *args, **kwargs):
        return answer("default")


class HandlersView(ParentMixin, ParentView):
    unit = "a text, and no handler"
    limit = 5

    def plain(self, request, *args, **kwargs):
        return answer("plain")

    same = plain

    def overridden(self, request, *args, **kwargs):
        return super().overridden(request, *args, **kwargs)

    @counted
    def wrapped(self, request, *args, **kwargs):
        return answer("wrapped")

    @method_decorator(csrf_exempt)
    def method_decorated(self, request, *args, **kwargs):
        return answer("method_decorator")

    @Logged
    def logged(self, request, *args, **kwargs):
        return answer("decorated by a class")

    @lru_cache(maxsize=1)  # noqa: B019 - of a test's few views
    def cached(self, request, *args, **kwargs):
        return answer("lru_cache")

    @singledispatchmethod
    def dispatched(self, request, *args, **kwargs):
        return answer("singledispatchmethod")

    def _say(self, request, *args, shape="private", **kwargs):
        return answer(shape)

    said = partialmethod(_say, shape="partialmethod")

    ping = Pinger()

    pong = partial(lambda shape, request, *args, **kwargs: answer(shape), "partial")

    short = lambda self, request, *args, **kwargs: answer("lambda")  # noqa: E731

    def post(self, request, *args, **kwargs):
        return answer("post")

    def get(self, request, *args, **kwargs):
        return answer("get")

    def delete(self, request, *args, **kwargs):
        return answer("delete")

    def nothing(self, request, *args, **kwargs):
        """Answer {}."""

    @staticmethod
    def static(request, *args, **kwargs):
        return answer("static")

    @classmethod
    def of_the_class(cls, request, *args, **kwargs):
        return answer("class")

    @property
    def secret(self):
        return lambda request, *args, **kwargs: answer("property")

    async def coroutine(self, request, *args, **kwargs):
        return answer("async")

    def to_dict(self, request, *args, **kwargs):
        return {"shape": "dict"}

    def invalid_useragent(self, request, *args, **kwargs):
        return answer("a refusal of the view")


def set_later(self, request, *args, **kwargs):
    return answer("set later")


HandlersView.later = set_later
HandlersView.later_object = Pinger()
HandlersView.later_borrowed = ParentMixin.mixed_in
