"""Proxies and managers of the sessions, as a site writes them. Needs ``isolate_apps(APP)``."""

from __future__ import annotations

from typing import Any, Callable

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
