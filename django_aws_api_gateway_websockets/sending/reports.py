"""Reports: recipients, their outcomes, and how these are counted. Knows no database."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Tuple

from ..aws import Endpoint

logger = logging.getLogger(__package__)

#: Called with the number of recipients that are done, and that of all (None if not known).
Progress = Callable[[int, Optional[int]], Any]

#: Seconds between two calls of a progress callback, at least.
PROGRESS_EVERY = 0.1

#: Failures of one reason that are logged one by one; the rest are logged as a number.
LOGGED_PER_REASON = 20

#: Rows or recipients that are read, sent to or marked together.
BATCH_SIZE = 500


class Recipient(NamedTuple):
    """One connection, and the endpoint through which it is reached."""

    connection_id: str
    endpoint: Endpoint
    #: The caller's own, to recognise the recipient by.
    key: Any = None


class Outcome(NamedTuple):
    """The outcome of one recipient: "sent", "closed", "gone", or "failed" with a reason."""

    status: str
    reason: str = ""


SENT = Outcome("sent")
GONE = Outcome("gone")
CLOSED = Outcome("closed")

Result = Tuple[Recipient, Outcome]


#: The most characters of a reason, and of an id in the log.
MAX_REASON = 200


def failed(reason: str) -> Outcome:
    """Return the outcome of a recipient that could not be served for this reason."""
    return Outcome("failed", reason)


def printable(text: str) -> str:
    """Return a text that somebody else has written for a line of the log, and as a key."""
    if len(text) <= MAX_REASON and text.isprintable():
        return text
    return repr(text[:MAX_REASON])[1:-1][:MAX_REASON]


@dataclass
class Report:
    """How many recipients of a message were sent to, closed, gone, or failed.

    ``reasons`` counts the failures by their reason.
    """

    sent: int = 0
    closed: int = 0
    gone: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """The number of recipients whose outcome is known."""
        return self.sent + self.closed + self.gone + self.failed

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome.status, getattr(self, outcome.status) + 1)
        if outcome.reason:
            self.reasons[printable(outcome.reason)] += 1


class ReportWriter:
    """Counts the outcomes of one message in a report.

    ``on_gone`` is called with the keys of recipients that are gone, a batch at a time;
    ``progress`` is called about ten times a second and at the end.
    """

    def __init__(
        self,
        report: Report,
        on_gone: Optional[Callable[[List[Any]], Any]] = None,
        progress: Optional[Progress] = None,
        total: Optional[int] = None,
    ) -> None:
        self._report = report
        self._on_gone = on_gone
        self._progress = progress
        self._total = total
        self._progress_at, self._progress_of = time.monotonic(), -1
        self._gone: List[Any] = []
        self._logged: Counter[str] = Counter()

    def write(self, results: Iterable[Result]) -> None:
        """Count all results."""
        try:
            for recipient, outcome in results:
                self.count(recipient.connection_id, recipient.key, outcome)
        finally:  # Even after an error, the recipients that are known to be gone are passed on.
            _close(results)
            self._pass_on_gone()
        for reason, number in self._logged.items():
            if number > LOGGED_PER_REASON:
                others = number - LOGGED_PER_REASON
                logger.warning("Not reached either: %d more reason=%s", others, reason)
        if self._progress_of != self._report.total:
            self._call_progress()

    def count(self, connection_id: str, key: Any, outcome: Outcome) -> None:
        """Count one outcome."""
        self._report.count(outcome)
        if outcome == GONE:
            self._gone.append(key)
            if len(self._gone) >= BATCH_SIZE:
                self._pass_on_gone()
        elif outcome.reason:
            self._log(printable(connection_id), printable(outcome.reason))
        if self._progress and time.monotonic() - self._progress_at >= PROGRESS_EVERY:
            self._call_progress()

    def _call_progress(self) -> None:
        self._progress_at, self._progress_of = time.monotonic(), self._report.total
        if self._progress:
            self._progress(self._progress_of, self._total)

    def _pass_on_gone(self) -> None:
        gone, self._gone = self._gone, []
        if gone and self._on_gone:
            self._on_gone(gone)

    def _log(self, connection_id: str, reason: str) -> None:
        self._logged[reason] += 1
        if self._logged[reason] <= LOGGED_PER_REASON:
            logger.warning("Not reached connection_id=%s reason=%s", connection_id, reason)


def _close(results: Iterable[Any]) -> None:
    """Let a transport drop its requests now, not when its generator is garbage-collected."""
    close = getattr(results, "close", None)
    if close:
        close()
