"""Mixins for page views: the socket's URL and channel in a template's context."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Optional

from django.http import HttpRequest

from . import pages
from .models import ApiGateway, ApiGatewayAdditionalRoute

if TYPE_CHECKING:
    from django.views.generic.base import ContextMixin as Base
else:
    Base = object


class WebSocketContextMixin(Base):
    """Adds ``websocket_url`` and ``websocket_channel`` to the context of a template view.

    The URL is an empty string until the gateway has been created. The tag ``{% websocket %}``
    reads it, and ``websocket_gateway``.
    """

    request: HttpRequest
    #: The ``api_name`` of the gateway; None takes the first one that has been created.
    api_gateway_name: Optional[str] = None
    #: The channel to join; an empty one leaves it to the gateway's default.
    websocket_channel: str = ""

    def get_api_gateway(self) -> Optional[ApiGateway]:
        """Override to choose the gateway."""
        return pages.find_gateway(self.api_gateway_name)

    def get_websocket_channel(self) -> str:
        """Override to choose the channel."""
        return self.websocket_channel

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        channel = self.get_websocket_channel()
        gateway = self.get_api_gateway()
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["websocket_channel"] = channel
        context["websocket_gateway"] = gateway
        context["websocket_url"] = pages.socket_url(gateway, channel, self.request)
        return context


class AddWebSocketRouteToContextMixin(Base):
    """Adds ``api_gateway_route`` and ``channel_name``, as the releases 2.x to 4.x did.

    The first is the ApiGatewayAdditionalRoute of that ``websocket_route_key``, or None. New pages
    use WebSocketContextMixin, which gives the URL.
    """

    websocket_route_key: Optional[str] = "default"
    channel_name: Optional[str] = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        routes = ApiGatewayAdditionalRoute.objects.select_related("api_gateway").order_by("pk")
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["api_gateway_route"] = routes.filter(route_key=self.websocket_route_key).first()
        context["channel_name"] = self.channel_name
        return context


class AppChannelWebSocketMixin(AddWebSocketRouteToContextMixin):
    """The same, for a route and a channel that are called like the view's app.

    The name is that of the Python package in which the view is defined.
    """

    #: Another channel than that of the app's name.
    app_channel_override: Optional[str] = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        app = sys.modules[type(self).__module__].__package__
        self.websocket_route_key = app
        self.channel_name = self.app_channel_override or app
        return super().get_context_data(**kwargs)
