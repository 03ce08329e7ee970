"""What happens on the sockets: the one view that the package asks for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.sending import Report
from django_aws_api_gateway_websockets.views import WebSocketView

from .latest import Latest
from .models import ROOMS, Message, Participant
from .views import name_of

tellings = Latest()


class ChatView(WebSocketView):
    """A page sends {"action": "say", "text": "hello"}, and the method ``say`` handles it.

    A user's page opens its socket with a ticket. Guests have no login for it, but a session, whose
    cookie is enough on one machine.
    """

    connect_rate = "300/m"
    message_rate = "60/m"

    def connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().connect(request, *args, **kwargs)
        # The one event that carries cookies: who it is has to be written down now.
        name = {"name": name_of(request)}
        Participant.objects.get_or_create(session=self.websocket_session, defaults=name)
        return response

    def hello(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """A page's first message: until its $connect is answered, nothing can be sent to it."""
        messages, people = Message.objects.latest_in(self._room), self._people()
        self.websocket_session.send_message(
            self._frame("welcome", messages=messages, people=people)
        )
        self._tell_who_is_here()

    def say(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        text = str(self.body.get("text", "")).strip()[:500]
        if not text:
            return
        name = self.websocket_session.participant.name
        message = Message.objects.post(self._room, name, text)
        report = self._tell_room("message", **message.for_page())
        # A window that was killed may leave no $disconnect. Sending to it is how one learns.
        if report.gone:
            self._tell_who_is_here()

    def hang_up(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Close the socket from this end. The gateway knows a route of this name, too."""
        self.websocket_session.send_message(self._frame("goodbye"))
        self.websocket_session.close()

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().disconnect(request, *args, **kwargs)
        self._tell_who_is_here()
        return response

    # What begins with an underscore cannot be asked for by a client.

    def _additional_connection_checks(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> tuple[bool, str]:
        if not name_of(request):
            return False, "Log in, or join as a guest"
        return self._get_channel_name(request) in ROOMS, "There is no such room"

    @property
    def _room(self) -> str:
        return self.websocket_session.channel_name

    def _people(self) -> list[str]:
        return Participant.objects.names_in(self._room)

    def _tell_who_is_here(self, again: bool = True) -> None:
        """Tell the room, and once more if that shows that somebody has gone."""

        def tell() -> None:
            report = self._tell_room("people", people=self._people())
            if report.gone and again:
                self._tell_who_is_here(again=False)

        tellings.run(self._room, tell)

    def _tell_room(self, kind: str, **content: Any) -> Report:
        everybody = WebSocketSession.objects.filter(channel_name=self._room)
        return everybody.send_message(self._frame(kind, **content))

    def _frame(self, kind: str, **content: Any) -> dict[str, Any]:
        """Return a frame that also tells, for the page's side panel, which event it is due to."""
        due_to = {
            "route": self.request.headers["routeKey"],
            "handler": self.body.get(self.route_selection_key) or self.kwargs["route"],
            "ref": str(self.body.get("ref", ""))[:40],
        }
        return {"type": kind, **content, "due_to": due_to}
