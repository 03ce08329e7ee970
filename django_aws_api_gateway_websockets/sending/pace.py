"""Pace: congestion control by rate, for all messages that this process sends.

The cap of the settings bounds the rate, and so does what AWS's throttling teaches.

A 429 has two causes that AWS does not tell apart: one client's buffer is full, or the account's
quota is used up. One 429 among many answers is that client's own. If a good part of all recipients
are refused, it is the account: then everything slows down to what AWS let through, and speeds up
again, in steps that grow, until messages are refused again.
"""

from __future__ import annotations

import math
import threading
from typing import NamedTuple, Optional, Sequence

from ..conf import conf
from ..processes import per_process

#: If more than this share of the answers are refusals, and more than by chance, the account is
#: throttled.
ACCOUNT_SHARE = 0.2

#: The answers of a window are judged after WINDOW seconds if there are ENOUGH, otherwise after
#: LONG_WINDOW seconds. When the account is throttled FEW are enough: at a low rate no more come.
ENOUGH, FEW = 40, 10
WINDOW, LONG_WINDOW = 0.1, 0.5

#: The first rate is this share of what AWS lets through. A later one is the rate before it, times
#: this and times the share of it that is let through, but at least HALF of it.
BACKING_OFF, HALF = 0.8, 0.5

#: By this share the rate grows after the first good window. Each further one doubles the share, up
#: to LAST_STEP. Then, if the rate is UNBOUND times what really leaves, it is no bound any more.
FIRST_STEP, LAST_STEP, UNBOUND = 0.01, 0.25, 2

#: Messages a second that are always tried; without any, nothing would be learnt.
MIN_RATE = 10.0

#: After so many seconds without an answer, what was learnt is out of date.
MEMORY = 5.0

#: Messages of so many seconds may leave at once.
BURST = 0.1


class Sample(NamedTuple):
    """What one answer tells."""

    #: When its message had left.
    sent_at: float
    #: True for a 429.
    is_throttled: bool
    #: True if it tells about the account. If not, it still tells how many are let through.
    is_telling: bool


class Pace:
    """The rate of one process, which all of its threads share. Times are time.monotonic()'s."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: WEBSOCKETS["max_send_rate"], as it was when the latest message began.
        self.cap: Optional[float] = None
        self._next_at = 0.0
        self._last_answer_at = 0.0
        #: Messages a second, and the share by which they grow next.
        self._throttled_rate: Optional[float] = None
        self._step = FIRST_STEP
        self._changed_at = float("-inf")
        #: The answers that have come since the window began.
        self._window_began_at: Optional[float] = None
        self._answers = self._refused = self._let_through = 0
        #: The latest seconds between a message and its answer.
        self._latency = 0.0

    @property
    def is_throttled(self) -> bool:
        """True while the account, rather than single clients, is being throttled."""
        return self._throttled_rate is not None

    def reserve(self, wanted: int, now: float) -> int:
        """Return how many of ``wanted`` messages may leave now; they count as having left."""
        rate = self._rate
        if rate is None or not wanted:
            return wanted
        with self._lock:
            earliest = max(self._next_at, now - BURST)
            allowed = int((now - earliest) * rate) + 1 if now >= earliest else 0
            reserved = min(wanted, allowed)
            self._next_at = earliest + reserved / rate
        return reserved

    def give_back(self, unused: int) -> None:
        """Give back a part of what was reserved: so many messages have not left."""
        rate = self._rate
        if rate is not None:
            with self._lock:
                self._next_at -= unused / rate

    def delay(self, now: float) -> float:
        """Return the seconds until the next message may leave."""
        return max(0.0, self._next_at - now) if self._rate is not None else 0.0

    def note(self, samples: Sequence[Sample], now: float) -> None:
        """Learn from answers that have come now."""
        with self._lock:
            silence, self._last_answer_at = now - self._last_answer_at, now
            if silence > (LONG_WINDOW if self._throttled_rate is None else MEMORY):
                self._forget()
            # A message that left before the rate changed tells nothing about the new rate.
            fresh = [sample for sample in samples if sample.sent_at >= self._changed_at]
            if fresh and self._window_began_at is None:
                self._window_began_at = now
            for _sent_at, is_throttled, is_telling in fresh:
                self._answers += is_telling
                self._refused += is_throttled and is_telling
                self._let_through += not is_throttled
            if fresh:
                self._latency = now - min(sent_at for sent_at, _, _ in fresh)
            elapsed = 0.0 if self._window_began_at is None else now - self._window_began_at
            if elapsed >= (WINDOW if self._answers >= ENOUGH else LONG_WINDOW):
                self._judge(elapsed, now)

    @property
    def _rate(self) -> Optional[float]:
        if self.cap is None or self._throttled_rate is None:
            return self._throttled_rate if self.cap is None else self.cap
        return min(self.cap, self._throttled_rate)

    def _judge(self, elapsed: float, now: float) -> None:
        answers, refused, rate = self._answers, self._refused, self._let_through / elapsed
        self._begin_window(now)
        is_account = refused > answers * ACCOUNT_SHARE + math.sqrt(answers) / 2
        if is_account and answers >= (ENOUGH if self._throttled_rate is None else FEW):
            self._slow_down(1 - refused / answers, rate)
            # Messages that leave now still arrive among those that had left at the old rate.
            self._change(now + self._latency)
        elif self._throttled_rate is not None and not is_account:
            self._speed_up(rate)
            self._change(now)

    def _slow_down(self, share: float, rate: float) -> None:
        slower = rate * BACKING_OFF
        if self._throttled_rate is not None:
            slower = self._throttled_rate * max(HALF, share * BACKING_OFF)
        self._throttled_rate, self._step = max(MIN_RATE, slower), FIRST_STEP

    def _speed_up(self, rate: float) -> None:
        self._throttled_rate = (self._throttled_rate or 0) * (1 + self._step)
        if self._step == LAST_STEP and self._throttled_rate > rate * UNBOUND:
            self._throttled_rate = None
        self._step = min(self._step * 2, LAST_STEP)

    def _change(self, now: float) -> None:
        self._changed_at = now
        self._begin_window(None)

    def _begin_window(self, at: Optional[float]) -> None:
        """Begin a window at that time; None means when the first answer comes."""
        self._window_began_at = at
        self._answers = self._refused = self._let_through = 0

    def _forget(self) -> None:
        self._throttled_rate = None
        self._change(float("-inf"))


def pace() -> Pace:
    """Return the pace of this process, with the cap that the settings now have."""
    found = process_pace()
    found.cap = conf.max_send_rate
    return found


@per_process
def process_pace() -> Pace:
    return Pace()
