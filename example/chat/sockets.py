"""Sockets of the chat: the one view that the package asks for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.sending import Report
from django_aws_api_gateway_websockets.views import WebSocketView

from .latest import Latest
from .models import ROOMS, Message, names_in
from .views import name_of

tellings = Latest()


class ChatView(WebSocketView):
    """A page calls ``say`` with {"text": "hello"}; what the method ``say`` returns is the reply.

    A user's page opens its socket with a ticket. A guest has no login, but a session: its cookie
    is enough when the site and the gateway are on one machine.
    """

    connect_rate = "300/m"
    message_rate = "60/m"

    def session_data(self, request: HttpRequest) -> dict[str, Any]:
        """Keep the name with the connection: no later event has cookies."""
        return {"name": name_of(request)}

    def hello(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Answer a page's first message. Before its $connect ends, nothing can be sent to it."""
        self._tell_who_is_here()
        return self._because(messages=Message.objects.latest_in(self._room))

    def say(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        text = str(self.body.get("text", "")).strip()[:500]
        if text:
            name = self.websocket_session.data["name"]
            message = Message.objects.post(self._room, name, text)
            report = self._tell_room("message", **message.for_page())
            # A window that was killed may leave no $disconnect. Sending to it shows that it is
            # gone.
            if report.gone:
                self._tell_who_is_here()
        return self._because()

    def hang_up(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Close the socket from the server. The gateway also has a route of this name."""
        self.websocket_session.close()

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().disconnect(request, *args, **kwargs)
        self._tell_who_is_here()
        return response

    # A client cannot call methods whose names begin with an underscore.

    def _additional_connection_checks(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> tuple[bool, str]:
        if not name_of(request):
            return False, "Log in, or join as a guest"
        return self._get_channel_name(request) in ROOMS, "There is no such room"

    @property
    def _room(self) -> str:
        return self.websocket_session.channel_name

    def _tell_who_is_here(self, again: bool = True) -> None:
        """Send the room its names, and once more if that shows that somebody is gone."""

        def tell() -> None:
            report = self._tell_room("people", people=names_in(self._room))
            if report.gone and again:
                self._tell_who_is_here(again=False)

        tellings.run(self._room, tell)

    def _tell_room(self, kind: str, **content: Any) -> Report:
        everybody = WebSocketSession.objects.filter(channel_name=self._room)
        return everybody.send_message(self._because(type=kind, **content))

    def _because(self, **content: Any) -> dict[str, Any]:
        """Return a frame that also names the event that caused it, for the page's side panel."""
        route = self.request.headers["routeKey"]
        handler = self.body.get(self.route_selection_key) or self.kwargs["route"]
        return {**content, "due_to": {"route": route, "handler": handler}}
