"""The chat's own view, as the documentation of 1.1.1 has taught its author."""

from __future__ import annotations

from django.http import JsonResponse

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView

from .models import Message, Room


class ChatView(WebSocketView):
    def default(self, request, *args, **kwargs):
        return JsonResponse({"default": self.body["action"]})

    def fail(self, request, *args, **kwargs):
        raise LookupError("of the handler")

    def whoami(self, request, *args, **kwargs):
        session = self.websocket_session
        return JsonResponse(
            {
                "user": request.user.get_username(),
                "channel": session.channel_name,
                "gateway": self.api_gateway.api_name,
                "route": self.kwargs["route"],
                "count": session.request_count,
            }
        )

    def chat(self, request, *args, **kwargs):
        room = Room.objects.get(name=self.websocket_session.channel_name)
        Message.objects.create(room=room, session=self.websocket_session, text=self.body["text"])
        WebSocketSession.objects.filter(channel_name=room.name).send_message(
            {"text": self.body["text"]}
        )
