"""Logins: whose $connect it is, by cookie or by ticket."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Optional

from django.db import transaction
from django.http import HttpRequest

from ..exceptions import RequestRefused, TicketInvalid
from ..models import WebSocketTicket
from ..security import identity, validation
from ..security.identity import Identity

#: The parameter of a $connect that carries a ticket.
TICKET_PARAMETER = "ws_token"

#: The ways in which a view may know the user of a $connect.
COOKIE, TICKET, EITHER = AUTHENTICATION = ("cookie", "ticket", "either")


class Login:
    """A login by cookie, or none. It can be used as often as the client likes."""

    def __init__(self, owner: Identity) -> None:
        self.identity = owner

    def check(self) -> None:
        """Raise TicketInvalid for a ticket that cannot be used now."""

    @contextmanager
    def redeem(self, connection_id: str, using: str) -> Iterator[None]:
        """Use the login for a connection, whose session is made in the block."""
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


def login_of(request: HttpRequest, authentication: str, connection_id: str) -> Login:
    """Return the login of a $connect. Raises RequestRefused for a cookie that cannot be read."""
    ticket = request.GET.get(TICKET_PARAMETER, "")
    if ticket and authentication != COOKIE:
        return TicketLogin(WebSocketTicket.objects.find(ticket, connection_id))
    if authentication == TICKET:
        return NO_LOGIN
    if not validation.has_readable_session_cookie(request):
        raise RequestRefused("The cookie cannot be read")
    return Login(identity.of_request(request))
