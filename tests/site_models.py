"""Models and managers of the sessions, as a site writes them. Needs ``isolate_apps(APP)``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator

from django.db import connection, models

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketSessionQuerySet

APP = "django_aws_api_gateway_websockets"


def proxy(**attributes: Any) -> Any:
    """A proxy of the sessions with these attributes."""
    meta = type("Meta", (), {"app_label": APP, "proxy": True})
    return type("Visit", (WebSocketSession,), {"__module__": APP, "Meta": meta, **attributes})


def manager_of(choose: Callable[[Any], Any]) -> Any:
    """A manager of the rows that ``choose`` leaves, which it is asked about each time."""

    class Chosen(WebSocketSessionQuerySet.as_manager().__class__):  # type: ignore[misc]
        def get_queryset(self) -> Any:
            return choose(super().get_queryset())

    return Chosen()


@contextmanager
def own_table() -> Iterator[Any]:
    """A model of the sessions with a table of its own, which is there within the block."""

    class Visit(WebSocketSession):
        mood = models.CharField(max_length=20, default="curious")

        class Meta:
            app_label = APP

    with connection.schema_editor() as editor:
        editor.create_model(Visit)
    try:
        yield Visit
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Visit)
