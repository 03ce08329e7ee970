"""Recipients: from the rows of sessions to connections, and what became of them to the rows."""

from __future__ import annotations

import logging
from array import array
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache, partial
from itertools import chain
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Type,
    TypeVar,
)

from asgiref.sync import sync_to_async
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Model, Q
from django.utils import timezone

from .. import sending
from ..sending import BATCH_SIZE, Progress, Report, ReportWriter, Row
from ..signals import GONE
from .endings import CONNECTED, end
from .locking import reconnected, unlocked
from .querysets import PrimaryQuerySet, is_ours
from .statements import Select

logger = logging.getLogger(__package__)

Answer = TypeVar("Answer")
Sessions = PrimaryQuerySet[Any]

#: API Gateway waits 29 s for the answer to a $connect. Until it has the answer, AWS says that the
#: connection is gone.
CONNECT_TIMEOUT = timedelta(seconds=30)

#: Stand for the keys of a full batch among the parameters of its statement. No row has them.
STAND_INS = range(-BATCH_SIZE, 0)


def send(
    sessions: Sessions,
    body: bytes,
    report: Report,
    *,
    progress: Optional[Progress] = None,
) -> None:
    """Send to the connected sessions. Raises RegionMissing before a message leaves."""
    sending.require_regions(connected_rows(sessions))
    total = len(connected_keys(sessions)) if progress else None
    writer = ReportWriter(report, partial(mark_gone, sessions), progress, total)
    post(connected_rows(sessions), body, writer)


def send_recorded(sessions: Sessions, body: bytes, record: Callable[[Report], Answer]) -> Answer:
    """Send as ``send`` does; return ``record(report)``.

    What has been sent is recorded before anything else can fail. Then those who are gone are
    marked.
    """
    sending.require_regions(connected_rows(sessions))
    report, gone = Report(), array("q")
    post(connected_rows(sessions), body, ReportWriter(report, gone.extend))
    answer = record(report)
    for keys in _batches(gone):
        mark_gone(sessions, keys)
    return answer


def send_to_one(sessions: Sessions, session: Any, body: bytes, report: Report) -> None:
    """Send to one session that is loaded already. Raises RegionMissing."""
    rows = [row_of(session)]
    sending.require_regions([rows])
    post([rows], body, ReportWriter(report, partial(mark_gone, sessions)))


async def asend(sessions: Sessions, body: bytes, *, progress: Optional[Progress] = None) -> Report:
    """Send as ``send`` does, without blocking the event loop: read all rows, post, mark the gone.

    The caller's own task awaits each statement, as it does for Django's own asynchronous ORM.
    """
    next_batch = sync_to_async(partial(next, connected_rows(sessions), None))
    rows: List[Row] = []
    # One statement at a time, so that other tasks' statements have their turn.
    while batch := await next_batch():
        rows += batch
    return await _apost(sessions, rows, body, progress)


async def asend_to_one(sessions: Sessions, session: Any, body: bytes) -> Report:
    """Send as ``send_to_one`` does, without blocking the event loop."""
    row = await sync_to_async(row_of)(session)
    return await _apost(sessions, [row], body)


async def _apost(
    sessions: Sessions,
    rows: List[Row],
    body: bytes,
    progress: Optional[Progress] = None,
) -> Report:
    report = Report()
    gone: List[int] = []
    writer = ReportWriter(report, gone.extend, progress, len(rows))

    def post_all() -> None:
        sending.require_regions([rows])
        post([rows], body, writer)

    try:
        await _in_thread(post_all)
    except Exception:  # for example of ``progress``; a cancelled call marks nobody
        await _amark_gone(sessions, gone)
        raise
    await _amark_gone(sessions, gone)
    return report


async def _amark_gone(sessions: Sessions, keys: Sequence[int]) -> None:
    for start in range(0, len(keys), BATCH_SIZE):
        await sync_to_async(mark_gone)(sessions, keys[start : start + BATCH_SIZE])


async def _in_thread(function: Callable[[], Answer]) -> Answer:
    """Call it in a thread of its own: the loop's shared threads are for short calls."""
    executor = ThreadPoolExecutor(1, "websocket-asend")
    try:
        call: Any = sync_to_async(function, thread_sensitive=False, executor=executor)
        answer: Answer = await call()
    finally:
        executor.shutdown(wait=False)
    return answer


def post(batches: Iterable[Sequence[Row]], body: bytes, writer: ReportWriter) -> None:
    """Send to these rows, and have the outcomes written. Knows no database."""
    writer.write(sending.fan_out(body, sending.reachable(batches, writer)))


def close(rows: Sequence[Row], report: Report) -> None:
    """Close the connections of rows that are marked as closed already."""
    writer = ReportWriter(report)
    writer.write(sending.close(sending.reachable([rows], writer)))


def mark_gone(sessions: Sessions, keys: Sequence[int]) -> None:
    """Mark the sessions of these keys as no longer connected, except those still connecting.

    Nothing depends on it: rows that somebody else has locked, or all of them if the database
    fails, are left to the next message.
    """
    using = sessions.on_primary().db
    try:
        reconnected(using, partial(_mark_unlocked, sessions.using(using), keys))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Sessions not marked as gone count=%s error=%s", len(keys), error)


