"""The beginning and the end of a connection."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from django.db import router, transaction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from . import faults
from .admission import AdmissionView
from .exceptions import TicketInvalid


class HandshakeView(AdmissionView):
    """Opens and closes sessions."""

    #: The subprotocols that the view speaks; the first one that a client offers is chosen.
    subprotocols: Sequence[str] = ()

    _is_new_session: bool = False

    def connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $connect; call super() first, which makes the session.

        If it raises or answers anything but a 2xx, the connection is refused and its session goes.
        Don't send to the new connection here: until this returns, AWS says that it is gone.
        """
        if self._ticket is None:
            self._open()
            return JsonResponse({})
        # Together, so that a logout, which deletes the ticket, waits for the session to close it.
        with transaction.atomic(router.db_for_write(self.model)):
            if not self._ticket.spend(self._event.connection_id):
                raise TicketInvalid("The ticket is not valid", reason="it is no longer there")
            self._open()
        return JsonResponse({})

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $disconnect; call super(), which marks the session as closed."""
        self._record_request(connected=False)
        return JsonResponse({})

    def _open(self) -> None:
        self.websocket_session, self._is_new_session = self.model.objects.open(
            self._event.connection_id,
            may_exist=getattr(self.api_gateway, "connection_taken", False),
            channel_name=self._channel_name,
            api_gateway=self.api_gateway,
            **self._identity._asdict(),
        )

    def _record_request(self, **columns: Any) -> None:
        if self.websocket_session is not None:
            self.model.objects.record_request(self.websocket_session, **columns)

    def _end_handshake(self, response: Optional[HttpResponseBase]) -> None:
        """Name the subprotocol of a connection that opens; undo what a refused one has done."""
        if response is None or not 200 <= response.status_code < 300:
            self._undo_connect()
            return
        known = [name for name in self._event.subprotocols if name in self.subprotocols]
        if known:
            response.headers.setdefault("Sec-WebSocket-Protocol", known[0])

    def _undo_connect(self) -> None:
        session, self.websocket_session = self.websocket_session, None
        # Not what a repetition of the $connect has found open, nor what will not be committed.
        if session is None or not self._is_new_session:
            return
        if not faults.is_rolled_back(router.db_for_write(self.model)):
            session.delete()
            if self._ticket:
                self._ticket.give_back(self._event.connection_id)
