"""The way of a message from rows to connections, and of what became of it back to the rows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from concurrent import futures
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from asgiref.sync import sync_to_async
from django.db import connections

from . import aws, sending
from .aws import Endpoint
from .exceptions import ConfigurationError, RegionMissing
from .sending import GONE, Outcome, Recipient, Report, failed

if TYPE_CHECKING:
    from .models import WebSocketSession
    from .querysets import WebSocketSessionQuerySet

logger = logging.getLogger(sending.__name__)

Answer = TypeVar("Answer")
Progress = Callable[[int, Optional[int]], Any]
#: Calls a function that asks the database, where that may be done.
Call = Callable[[Callable[[], Any]], Any]

#: Rows read, or marked, at a time.
CHUNK = 500

#: Seconds between two calls of a progress callback, at least.
PROGRESS_EVERY = 0.1

#: Failures of one reason that are logged one by one; of the others there is the number.
LOGGED = 20

NO_GATEWAY = failed("The session has no created gateway")


def at_once(function: Callable[[], Answer]) -> Answer:
    """Call it here and now."""
    return function()


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


class Tally:
    """Counts in a report what becomes of the rows' connections."""

    def __init__(
        self,
        report: Report,
        mark_gone: Optional[Callable[[List[Any]], Any]] = None,
        progress: Optional[Progress] = None,
        total: Optional[int] = None,
    ) -> None:
        self._report = report
        self._mark = mark_gone
        self._progress = progress
        self._total = total
        self._told, self._told_of = time.monotonic(), -1
        self._gone: List[Any] = []
        self._logged: Counter[str] = Counter()
        self._endpoints: Dict[Tuple[Any, ...], Union[Endpoint, Outcome]] = {}

    def recipients(self, chunks: Iterable[Sequence[Row]]) -> Iterator[Recipient]:
        """Yield the rows that can be reached; count the others as failed."""
        for rows in chunks:
            for pk, connection_id, *gateway in rows:
                endpoint = self._endpoint(*gateway)
                if isinstance(endpoint, Outcome):
                    self._count(connection_id, pk, endpoint)
                else:
                    yield Recipient(connection_id, endpoint, pk)

    def count(self, results: Iterable[Tuple[Recipient, Outcome]]) -> None:
        """Count the outcomes to the end, and mark the rows of those that have gone."""
        try:
            for recipient, outcome in results:
                self._count(recipient.connection_id, recipient.key, outcome)
        finally:  # What is known of the rows is so, even if something went wrong meanwhile.
            _close(results)
            self._mark_gone()
        for reason, number in self._logged.items():
            if number > LOGGED:
                logger.warning("Not reached either: %d more reason=%s", number - LOGGED, reason)
        if self._told_of != self._report.total:
            self._tell()

    def _endpoint(self, *gateway: Any) -> Union[Endpoint, Outcome]:
        if gateway not in self._endpoints:
            try:
                self._endpoints[gateway] = endpoint_of(*gateway) or NO_GATEWAY
            except ConfigurationError as error:  # One gateway's unknown region is its own.
                self._endpoints[gateway] = failed(str(error))
        return self._endpoints[gateway]

    def _count(self, connection_id: str, pk: Any, outcome: Outcome) -> None:
        self._report.count(outcome)
        if outcome == GONE:
            self._gone.append(pk)
            if len(self._gone) >= CHUNK:
                self._mark_gone()
        elif outcome.reason:
            self._log(connection_id, outcome.reason)
        if self._progress and time.monotonic() - self._told >= PROGRESS_EVERY:
            self._tell()

    def _tell(self) -> None:
        self._told, self._told_of = time.monotonic(), self._report.total
        if self._progress:
            self._progress(self._told_of, self._total)

    def _mark_gone(self) -> None:
        gone, self._gone = self._gone, []
        if gone and self._mark:
            self._mark(gone)

    def _log(self, connection_id: str, reason: str) -> None:
        self._logged[reason] += 1
        if self._logged[reason] <= LOGGED:
            logger.warning("Not reached connection_id=%s reason=%s", connection_id, reason)


