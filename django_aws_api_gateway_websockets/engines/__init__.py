"""Which task queue carries broadcasts. Each has a module here; this one imports none of them."""

from __future__ import annotations

from typing import Protocol

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..conf import conf
from ..exceptions import ConfigurationError

#: What WEBSOCKETS["task_engine"] may say instead of a dotted path.
NAMES = {
    "celery": f"{__name__}.celery.CeleryEngine",
    "django": f"{__name__}.django.DjangoEngine",
}


class Engine(Protocol):
    """Puts tasks into a queue; WEBSOCKETS["task_engine"] names the class."""

    def enqueue(self, chunk: int) -> None:
        """Have a worker call ``chunks.deliver(chunk)`` soon.

        That may be called several times, also at once. What it returns are the seconds after
        which it has to be called again, or None.
        """
        ...


def chosen() -> Engine:
    """Return the engine that the settings name.

    Raises ConfigurationError if they name none, or one that cannot be used here.
    """
    name = conf.task_engine
    if name is None:
        raise ConfigurationError('Set WEBSOCKETS["task_engine"], to "celery" or "django".')
    try:
        engine: Engine = import_string(NAMES.get(name, name))()
    except (ImportError, ImproperlyConfigured, TypeError, ValueError, AttributeError) as error:
        text = f'WEBSOCKETS["task_engine"] is {name!r}, which cannot be used: {error}.'
        raise ConfigurationError(text) from error
    return engine
