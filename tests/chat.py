"""The site that the suite talks to: one view with a handler of each kind."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView


class InheritedHandlers:
    def whoami(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"user": request.user.get_username()}


class ChatView(InheritedHandlers, WebSocketView):
    def chat(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        room = WebSocketSession.objects.filter(channel_name=self.websocket_session.channel_name)
        room.send_message({"text": self.body["text"]})

    def respond(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse("as it is", status=202)

    async def later(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"async": True}

    def default(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        return JsonResponse({"default": self.body["action"]})

    def _get_channel_name(self, request: HttpRequest) -> str:
        """Plumbing, overridden: not to be published by that."""
        return super()._get_channel_name(request)

    def missing_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().missing_headers(request, *args, **kwargs)

    @staticmethod
    def static(*args: Any) -> dict[str, Any]:
        return {"static": True}

    @property
    def secret(self) -> str:
        raise AssertionError("A client reached a property")