def send(
    sessions: WebSocketSessionQuerySet,
    body: bytes,
    report: Report,
    *,
    progress: Optional[Progress] = None,
    call: Call = at_once,
) -> None:
    """Send to the connected of these sessions. The database is asked by way of ``call``.

    Raises RegionMissing before a message leaves.
    """
    if not aws.has_default_region():
        _require_regions(sessions.connected_rows(call))
    total = call(sessions.count_connected) if progress else None
    tally = Tally(report, _marker(sessions, call), progress, total)
    recipients = tally.recipients(sessions.connected_rows(call))
    tally.count(sending.fan_out(body, recipients))


def send_to(
    sessions: WebSocketSessionQuerySet,
    session: WebSocketSession,
    body: bytes,
    report: Report,
    *,
    call: Call = at_once,
) -> None:
    """Send to one session that is at hand. Raises RegionMissing."""
    row = call(partial(Row.of, session))
    _require_regions([[row]])
    tally = Tally(report, _marker(sessions, call))
    tally.count(sending.fan_out(body, tally.recipients([[row]])))


def hang_up(rows: Sequence[Row], report: Report) -> None:
    """Close the connections of rows that are marked as closed already."""
    tally = Tally(report)
    tally.count(sending.hang_up(tally.recipients([rows])))


async def off_loop(send: Callable[..., Any], *args: Any, **options: Any) -> Report:
    """Run ``send`` or ``send_to`` without holding up the event loop; return the report.

    It waits for the network in a thread of its own. Only its statements run in the thread in which
    those of Django's asynchronous ORM run, so that a broadcast does not hold these up either.
    """
    report = Report()
    call = partial(_call_by, asyncio.get_running_loop())
    in_a_thread = sync_to_async(send, thread_sensitive=False)
    await in_a_thread(*args, report, call=call, **options)
    return report


def _call_by(loop: asyncio.AbstractEventLoop, function: Callable[[], Answer]) -> Answer:
    """Call it in the thread of Django's asynchronous ORM, and wait for it here."""
    # Not async_to_sync(sync_to_async(...)), which would call it in this very thread.
    statement = sync_to_async(function)()
    try:
        future = asyncio.run_coroutine_threadsafe(statement, loop)
    except RuntimeError:  # The loop has been closed meanwhile.
        statement.close()
        return _call_alone(function)
    while not futures.wait([future], timeout=1).done:
        if loop.is_closed():
            return _call_alone(function)
    return _call_alone(function) if future.cancelled() else future.result()


def _call_alone(function: Callable[[], Answer]) -> Answer:
    """Call it in this thread, whose database connections nobody else would close.

    Who awaited the broadcast has gone, and their loop with them.
    """
    try:
        return function()
    finally:
        connections.close_all()


def endpoint_of(
    api_id: Optional[str], stage_name: Optional[str], api_endpoint: Optional[str]
) -> Optional[Endpoint]:
    """Return where a gateway's connections are posted to; None before it has been created.

    Raises RegionMissing, and ConfigurationError for a region that AWS does not have.
    """
    if not api_id:
        return None
    return aws.connections_endpoint(api_id, stage_name or "production", api_endpoint or "")


def _require_regions(chunks: Iterable[Sequence[Row]]) -> None:
    for rows in chunks:
        for gateway in {row[2:] for row in rows}:
            try:
                endpoint_of(*gateway)
            except RegionMissing:
                raise
            except ConfigurationError:
                pass  # It will be in the report.


def _close(results: Iterable[Any]) -> None:
    """Let a transport end what is under way now, and not when its generator is collected."""
    close = getattr(results, "close", None)
    if close:
        close()


def _marker(sessions: WebSocketSessionQuerySet, call: Call) -> Callable[[List[Any]], Any]:
    return lambda gone: call(sessions.every().filter(pk__in=gone).mark_gone)
