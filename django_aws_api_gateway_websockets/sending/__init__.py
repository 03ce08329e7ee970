"""Post to live connections: encode, sign, fan out, report. Knows AWS, not the database.

messages    what a message may be
outcomes    who it is for, what became of each, and the report
transports  which way is taken, and the interface of a way of one's own
delivery    who is tried next, who again, and when to slow down (pace)
couriers    what carries the requests (libcurl, threads), signed by seals and signing
"""

from __future__ import annotations

from typing import Iterable, Iterator

from .messages import MAX_MESSAGE_BYTES, encode
from .outcomes import CLOSED, GONE, SENT, Outcome, Recipient, Report, Result, failed
from .transports import TRANSPORTS, Transport, transport

__all__ = [
    "CLOSED",
    "GONE",
    "MAX_MESSAGE_BYTES",
    "SENT",
    "TRANSPORTS",
    "Outcome",
    "Recipient",
    "Report",
    "Result",
    "Transport",
    "encode",
    "failed",
    "fan_out",
    "hang_up",
    "transport",
]


def fan_out(body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
    """Post ``body`` to every recipient; yield each one with its outcome, in any order."""
    return transport().send(body, recipients)


def hang_up(recipients: Iterable[Recipient]) -> Iterator[Result]:
    """Close every recipient's connection; yield each one with its outcome, in any order."""
    return transport().close(recipients)
