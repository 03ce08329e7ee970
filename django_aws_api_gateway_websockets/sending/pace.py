"""How fast this process may send: the cap of the settings, and what AWS's throttling teaches.

A 429 has two causes that AWS does not tell apart: one client's buffer is full, or the account's
quota is used up. One among many is the client's own affair. Where a good part of all answers are
429s it is the account: then everything slows down to what AWS let through, and recovers later.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Optional

from ..conf import conf

#: Answers from which to judge whether the account is throttled, and the share of 429s that means
#: it. Once it is, less of them tell that it still is.
SAMPLE, ACCOUNT_SHARE, STILL_SHARE = 40, 1 / 3, 0.15

#: Seconds between two judgements: with many answers, and at most.
WINDOW, LONG_WINDOW = 0.25, 1.0

#: What the rate becomes of what AWS let through, how it grows with each good window, and by which
#: factor in all, until there is none any more.
BACKING_OFF, RECOVERY, RECOVERED = 0.8, 1.15, 8

#: Messages a second that are tried even so, or nothing would be learnt.
LEAST = 10.0

#: Seconds' worth of messages that may leave at once.
BURST = 0.02


class Pace:
    """The rate of one process, which all of its threads share. Times are time.monotonic()'s."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        #: Messages a second, and those to which AWS last brought us down.
        self._throttled: Optional[float] = None
        self._brought_down_to = 0.0
        self._begin_window(0.0)

    @property
    def is_throttled(self) -> bool:
        """True while the account, rather than single clients, is being throttled."""
        return self._throttled is not None

    def take(self, wanted: int, now: float) -> int:
        """Return how many of ``wanted`` messages may leave now; they count as having left."""
        rate = self._rate
        if rate is None or not wanted:
            return wanted
        with self._lock:
            earliest = max(self._next, now - BURST)
            allowed = int((now - earliest) * rate) + 1 if now >= earliest else 0
            taken = min(wanted, allowed)
            self._next = earliest + taken / rate
        return taken

    def delay(self, now: float) -> float:
        """Return the seconds until the next message may leave."""
        return max(0.0, self._next - now) if self._rate is not None else 0.0

    def note(self, answers: int, refused: int, now: float) -> None:
        """Learn from that many answers, of which some were 429s."""
        with self._lock:
            self._answers += answers
            self._refused += refused
            elapsed = now - self._since
            if elapsed > LONG_WINDOW and self._answers == answers:
                self._begin_window(now, answers, refused)  # Nothing was sent for a while.
            elif elapsed >= (WINDOW if self._answers >= SAMPLE else LONG_WINDOW):
                self._judge(elapsed)
                self._begin_window(now)

    @property
    def _rate(self) -> Optional[float]:
        rates = [rate for rate in (conf.max_send_rate, self._throttled) if rate is not None]
        return min(rates, default=None)

    def _judge(self, elapsed: float) -> None:
        share = self._refused / self._answers
        if self._throttled is None:
            if self._answers >= SAMPLE and share > ACCOUNT_SHARE:
                self._slow_down(elapsed)
        elif share > STILL_SHARE:
            self._slow_down(elapsed)
        else:
            self._throttled *= RECOVERY
            if self._throttled > self._brought_down_to * RECOVERED:
                self._throttled = None

    def _slow_down(self, elapsed: float) -> None:
        let_through = (self._answers - self._refused) / elapsed
        self._throttled = self._brought_down_to = max(LEAST, let_through * BACKING_OFF)

    def _begin_window(self, now: float, answers: int = 0, refused: int = 0) -> None:
        self._since, self._answers, self._refused = now, answers, refused


def pace() -> Pace:
    """Return the pace of this process; a forked child learns its own."""
    return _pace(os.getpid())


@lru_cache(maxsize=None)
def _pace(pid: int) -> Pace:
    return Pace()
