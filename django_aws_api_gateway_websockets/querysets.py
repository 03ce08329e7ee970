"""Which connections are written to or closed, and what the outcome means for their rows."""

from __future__ import annotations

from array import array
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Mapping, Optional, Sequence

from django.db import IntegrityError, connections, models, router, transaction
from django.db.models import Exists, Q
from django.utils import timezone

from . import deliveries, engines, sending
from .broadcasts import Broadcast
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
        using = self._db or router.db_for_write(self.model)  # type: ignore[attr-defined]
        _count_request(using, session, columns)
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
        return Broadcast.objects.start(message, self.connected_keys(), at_most_once)

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
        if not self._is_final:
            # For few, one statement will do. They are put in order here: asked for an order, a
            # database may rather look through all of its rows in that order.
            rows = call(self.order_by()._rows)
            if len(rows) <= CHUNK:
                yield sorted(set(rows))
                return
        # For many, first the keys: to go on after the latest key would sort the rest each time.
        pks = call(self._pks)
        for start in range(0, len(pks), CHUNK):
            yield call(self._of(pks, start)._rows)

    def connected_keys(self) -> List[int]:
        """Return the keys of the connected sessions in their order, each once."""
        pks = self._pks()
        if not self._is_final:
            return pks.tolist()
        chunks = (self._of(pks, start) for start in range(0, len(pks), CHUNK))
        return list(chain.from_iterable(chunk._pks() for chunk in chunks))

    def count_connected(self) -> int:
        """Return how many sessions ``send_message`` would send to."""
        return len(self.connected_keys())

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

    @property
    def _is_final(self) -> bool:
        """True for a slice, a union and the like, which cannot be filtered any further."""
        return bool(self.query.is_sliced or self.query.combinator or self.query.distinct_fields)

    def _pks(self) -> array[int]:
        """The keys in their order, eight bytes each: of those connected, if it can be asked."""
        if self._is_final:
            return array("q", sorted(set(self.values_list("pk", flat=True))))
        connected = self.filter(connected=True).order_by("pk")
        return array("q", connected.values_list("pk", flat=True).distinct())

    def _of(self, pks: array[int], start: int) -> WebSocketSessionQuerySet:
        return self.every().filter(pk__in=pks[start : start + CHUNK])

    def _rows(self) -> List[Row]:
        columns = ("api_gateway__api_id", "api_gateway__stage_name", "api_gateway__api_endpoint")
        connected = self.filter(connected=True).values_list("pk", "connection_id", *columns)
        return [Row._make(values) for values in connected[: CHUNK + 1]]


def _count_request(using: str, session: WebSocketSession, columns: Mapping[str, Any]) -> None:
    # By hand, since Django takes longer to write this statement, for each message, than to run it.
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [session._meta.get_field(name) for name in ("request_count", *columns)]
    count, *others = fields
    names = [quote(field.column) for field in fields]
    written = ", ".join([f"{names[0]} = {names[0]} + 1", *(f"{name} = %s" for name in names[1:])])
    # The table of all sessions, of which a model of the site's own may have another beside it.
    table, key = quote(count.model._meta.db_table), quote(count.model._meta.pk.column)
    statement = f"UPDATE {table} SET {written} WHERE {key} = %s"  # noqa: S608 - our own names
    values = [field.get_db_prep_save(columns[field.name], connection) for field in others]
    with transaction.mark_for_rollback_on_error(using), connection.cursor() as cursor:
        cursor.execute(statement, [*values, session.pk])
