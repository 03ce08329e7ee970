"""Handlers: which methods of a view a client may call, and the responses to their answers."""

from __future__ import annotations

import inspect
import types
from functools import lru_cache, partial, partialmethod, singledispatchmethod
from typing import Any, Callable, FrozenSet, Iterator, Sequence
from weakref import WeakKeyDictionary

from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.http.response import HttpResponseBase

Handler = Callable[..., Any]

#: Django's mixins and this package's have public methods too. None of them is meant for clients.
FRAMEWORKS = ("django.", "django_aws_api_gateway_websockets.")

#: View.setup() gives these to every instance, so that they hide methods of the same names.
HIDDEN = {"args", "kwargs", "request"}

#: What Python binds to the class, to another object, or not at all.
NO_METHODS = (
    type,
    staticmethod,
    classmethod,
    property,
    partial,  # Python 3.14 binds it, and older ones do not
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.MethodType,
    types.WrapperDescriptorType,
)

#: The names that each class had when its body, or that of the first view below it, had run.
_bodies: WeakKeyDictionary[type, FrozenSet[str]] = WeakKeyDictionary()


def remember_body(view: type) -> None:
    """Note the names of a new class and of its bases: a name that comes later was set on purpose.

    A class body often names a module's function (``encoder = json.dumps``) that is not meant for
    clients. ``ChatView.chat = chat`` is.
    """
    for klass in view.__mro__:
        if klass not in _bodies:
            _bodies[klass] = frozenset(vars(klass))


def is_handler(view: type, plumbing: type, name: str) -> bool:
    """True if a client of ``view`` may call the method of that name.

    That is a public method which one of the classes below ``plumbing`` adds: no override of what
    ``plumbing`` or a framework's mixin has, no property, no static or class method.
    """
    own, taken = _layers(view, plumbing)
    if name.startswith("_") or name in taken:
        return False
    for klass in own:
        if name in vars(klass):
            return _is_method(klass, name, vars(klass)[name])
    return False


@lru_cache(maxsize=None)
def _layers(view: type, plumbing: type) -> tuple[Sequence[type], FrozenSet[str]]:
    """Return the classes whose methods may be handlers, and the names that others have taken."""
    own = [
        klass
        for klass in view.__mro__
        if not issubclass(plumbing, klass) and not klass.__module__.startswith(FRAMEWORKS)
    ]
    taken = {name for klass in view.__mro__ if klass not in own for name in vars(klass)}
    return own, frozenset(taken | HIDDEN)


def _is_method(klass: type, name: str, found: Any) -> bool:
    """True for a method, whatever its decorators have made of it."""
    is_late = name not in _bodies.get(klass, {name})
    if inspect.isfunction(found):
        # What is defined in a class has the class before the dot in its name. A function of a
        # module has no dot, and what a decorator or any other function has made "<locals>".
        place = found.__qualname__.rpartition(".")[0]
        is_of_class = bool(place) and not place.endswith("<locals>")
        return is_of_class or (is_late and _takes_request(found)) or _wraps_method(klass, found)
    if isinstance(found, NO_METHODS):
        return False
    if isinstance(found, (partialmethod, singledispatchmethod)):
        return _is_method(klass, name, found.func)
    # An object that a decorator's class has made holds the function that the class body defines,
    # or binds as a function does.
    if _wraps_method(klass, found):
        return True
    binds = hasattr(type(found), "__get__")
    return callable(found) and (binds or is_late or _names_a_request(found))


def _wraps_method(klass: type, found: Any) -> bool:
    return any(_is_defined_in(klass, inner) for inner in _functions_in(found))


def _is_defined_in(klass: type, function: Any) -> bool:
    return function.__qualname__.startswith(f"{klass.__qualname__}.") and _takes_request(function)


def _names_a_request(found: Any) -> bool:
    """True for an object that can be called as a handler is, and says that it wants a request."""
    return (
        _takes(found, "request") and next(iter(inspect.signature(found).parameters)) == "request"
    )


def _takes_request(function: Any) -> bool:
    """True if it can be called as a handler is. A cached property's function cannot."""
    return _takes(function, "self", "request")


def _takes(found: Any, *arguments: str) -> bool:
    try:
        inspect.signature(found).bind(*arguments, route="default")
    except (TypeError, ValueError):
        return False
    return True


def _functions_in(found: Any) -> Iterator[Any]:
    """Yield the functions that a decorator's object holds, or that those wrap in turn."""
    waiting, seen = [found], {id(found)}
    while waiting:
        holder = waiting.pop()
        cells = getattr(holder, "__closure__", None) or ()
        held = [getattr(cell, "cell_contents", None) for cell in cells]
        held += getattr(holder, "__dict__", {}).values()
        held += [getattr(holder, slot, None) for slot in getattr(type(holder), "__slots__", ())]
        new = [inner for inner in held if callable(inner) and id(inner) not in seen]
        seen.update(map(id, new))
        waiting += [inner for inner in new if not isinstance(inner, type)]
        yield from filter(inspect.isfunction, new)


def call(handler: Handler, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Call a handler, plain or async, and return its answer as a response.

    A falsy answer is ``{}``. Raises TypeError for one that is no dict and no response.
    """
    run = async_to_sync(handler) if inspect.iscoroutinefunction(handler) else handler
    answer = run(*args, **kwargs)
    if inspect.iscoroutine(answer):  # of a callable object whose handler is async
        answer = async_to_sync(_await)(answer)
    if isinstance(answer, HttpResponseBase):
        return answer
    if answer and not isinstance(answer, dict):
        name = getattr(handler, "__qualname__", handler)
        raise TypeError(f"{name} must return None, a dict or an HttpResponse, not {type(answer)}.")
    return JsonResponse(answer or {})


async def _await(answer: Any) -> Any:
    return await answer
