"""Sending: post to live connections. Knows AWS, not the database.

messages    what a message may be
rows        what sending is told of sessions, and the endpoints of their gateways
reports     recipients, their outcomes, and the report that counts them
transports  the ways to reach connections, and the interface for a transport of your own
boto        the transport that uses boto3, for endpoints that are not ordinary
replaceable the transport of Django's tests, whose mocks catch what it sends
delivery    who is tried next, and who is tried again
retries     how often and how long one recipient is tried
pace        how fast this process may send: congestion control by rate
signing     Signature Version 4, with the credentials of the moment
credentials the keys that sign, and the lookups that find none
addresses   what an endpoint consists of: host, proxy, trusted certificates
exchanges   one request and its answer
sockets     what carries HTTP requests, many at a time
"""

from __future__ import annotations

from typing import Iterable, Iterator

from .messages import MAX_MESSAGE_BYTES, encode, encode_text
from .reports import (
    BATCH_SIZE,
    CLOSED,
    GONE,
    SENT,
    Outcome,
    Progress,
    Recipient,
    Report,
    ReportWriter,
    Result,
    failed,
)
from .rows import Row, reachable, require_regions
from .transports import REPLACED, TRANSPORTS, Transport, is_replaceable, transport

__all__ = [
    "BATCH_SIZE",
    "CLOSED",
    "GONE",
    "MAX_MESSAGE_BYTES",
    "REPLACED",
    "SENT",
    "TRANSPORTS",
    "Outcome",
    "Progress",
    "Recipient",
    "Report",
    "ReportWriter",
    "Result",
    "Row",
    "Transport",
    "close",
    "encode",
    "encode_text",
    "failed",
    "fan_out",
    "is_replaceable",
    "reachable",
    "require_regions",
    "transport",
]


def fan_out(body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
    """Post ``body`` to every recipient; yield each one with its outcome, in any order."""
    return transport().send(body, recipients)


def close(recipients: Iterable[Recipient]) -> Iterator[Result]:
    """Close every recipient's connection; yield each one with its outcome, in any order."""
    return transport().close(recipients)
