"""Sessions: the connections, and what is done with one or many of them at once."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional, Sequence

from django.conf import settings
from django.db import models, transaction

from .. import sending
from ..exceptions import MessageNotSerializable
from ..security.digests import digest
from ..sending import Progress, Report, Row
from ..signals import CLOSED
from . import recipients
from .broadcasts import Broadcast, task_backend
from .changes import ChangeTracking
from .endings import MAY_SPEAK, end
from .fields import ExactCharField
from .querysets import PrimaryQuerySet


class WebSocketSessionQuerySet(PrimaryQuerySet["WebSocketSession"]):
    """Sessions, to all of which a message can be sent at once."""

    def send_message(
        self, data: Any, *, on_commit: bool = False, progress: Optional[Progress] = None
    ) -> Report:
        """Send ``data`` as JSON to the connected sessions of this queryset; report how it went.

        One recipient's failure never stops the others: it is counted, and those that are gone are
        marked as no longer connected. A session whose $connect is still being answered counts as
        gone but stays connected.

        With ``on_commit`` the message leaves when the transaction has committed, to those who are
        connected then; the report is empty. It does not leave if the transaction is rolled back.

        ``progress`` is called with the number of recipients that are done and the number of all,
        some ten times a second and at the end. What it raises ends the sending.

        Raises MessageNotSerializable, MessageTooLarge (128 KiB) or RegionMissing before a message
        leaves.
        """
        return send_body(self, sending.encode(data), on_commit, progress)

    async def asend_message(self, data: Any, *, progress: Optional[Progress] = None) -> Report:
        """Send as ``send_message`` does, without blocking the event loop.

        All rows are read before the first message leaves: some 200 bytes for each recipient are
        held. If the call is cancelled, what has been handed to AWS still arrives, and the next
        message marks those that are gone. ``broadcast()`` is there for many thousands.

        ``progress`` is called in another thread.
        """
        return await recipients.asend(self, sending.encode(data), progress=progress)

    def send_text(
        self, text: str, *, on_commit: bool = False, progress: Optional[Progress] = None
    ) -> Report:
        """Send ``text`` as it is, for example an HTML fragment, and otherwise as ``send_message``.

        Raises MessageNotSerializable for an empty text, for half a surrogate pair, and for what is
        no text.
        """
        return send_body(self, sending.encode_text(text), on_commit, progress)

    async def asend_text(self, text: str, *, progress: Optional[Progress] = None) -> Report:
        """Send as ``send_text`` does, without blocking the event loop; see ``asend_message``."""
        return await recipients.asend(self, sending.encode_text(text), progress=progress)

    def send_to_one(self, session: WebSocketSession, body: bytes, on_commit: bool) -> Report:
        """Send an encoded message to one session that is loaded already; see ``send_message``."""
        report = Report()
        send = partial(recipients.send_to_one, self, session, body, report)
        now_or_on_commit(self, send, on_commit)
        return report

    async def asend_to_one(self, session: WebSocketSession, body: bytes) -> Report:
        """Send an encoded message to one session that is loaded already; see ``asend_message``."""
        return await recipients.asend_to_one(self, session, body)

    def of_login(self, session_key: str) -> WebSocketSessionQuerySet:
        """Return the sessions that were opened by the login with this key of Django's session.

        ``of_login(key).close()`` is what "sign out everywhere" has to call for each session of
        Django that it deletes. The rows hold a digest of the key alone. Sessions in signed cookies
        have no lasting key, and nothing is found for them.
        """
        return self.filter(login=digest(session_key))

    def broadcast(self, data: Any, *, at_most_once: bool = False) -> Broadcast:
        """Send ``data`` as JSON to the sessions that are connected now, by tasks of a queue.

        The message and the recipients are recorded, and when the transaction has committed a task
        is enqueued for each 1,000 of them. If a worker dies, some recipients may get the message
        twice, or with ``at_most_once`` not at all. The tasks use the database that the router
        chooses.

        Raises ConfigurationError without WEBSOCKETS["task_backend"], and MessageNotSerializable or
        MessageTooLarge (128 KiB), before anything is recorded.
        """
        return broadcast_body(self, sending.encode(data), at_most_once)

    def broadcast_text(self, text: str, *, at_most_once: bool = False) -> Broadcast:
        """Send ``text`` as it is, and otherwise as ``broadcast`` does.

        Raises MessageNotSerializable as ``send_text`` does, and for a text with NUL, which
        PostgreSQL could not record.
        """
        return broadcast_body(self, sending.encode_text(text), at_most_once)

    # A template must not call these.
    broadcast.alters_data = broadcast_text.alters_data = True  # type: ignore[attr-defined]

    def close(self, *, on_commit: bool = False) -> Report:
        """Close the connections of the connected sessions of this queryset, and mark their rows.

        Those that AWS has called gone are tried once more, since that may have been wrong.
        The rows are marked first: whatever AWS answers, nothing is sent to these connections and
        no message of theirs is accepted any more. The client sees the code 1000; no other code and
        no reason can be chosen. The report counts those that were closed, had gone, or failed.

        With ``on_commit`` AWS is called when the transaction has committed, a failure is logged,
        and the report is empty.
        """
        report = Report()
        for rows in recipients.rows_of(self.on_primary(), MAY_SPEAK):
            close_rows(self, rows, report, on_commit)
        return report

    # A template must not call this, and ``objects.close()`` must not close all sessions.
    close.alters_data = close.queryset_only = True  # type: ignore[attr-defined]

    def close_one(self, session: WebSocketSession, on_commit: bool) -> Report:
        """Close one session that is loaded already; see ``close``."""
        report = Report()
        close_rows(self, [recipients.row_of(session)], report, on_commit)
        session.mark_saved(connected=False, gone_on=None)
        return report

    close_one.alters_data = True  # type: ignore[attr-defined]


def send_body(
    sessions: WebSocketSessionQuerySet,
    body: bytes,
    on_commit: bool,
    progress: Optional[Progress],
) -> Report:
    """Send an encoded message to these sessions, now or on commit."""
    report = Report()
    send = partial(recipients.send, sessions, body, report, progress=progress)
    now_or_on_commit(sessions, send, on_commit)
    return report


def broadcast_body(
    sessions: WebSocketSessionQuerySet, body: bytes, at_most_once: bool
) -> Broadcast:
    """Record an encoded message for the sessions that are connected now; see ``broadcast``."""
    task_backend()
    if b"\0" in body:  # JSON has it escaped. SQLite would take it, but a site may move.
        raise MessageNotSerializable("A broadcast must not contain NUL: PostgreSQL refuses it.")
    return Broadcast.objects.start(
        body.decode(), recipients.connected_keys(sessions), at_most_once
    )


def close_rows(
    sessions: WebSocketSessionQuerySet, rows: Sequence[Row], report: Report, on_commit: bool
) -> None:
    """Mark these rows as closed, and then close their connections."""
    if rows:
        end(sessions.unfiltered().filter(pk__in=[row.pk for row in rows]), CLOSED)
        now_or_on_commit(sessions, partial(recipients.close, rows, report), on_commit)


def now_or_on_commit(
    sessions: WebSocketSessionQuerySet, act: Callable[[], Any], on_commit: bool
) -> None:
    """Call ``act`` now, or when the transaction of these sessions' database has committed."""
    if not on_commit:
        act()
        return

    def act_then() -> None:  # Django logs the name of a function. A partial has none.
        act()

    # The transaction has committed by then, so a failure to reach AWS is only logged.
    transaction.on_commit(act_then, using=sessions.on_primary().db, robust=True)


