"""Who a message is for, what became of it, and the report. Knows neither AWS nor the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Tuple

from ..aws import Endpoint


class Recipient(NamedTuple):
    """One connection, and where it is posted to."""

    connection_id: str
    endpoint: Endpoint
    #: The caller's own, by which it knows the recipient again.
    key: Any = None


class Outcome(NamedTuple):
    """What became of one recipient: sent, closed, gone or failed (then with the reason)."""

    status: str
    reason: str = ""


SENT = Outcome("sent")
GONE = Outcome("gone")
CLOSED = Outcome("closed")


Result = Tuple[Recipient, Outcome]


def failed(reason: str) -> Outcome:
    """Return the outcome of a recipient that could not be served, for this reason."""
    return Outcome("failed", reason)


@dataclass
class Report:
    """How many recipients a message was sent to, were closed, were gone, or could not be served.

    ``reasons`` counts the failures by their reason.
    """

    sent: int = 0
    closed: int = 0
    gone: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All recipients that the report knows of."""
        return self.sent + self.closed + self.gone + self.failed

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome.status, getattr(self, outcome.status) + 1)
        if outcome.reason:
            self.reasons[outcome.reason] += 1
