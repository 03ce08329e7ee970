"""Processes: what each keeps for itself, and whether it runs tests.

A forked child shares nothing with its parent.
"""

from __future__ import annotations

import os
import sys
from functools import wraps
from typing import Any, Callable, Dict, Tuple, TypeVar, cast

#: Where Django notes that setup_test_environment() has been called.
TEST_UTILS = "django.test.utils"

Function = TypeVar("Function", bound=Callable[..., Any])


def is_test_environment() -> bool:
    """True between Django's setup_test_environment() and teardown_test_environment().

    Django's test runner and pytest-django call them. Production does not even import the module.
    """
    state = getattr(sys.modules.get(TEST_UTILS), "_TestState", None)
    return hasattr(state, "saved_data")


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
