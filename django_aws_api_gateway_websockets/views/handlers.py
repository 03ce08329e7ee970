"""Handlers: which methods of a view a client may call, and the responses to their answers."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, Callable

from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.http.response import HttpResponseBase

Handler = Callable[..., Any]

#: Django's mixins and this package's have public methods too. None of them is meant for clients.
FRAMEWORKS = ("django.", "django_aws_api_gateway_websockets.")

#: View.setup() gives these to every instance, so that they hide methods of the same names.
HIDDEN = {"args", "kwargs", "request"}


@lru_cache(maxsize=None)
def find_handlers(view: type, plumbing: type) -> frozenset[str]:
    """Return the names of the methods that a client of ``view`` may call.

    These are the public plain methods that the classes below ``plumbing`` add: no override of
    what ``plumbing`` or a framework's mixin has, no property, no static or class method.
    """
    own = [
        klass
        for klass in view.__mro__
        if not issubclass(plumbing, klass) and not klass.__module__.startswith(FRAMEWORKS)
    ]
    taken = {name for klass in view.__mro__ if klass not in own for name in vars(klass)} | HIDDEN
    added = {name for klass in own for name in vars(klass) if not name.startswith("_")} - taken
    return frozenset(name for name in added if _is_method(inspect.getattr_static(view, name)))


def _is_method(found: Any) -> bool:
    # A function that is defined in a class has a dot in its name. A module's function that is only
    # assigned, ``encoder = json.dumps``, has none, and is hardly meant for clients.
    return inspect.isfunction(found) and "." in found.__qualname__


def call(handler: Handler, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Call a handler, plain or async, and return its answer as a response.

    A falsy answer is ``{}``. Raises TypeError for one that is no dict and no response.
    """
    run = async_to_sync(handler) if inspect.iscoroutinefunction(handler) else handler
    answer = run(*args, **kwargs)
    if isinstance(answer, HttpResponseBase):
        return answer
    if answer and not isinstance(answer, dict):
        name = getattr(handler, "__qualname__", handler)
        raise TypeError(f"{name} must return None, a dict or an HttpResponse, not {type(answer)}.")
    return JsonResponse(answer or {})
