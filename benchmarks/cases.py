"""Cases that are measured: how AWS behaves, and how many recipients there are."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from .environments import CONTRACT

#: The first broadcast of a process sets everything up, which the second then uses.
FIRST, SECOND = 0, 1


class Case(NamedTuple):
    """One case, which is one row of the tables or two."""

    name: str
    #: Milliseconds until AWS answers.
    delay: float = 20
    tls: bool = True
    #: Percent of requests that get a 429, and of connections that get a 410.
    throttled: float = 0
    gone: float = 0
    #: How many messages; 0 means the contender's own number.
    recipients: int = 0
    told: Tuple[int, ...] = (SECOND,)
    without: Tuple[str, ...] = ()


CASES = (
    Case("20 ms"),
    Case("5 ms", delay=5),
    Case("0 ms", delay=0),
    Case("20 ms, no TLS", tls=False),
    Case("0 ms, no TLS", delay=0, tls=False),
    Case("20 ms, 10 % throttled", throttled=10),
    Case("20 ms, 5 % gone", gone=5),
    Case("20 ms, room of 100", recipients=100, told=(FIRST, SECOND)),
    Case(
        "20 ms, room of 1,000",
        recipients=1_000,
        told=(FIRST, SECOND),
        without=(CONTRACT.name,),  # It would take a minute, at the rate of the row above.
    ),
)

#: Single messages to one session.
SINGLE = Case("single", delay=0)

#: Many recipients against few, as fast as possible.
MEMORY = Case("memory", delay=0, tls=False)
FEW, MANY = 1_000, 100_000
