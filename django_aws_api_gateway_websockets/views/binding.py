"""Binding of hooks that 1.1.1 had as static methods."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Callable, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

if TYPE_CHECKING:

    def on_the_class_too(function: Function) -> Function:
        return function

else:

    class on_the_class_too:  # noqa: N801 - a decorator, as classmethod is
        """A method that may be called on the class as well, which then stands for the view."""

        def __init__(self, function: Function) -> None:
            self.function = function
            self.__doc__ = function.__doc__

        def __get__(self, view: Any, owner: type) -> MethodType:
            return MethodType(self.function, owner if view is None else view)