def _mark_unlocked(sessions: Sessions, keys: Sequence[int]) -> None:
    # In a transaction of the caller this is a savepoint, so that a failure loses none of its work.
    with transaction.atomic(sessions.db):
        for free in unlocked(sessions.unfiltered(), keys):
            _mark(sessions, free)


def _mark(sessions: Sessions, keys: Sequence[int]) -> None:
    gone = sessions.unfiltered().filter(pk__in=keys)
    # A session that a test has just made looks as if it were connecting. Its mock means it.
    if not sending.is_replaceable():
        began = timezone.now() - CONNECT_TIMEOUT
        gone = gone.exclude(Q(request_count__lte=1, created_on__gt=began))
    end(gone, GONE)


def row_of(session: Any) -> Row:
    """Return what sending needs of a session that is loaded already."""
    gateway = session.api_gateway
    columns = (gateway.api_id, gateway.stage, gateway.api_endpoint) if gateway else (None,) * 3
    return Row(session.pk, session.connection_id, columns)


def connected_rows(sessions: Sessions) -> Iterator[List[Row]]:
    """Yield the connected sessions' rows in batches, each by one statement."""
    return rows_of(sessions, CONNECTED)


def rows_of(sessions: Sessions, condition: Q) -> Iterator[List[Row]]:
    """Yield the rows of the sessions that meet the condition, likewise.

    A join may find a row several times; it is there once.
    """
    if not _is_final(sessions):
        # For few sessions one statement is enough. Python sorts them: asked for an order, a
        # database may look through all of its rows in that order.
        rows = _rows(_values(sessions.order_by(), condition))
        if len(rows) <= BATCH_SIZE:
            yield sorted(set(rows))
            return
    # For many sessions the keys are read first: a statement that goes on after the latest key
    # would sort the rest each time.
    every = sessions.unfiltered()
    for keys in _batches(_keys(sessions, condition)):
        yield reconnected(sessions.db, partial(_rows_of, every, keys, condition))


def connected_keys(sessions: Sessions) -> List[int]:
    """Return the keys of the connected sessions in their order, each once."""
    keys = _keys(sessions)
    if not _is_final(sessions):
        return keys.tolist()
    every = sessions.unfiltered()
    batches = (_keys(every.filter(pk__in=batch)) for batch in _batches(keys))
    return list(chain.from_iterable(batches))


def _is_final(sessions: Sessions) -> bool:
    """True for a slice, a union and the like, which cannot be filtered any further."""
    query = sessions.query
    return bool(query.is_sliced or query.combinator or query.distinct_fields)


def _keys(sessions: Sessions, condition: Q = CONNECTED) -> array[int]:
    """Return the keys in their order, eight bytes each; of a final queryset also those closed."""
    if _is_final(sessions):
        return array("q", sorted(set(sessions.values_list("pk", flat=True))))
    found = sessions.filter(condition).order_by("pk")
    return array("q", found.values_list("pk", flat=True).distinct())


def _batches(keys: array[int]) -> Iterator[array[int]]:
    for start in range(0, len(keys), BATCH_SIZE):
        yield keys[start : start + BATCH_SIZE]


def _rows_of(sessions: Sessions, keys: array[int], condition: Q) -> List[Row]:
    return _rows(_values_of(sessions, keys, condition))


def _values_of(sessions: Sessions, keys: array[int], condition: Q) -> Iterable[Sequence[Any]]:
    """Return what ``_values`` does, of the sessions with these keys."""
    if len(keys) < BATCH_SIZE or not is_ours(sessions):
        values: Iterable[Sequence[Any]] = _values(sessions.filter(pk__in=keys), condition)
        return values
    model: Any = sessions.model
    return _batch_statement(model, sessions.db, condition).rows(dict(zip(STAND_INS, keys)))


@lru_cache(maxsize=None)
def _batch_statement(model: Type[Model], using: str, condition: Q) -> Select:
    """Return the SELECT of a full batch. Django takes as long to write it as SQLite to run it."""
    batch: Sessions = PrimaryQuerySet(model, using=using).filter(pk__in=STAND_INS)
    return Select(_values(batch, condition))


def _values(sessions: Sessions, condition: Q) -> Any:
    """Return the columns of a Row for the sessions that meet the condition."""
    columns = ("api_gateway__api_id", "api_gateway__stage_name", "api_gateway__api_endpoint")
    found = sessions.filter(condition).values_list("pk", "connection_id", *columns)
    return found[: BATCH_SIZE + 1]


def _rows(found: Iterable[Sequence[Any]]) -> List[Row]:
    # The rows of a batch share the texts of their gateway, because asend() holds all rows at once.
    shared: Dict[Any, Any] = {}
    return [
        Row(pk, connection_id, shared.setdefault(gateway := (api_id, stage, url), gateway))
        for pk, connection_id, api_id, stage, url in found
    ]
