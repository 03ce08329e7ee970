"""Which connections are written to or closed, and what the outcome means for their rows."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Optional, Sequence

from django.db import IntegrityError, models, router, transaction
from django.db.models import Exists, F, Q
from django.utils import timezone

from . import deliveries, sending
from .deliveries import CHUNK, Call, Progress, Row, at_once
from .exceptions import DuplicateConnection
from .sending import Report

if TYPE_CHECKING:
    from .models import ApiGateway, WebSocketSession

#: API Gateway waits 29 s for the answer to a $connect, and until it has it AWS calls the
#: connection gone.
CONNECT_LASTS = timedelta(seconds=30)


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
        some ten times a second and at the end. What it raises ends the broadcast.

        Raises MessageNotSerializable, MessageTooLarge (128 KiB) or RegionMissing before a message
        leaves.
        """
        body = sending.encode(data)
        return self._now_or_later(
            partial(deliveries.send, self, body, progress=progress), on_commit
        )

    async def asend_message(self, data: Any, *, progress: Optional[Progress] = None) -> Report:
        """Send as ``send_message`` does, without blocking the event loop.

        ``progress`` is called in another thread.
        """
        body = sending.encode(data)
        return await deliveries.off_loop(deliveries.send, self, body, progress=progress)

    def send_to(self, session: WebSocketSession, data: Any, *, on_commit: bool = False) -> Report:
        """Send ``data`` to one session that is at hand; see ``send_message``."""
        body = sending.encode(data)
        return self._now_or_later(partial(deliveries.send_to, self, session, body), on_commit)

    async def asend_to(self, session: WebSocketSession, data: Any) -> Report:
        """Send ``data`` to one session that is at hand; see ``asend_message``."""
        return await deliveries.off_loop(deliveries.send_to, self, session, sending.encode(data))

    def close(self, *, on_commit: bool = False) -> Report:
        """Close the connections of the connected sessions of this queryset, and their rows.

        The rows come first: whatever AWS answers, nothing is sent to these connections and no
        message of theirs is accepted any more. The client sees the code 1000; no other code and no
        reason can be chosen. The report counts those that were closed, had gone, or failed.

        With ``on_commit`` AWS is called when the transaction has committed, a failure is logged,
        and the report is empty.
        """
        report = Report()
        for rows in self.on_primary().connected_rows():
            self._close(rows, report, on_commit)
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

    def connected_rows(self, call: Call = at_once) -> Iterator[List[Row]]:
        """Yield the connected sessions' rows, CHUNK at a time; the database is asked by ``call``.

        A join may find a row several times; it is there once.
        """
        query = self.query
        if query.is_sliced or query.combinator or query.distinct_fields:
            # These cannot be filtered any further.
            pks = call(self._distinct_pks)
            for start in range(0, len(pks), CHUNK):
                yield call(self.every().filter(pk__in=pks[start : start + CHUNK])._rows)
            return
        rows = call(self.order_by("pk")._rows)
        while rows:
            yield list(dict.fromkeys(rows))
            if len(rows) < CHUNK:
                return
            rows = call(self.filter(pk__gt=rows[-1].pk).order_by("pk")._rows)

    def count_connected(self) -> int:
        """Return how many sessions ``send_message`` would send to."""
        query = self.query
        if query.is_sliced or query.combinator or query.distinct_fields:
            pks = self._distinct_pks()
            return sum(
                self.every().filter(pk__in=pks[start : start + CHUNK], connected=True).count()
                for start in range(0, len(pks), CHUNK)
            )
        return self.filter(connected=True).order_by().values("pk").distinct().count()

    def every(self) -> WebSocketSessionQuerySet:
        """Return all sessions, of the database that was chosen, if one was."""
        # Not self.db, which is the database to read from: the UPDATE goes where writes go.
        return type(self)(self.model, using=self._db)  # type: ignore[attr-defined]

    def _now_or_later(
        self, act: Callable[[Report], Any], on_commit: bool, report: Optional[Report] = None
    ) -> Report:
        """Act now, or when the transaction has committed; return the report that it fills."""
        report = Report() if report is None else report
        if on_commit:

            def act_then() -> None:  # no partial, which has no name for Django to log
                act(report)

            # Robust: what the transaction was about is done, whether AWS can be reached or not.
            transaction.on_commit(act_then, using=self.on_primary().db, robust=True)
        else:
            act(report)
        return report

    def _close(self, rows: Sequence[Row], report: Report, on_commit: bool) -> None:
        if rows:
            closed = self.every().filter(pk__in=[row.pk for row in rows])
            closed.update(connected=False, updated_on=timezone.now())
            self._now_or_later(partial(deliveries.hang_up, rows), on_commit, report)

    def _distinct_pks(self) -> List[Any]:
        return list(dict.fromkeys(self.values_list("pk", flat=True)))

    def _rows(self) -> List[Row]:
        columns = ("api_gateway__api_id", "api_gateway__stage_name", "api_gateway__api_endpoint")
        connected = self.filter(connected=True).values_list("pk", "connection_id", *columns)
        return [Row(*values) for values in connected[:CHUNK]]
