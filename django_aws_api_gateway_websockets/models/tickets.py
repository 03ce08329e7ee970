"""Tickets: each opens one connection for a login, on a host to which no cookies are sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Dict, Optional

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..conf import conf
from ..security.digests import digest
from ..security.identity import Identity, is_active, of_user, still_holds
from .querysets import PrimaryQuerySet, give_user

#: Expired tickets that each new ticket deletes. They are many, so that the table stays small.
DELETED_AT_ONCE = 100


class WebSocketTicketQuerySet(PrimaryQuerySet["WebSocketTicket"]):
    """Tickets: how they are issued, found and deleted."""

    def issue_for(self, user: Any, *, data: Optional[Dict[str, Any]] = None) -> str:
        """Return a new ticket for a user whom the site knows by a token, say, and no session.

        The connection ends with any logout that names no login of Django's session, with a new
        password, and when the user is deactivated or deleted. ``data`` becomes the session's
        ``data``. Raises ValueError for a user who is anonymous or not active: the ticket could not
        be used.
        """
        if user is None or user.pk is None or not is_active(user):
            raise ValueError("A ticket is for an active user who is saved")
        return self.issue(of_user(user, backend=getattr(user, "backend", None)), data)

    def issue(self, identity: Identity, data: Optional[Dict[str, Any]] = None) -> str:
        """Return a new ticket for a login, and delete some expired tickets.

        The row holds only the ticket's digest, so nobody who reads the table can use the ticket.
        """
        now = timezone.now()
        self._delete_expired(now)
        ticket = token_urlsafe(32)
        self.create(
            digest=digest(ticket),
            user=identity.user,
            auth_hash=identity.auth_hash,
            login=identity.login,
            backend=identity.backend,
            data=data,
            expires_on=now + timedelta(seconds=conf.ticket_lifetime),
        )
        return ticket

    def _delete_expired(self, now: datetime) -> None:
        # They are deleted by their keys. In a transaction of InnoDB a DELETE of a range would lock
        # the gap into which all other requests insert.
        expired = self.filter(expires_on__lte=now).values_list("pk", flat=True)[:DELETED_AT_ONCE]
        if pks := list(expired):
            self.filter(pk__in=pks).delete()

    def find(self, ticket_digest: str, connection_id: str) -> Optional[WebSocketTicket]:
        """Return the ticket's row if this connection may use it now, else None.

        It is found by its digest: a report of a failure shows what functions were called with.
        """
        rows = self.on_primary().select_related("user")
        found = rows.filter(
            usable_by(connection_id), digest=ticket_digest, expires_on__gt=timezone.now()
        ).first()
        if found is None:
            return None
        user = give_user(found)
        return found if user and still_holds(user, found.auth_hash) else None


class WebSocketTicket(models.Model):
    """A login's permission to open one connection, for WEBSOCKETS["ticket_lifetime"] seconds."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="websocket_tickets"
    )
    auth_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    login = models.CharField(max_length=64, null=True, db_index=True)  # noqa: DJ001
    #: The connection that has used it.
    connection_id = models.CharField(max_length=255, null=True)  # noqa: DJ001
    expires_on = models.DateTimeField(db_index=True)
    #: For the session that it opens; see the columns of WebSocketSession.
    backend = models.CharField(max_length=255, null=True)  # noqa: DJ001
    data = models.JSONField(null=True)

    objects = WebSocketTicketQuerySet.as_manager()

    class Meta:
        verbose_name = "WebSocket ticket"

    def __str__(self) -> str:
        return f"{self.user}, until {self.expires_on}"

    @property
    def identity(self) -> Identity:
        return Identity(self.user, self.auth_hash, self.login, self.backend)

    def spend(self, connection_id: str) -> bool:
        """Give the ticket to this connection; return False if another connection has it.

        It is one conditional UPDATE, so of many requests at the same time one succeeds. The same
        connection may spend it again, since AWS may repeat a $connect.
        """
        rows = type(self).objects.filter(usable_by(connection_id), pk=self.pk)
        return rows.update(connection_id=connection_id) == 1

    def give_back(self, connection_id: str) -> None:
        """Make the ticket usable again, because its connection was refused after all."""
        rows = type(self).objects.filter(pk=self.pk, connection_id=connection_id)
        rows.update(connection_id=None)


def usable_by(connection_id: str) -> Q:
    """Return the condition that no other connection has used a ticket."""
    return Q(connection_id=None) | Q(connection_id=connection_id)
