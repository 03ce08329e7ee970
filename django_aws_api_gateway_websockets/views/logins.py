"""Logins: whose $connect it is, by cookie or by ticket."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from typing import Any, Dict, Iterator, Optional

from django.db import connections, transaction
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from ..exceptions import RequestRefused, TicketInvalid
from ..models import WebSocketTicket
from ..security import identity, validation
from ..security.digests import digest
from ..security.identity import Identity
from ..security.parameters import TICKET_PARAMETER, pop_parameter
from .events import event_of

#: The ways in which a view may know the user of a $connect.
COOKIE, TICKET, EITHER = AUTHENTICATION = ("cookie", "ticket", "either")


class Login:
    """A login by cookie, or none. It can be used as often as the client likes."""

    #: What a ticket's view has kept for the session.
    data: Optional[Dict[str, Any]] = None

    def __init__(self, owner: Identity, request: Optional[HttpRequest] = None) -> None:
        self.identity = owner
        self._request = request

    @property
    def has_ended(self) -> bool:
        """True if the login has ended since the request came in, by a logout beside it."""
        session = getattr(self._request, "session", None)
        if session is None or self.identity.user is None or self.identity.login is None:
            return False
        return not session.exists(session.session_key)

    def check(self) -> None:
        """Raise TicketInvalid for a ticket that cannot be used now."""

    @contextmanager
    def redeem(self, connection_id: str, using: str) -> Iterator[None]:
        """Use the login for a connection, whose session is made in the block."""
        # What the database refuses must not spoil the transaction of ATOMIC_REQUESTS.
        is_inside = connections[using].settings_dict["ATOMIC_REQUESTS"]
        with transaction.atomic(using) if is_inside else nullcontext():
            yield

    def give_back(self, connection_id: str) -> None:
        """Make the login usable again, because its connection was refused after all."""


#: Of a client without a login, and until a $connect has told its own.
NO_LOGIN = Login(Identity())


class TicketLogin(Login):
    """A login by ticket, which opens one connection."""

    def __init__(self, ticket: Optional[WebSocketTicket]) -> None:
        super().__init__(ticket.identity if ticket else Identity())
        self.ticket = ticket
        self.data = ticket.data if ticket else None

    def check(self) -> None:
        if self.ticket is None:
            raise TicketInvalid("The ticket is not valid")

    @contextmanager
    def redeem(self, connection_id: str, using: str) -> Iterator[None]:
        # In one transaction, so that a logout, which deletes the ticket, waits for the session and
        # then closes it.
        with transaction.atomic(using):
            if self.ticket is None or not self.ticket.spend(connection_id):
                raise TicketInvalid("The ticket is not valid", reason="it is no longer there")
            yield

    def give_back(self, connection_id: str) -> None:
        if self.ticket:
            self.ticket.give_back(connection_id)


def checked_data(data: Any) -> Optional[Dict[str, Any]]:
    """Return what ``session_data()`` has answered. Raises TypeError unless it is JSON's."""
    if data is not None and not isinstance(data, dict):
        raise TypeError(f"session_data() must return None or a dict, not {type(data)}.")
    json.dumps(data)
    return data


def take_ticket(request: HttpRequest) -> str:
    """Return the ticket of a $connect, or an empty text, and remove it from the request.

    It may be given back and used again, so nobody must log it or show it.
    """
    event = event_of(request)
    event.ticket = pop_parameter(request, TICKET_PARAMETER) or event.ticket
    return event.ticket


@sensitive_variables("token")
def login_of(request: HttpRequest, authentication: str, connection_id: str) -> Login:
    """Return the login of a $connect. Raises RequestRefused for a cookie that cannot be read."""
    token = "" if authentication == COOKIE else take_ticket(request)
    if token:
        return TicketLogin(WebSocketTicket.objects.find(digest(token), connection_id))
    if authentication == TICKET:
        return NO_LOGIN
    if not validation.has_readable_session_cookie(request):
        raise RequestRefused("The cookie cannot be read")
    return Login(identity.of_cookie(request), request)