class WebSocketSession(ChangeTracking):
    """One connection, from its $connect on. Its row stays after the connection has ended."""

    connection_id = ExactCharField(max_length=255, unique=True)
    channel_name = ExactCharField(
        max_length=128, blank=True, default="", help_text="Like a room: messages go to a channel."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="websocket_sessions",
    )
    connected = models.BooleanField(
        default=True, help_text="Off once the site knows that the connection has ended."
    )
    api_gateway = models.ForeignKey(
        "django_aws_api_gateway_websockets.ApiGateway",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
    )
    request_count = models.PositiveBigIntegerField(default=1)
    created_on = models.DateTimeField(auto_now_add=True)
    updated_on = models.DateTimeField(auto_now=True)
    # The login that opened it, see security/identity.py. Nullable, for rows of older releases.
    auth_hash = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    login = models.CharField(  # noqa: DJ001
        max_length=64, null=True, editable=False, db_index=True
    )
    #: The path of the auth backend that gives the user, if it is not as Django's ModelBackend.
    backend = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001
    #: What the view's ``session_data()`` has kept of the $connect or of its ticket.
    data = models.JSONField(null=True, editable=False)
    #: When AWS said that the connection was gone, until a message or an ending proves otherwise.
    gone_on = models.DateTimeField(null=True, editable=False)

    objects = WebSocketSessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["connection_id", "connected"]),
            models.Index(fields=["channel_name", "connection_id"]),
            models.Index(fields=["channel_name", "connected"]),
        ]

    def __str__(self) -> str:
        return self.connection_id

    def send_message(self, data: Any, *, on_commit: bool = False) -> Report:
        """Send ``data`` as JSON to this connection; see the queryset's ``send_message``.

        The connection is tried even if the row says that it is closed.
        """
        return type(self).objects.send_to_one(self, sending.encode(data), on_commit)

    async def asend_message(self, data: Any) -> Report:
        """Send as ``send_message`` does, without blocking the event loop."""
        return await type(self).objects.asend_to_one(self, sending.encode(data))

    def send_text(self, text: str, *, on_commit: bool = False) -> Report:
        """Send ``text`` as it is to this connection; see the queryset's ``send_text``.

        The connection is tried even if the row says that it is closed.
        """
        return type(self).objects.send_to_one(self, sending.encode_text(text), on_commit)

    async def asend_text(self, text: str) -> Report:
        """Send as ``send_text`` does, without blocking the event loop."""
        return await type(self).objects.asend_to_one(self, sending.encode_text(text))

    def close(self, *, on_commit: bool = False) -> Report:
        """Close the connection; see the queryset's ``close``.

        The connection is tried even if the row says that it is closed.
        """
        return type(self).objects.close_one(self, on_commit)

    close.alters_data = True  # type: ignore[attr-defined]
