"""Which connections are written to or closed, and what the outcome means for their rows."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple, Optional, Sequence

from django.db import IntegrityError, models, router, transaction
from django.db.models import Exists, F, Q
from django.utils import timezone

from . import aws, engines, sending
from .broadcasts import Broadcast
from .exceptions import ConfigurationError, DuplicateConnection
from .sending import GONE, Recipient, Report

if TYPE_CHECKING:
    from .models import ApiGateway, WebSocketSession

#: Rows read, sent to and marked at a time.
CHUNK = 500

#: API Gateway waits 29 s for the answer to a $connect, and until it has it AWS calls the
#: connection gone.
CONNECT_LASTS = timedelta(seconds=30)


class Row(NamedTuple):
    """What sending needs of a session."""

    pk: int
    connection_id: str
    api_id: Optional[str]
    stage_name: Optional[str]
    api_endpoint: Optional[str]

    @classmethod
    def of(cls, session: WebSocketSession) -> Row:
        gateway = session.api_gateway
        facts = (gateway.api_id, gateway.stage, gateway.api_endpoint) if gateway else (None,) * 3
        return cls(session.pk, session.connection_id, *facts)

    @property
    def recipient(self) -> Recipient:
        if not self.api_id:
            return Recipient(self.connection_id, None)
        endpoint = aws.connections_endpoint(
            self.api_id, self.stage_name or "production", self.api_endpoint or ""
        )
        return Recipient(self.connection_id, endpoint)


class WebSocketSessionQuerySet(models.QuerySet["WebSocketSession"]):
    """Sessions that can be written to, all at once."""

    def on_primary(self) -> WebSocketSessionQuerySet:
        """These sessions, read where they are written: a replica may not know of the latest."""
        is_chosen = self._db is not None  # type: ignore[attr-defined]
        return self if is_chosen else self.using(router.db_for_write(self.model))

    def gateway_of(self, api_id: str, connection_id: str) -> Optional[ApiGateway]:
        """Return the gateway of that API.

        The same SELECT tells, as ``connection_taken``, whether the connection has a session.
        """
        gateways = self.model._meta.get_field("api_gateway").remote_field.model._base_manager
        sessions = self.on_primary()
        taken = Exists(sessions.filter(connection_id=connection_id))
        found: Optional[ApiGateway] = (
            gateways.using(sessions.db).filter(api_id=api_id).annotate(connection_taken=taken)
        ).first()
        return found

    def open(
        self, connection_id: str, may_exist: bool, **columns: Any
    ) -> tuple[WebSocketSession, bool]:
        """Make a connection's session; return it, and True unless it was there.

        AWS may repeat a $connect: the same one again gets the session that the first one made.
        Raises DuplicateConnection if the id is somebody else's.
        """
        if may_exist:
            columns.update(connection_id=connection_id, connected=True, request_count=1)
            session = self.on_primary().filter(**columns).first()
            # MariaDB's collations take "A" for "a".
            if session is None or session.connection_id != connection_id:
                raise DuplicateConnection("The connection exists")
            return session, False
        try:
            return self.create(connection_id=connection_id, **columns), True
        except IntegrityError as error:
            raise DuplicateConnection("The connection exists") from error

    def record_request(self, session: WebSocketSession, **columns: Any) -> None:
        """Count one more event of a session, and write these columns, in one UPDATE."""
        columns["updated_on"] = timezone.now()
        self.filter(pk=session.pk).update(request_count=F("request_count") + 1, **columns)
        session.note_written(request_count=session.request_count + 1, **columns)

    def send_message(self, data: Any) -> Report:
        """Send ``data`` as JSON to the connected sessions of this queryset; report how it went.

        One recipient's failure never stops the others: it is counted, and those that are gone are
        marked as no longer connected. A session whose $connect is still being answered counts as
        gone but stays connected.

        Raises MessageNotSerializable or MessageTooLarge (128 KiB) before a message leaves, and
        RegionMissing before one leaves for the 500 recipients among which is one whose gateway's
        region is not known.
        """
        body = sending.encode(data)
        report = Report()
        for rows in self._connected_rows():
            self._deliver(body, rows, report)
        return report

    def send_to(self, session: WebSocketSession, data: Any) -> Report:
        """Send ``data`` to one session that is at hand; see ``send_message``."""
        report = Report()
        self._deliver(sending.encode(data), [Row.of(session)], report)
        return report

    def broadcast(self, data: Any, *, at_most_once: bool = False) -> Broadcast:
        """Send ``data`` as JSON to the sessions that are connected now, by tasks of a queue.

        The message and the recipients are recorded, and when the transaction commits a task is
        enqueued for each 1,000 of them. Where a worker dies, recipients in doubt get the message
        twice, or with ``at_most_once`` perhaps not at all. The tasks use the database that the
        router chooses.

        Raises ConfigurationError without WEBSOCKETS["task_engine"], and MessageNotSerializable or
        MessageTooLarge (128 KiB), before anything is recorded.
        """
        engines.chosen()
        message = sending.encode(data).decode()
        return Broadcast.objects.start(message, self._connected_keys(), at_most_once)

    # For no template.
    broadcast.alters_data = True  # type: ignore[attr-defined]

    def close(self, *, on_commit: bool = False) -> Report:
        """Close the connections of the connected sessions of this queryset, and their rows.

        The rows come first: whatever AWS answers, nothing is sent to these connections and no
        message of theirs is accepted any more. The client sees the code 1000; no other code and no
        reason can be chosen. The report counts those that were closed, had gone, or failed.

        With ``on_commit`` AWS is called when the transaction has committed, a failure is logged,
        and the report is empty.
        """
        report = Report()
        for rows in self.on_primary()._connected_rows():
            self._close(list(dict.fromkeys(rows)), report, on_commit)
        return report

    # For no template, and not for all sessions by a slip.
    close.alters_data = close.queryset_only = True  # type: ignore[attr-defined]

    def close_one(self, session: WebSocketSession, on_commit: bool) -> Report:
        """Close one session that is at hand; see ``close``."""
        report = Report()
        self._close([Row.of(session)], report, on_commit)
        session.note_written(connected=False)
        return report

    close_one.alters_data = True  # type: ignore[attr-defined]

    def mark_gone(self) -> int:
        """Mark these sessions as no longer connected, but for those still connecting."""
        now = timezone.now()
        connecting = Q(request_count__lte=1, created_on__gt=now - CONNECT_LASTS)
        return self.exclude(connecting).update(connected=False, updated_on=now)

    def _deliver(self, body: bytes, rows: Sequence[Row], report: Report) -> None:
        rows = list(dict.fromkeys(rows))
        if not rows:
            return
        outcomes = sending.fan_out(body, [row.recipient for row in rows])
        for outcome in outcomes:
            report.count(outcome)
        gone = [row.pk for row, outcome in zip(rows, outcomes) if outcome == GONE]
        if gone:
            self._all().filter(pk__in=gone).mark_gone()

    def _close(self, rows: Sequence[Row], report: Report, on_commit: bool) -> None:
        def hang_up() -> None:
            recipients = []
            for row in rows:
                try:
                    recipients.append(row.recipient)
                except ConfigurationError as error:  # One gateway's unknown region is its own.
                    report.count(sending.failure(str(error), row.connection_id))
            for outcome in sending.hang_up(recipients):
                report.count(outcome)

        if not rows:
            return
        closed = self._all().filter(pk__in=[row.pk for row in rows])
        closed.update(connected=False, updated_on=timezone.now())
        if on_commit:
            # Robust: what the transaction was about is done, whether AWS can be reached or not.
            transaction.on_commit(hang_up, using=closed.db, robust=True)
        else:
            hang_up()

    def _connected_keys(self) -> list[int]:
        """The connected sessions' keys in their order, each once."""
        query = self.query
        if query.is_sliced or query.combinator or query.distinct_fields:
            # These cannot be filtered any further.
            return sorted(row.pk for row in set(chain.from_iterable(self._connected_rows())))
        return sorted(set(self.filter(connected=True).order_by().values_list("pk", flat=True)))

    def _connected_rows(self) -> Iterator[list[Row]]:
        """The connected sessions' rows, CHUNK at a time. A join may give one several times."""
        query = self.query
        if query.is_sliced or query.combinator or query.distinct_fields:
            # These cannot be filtered any further.
            pks = list(dict.fromkeys(self.values_list("pk", flat=True)))
            for start in range(0, len(pks), CHUNK):
                yield self._all().filter(pk__in=pks[start : start + CHUNK])._rows()
            return
        rows = self.order_by("pk")._rows()
        yield rows
        while len(rows) == CHUNK:
            rows = self.filter(pk__gt=rows[-1].pk).order_by("pk")._rows()
            yield rows

    def _rows(self) -> list[Row]:
        columns = ("api_gateway__api_id", "api_gateway__stage_name", "api_gateway__api_endpoint")
        connected = self.filter(connected=True).values_list("pk", "connection_id", *columns)
        return [Row(*values) for values in connected[:CHUNK]]

    def _all(self) -> WebSocketSessionQuerySet:
        # Not self.db, which is the database to read from: the UPDATE goes where writes go.
        return type(self)(self.model, using=self._db)  # type: ignore[attr-defined]
