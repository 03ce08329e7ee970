"""Processes: what each keeps for itself, so that a forked child shares nothing with its parent."""

from __future__ import annotations

import os
from functools import wraps
from typing import Any, Callable, Dict, Tuple, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def per_process(make: Function) -> Function:
    """Call ``make`` once for each process and each set of arguments, and keep what it returns.

    A forked child makes its own objects. It keeps those of its parent and does not touch them: to
    free the parent's connections would close them for the parent, and a lock that the parent holds
    would never be released. The arguments must be hashable. Threads that ask at the same time get
    the same object, even if ``make`` was called for each of them.
    """
    made: Dict[Tuple[Any, ...], Any] = {}

    @wraps(make)
    def own(*args: Any) -> Any:
        key = (os.getpid(), *args)
        try:
            return made[key]
        except KeyError:
            # setdefault is atomic: of several threads, the first one decides.
            return made.setdefault(key, make(*args))

    own.forget = made.clear  # type: ignore[attr-defined]
    return cast(Function, own)
