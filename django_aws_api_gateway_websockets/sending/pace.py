"""How fast this process may send: the cap of the settings, and what AWS's throttling teaches.

A 429 has two causes that AWS does not tell apart: one client's buffer is full, or the account's
quota is used up. One among many is the client's own affair. Where a good part of all recipients
are refused it is the account: then everything slows down to what AWS let through, and speeds up
again, in steps that grow, until it is refused anew.
"""

from __future__ import annotations

import math
import threading
from typing import Optional, Sequence, Tuple

from ..conf import conf
from ..processes import per_process

#: More refusals than this share of the answers, and than chance would have it, mean the account.
ACCOUNT_SHARE = 0.2

#: Answers and seconds from which to judge, seconds from which fewer answers do, and the fewest
#: that do: once the rate is low there are no more.
SAMPLE, WINDOW, LONG_WINDOW, FEW = 40, 0.1, 0.5, 10

#: What the rate becomes of what AWS lets through, and of itself at least.
BACKING_OFF, HALF = 0.8, 0.5

#: By which share the rate grows after the first good window; each further one doubles the share,
#: up to the last. Once it is so many times as high as what really leaves, it bounds nothing.
FIRST_STEP, LAST_STEP, UNBOUND = 0.01, 0.25, 2

#: Messages a second that are tried even so, or nothing would be learnt.
LEAST = 10.0

#: Seconds without an answer after which what was learnt is out of date.
MEMORY = 5.0

#: Seconds' worth of messages that may leave at once.
BURST = 0.1


class Pace:
    """The rate of one process, which all of its threads share. Times are time.monotonic()'s."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self._heard = 0.0
        #: Messages a second, and the share by which they grow next.
        self._throttled: Optional[float] = None
        self._step = FIRST_STEP
        #: When the rate was changed last, and since when these answers were counted.
        self._changed = float("-inf")
        self._since: Optional[float] = None
        self._answers = self._refused = self._let_through = 0
        #: Seconds between a message and its answer, of late.
        self._age = 0.0

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

    def give_back(self, left: int) -> None:
        """Take back that so many messages have left."""
        rate = self._rate
        if rate is not None:
            with self._lock:
                self._next -= left / rate

    def delay(self, now: float) -> float:
        """Return the seconds until the next message may leave."""
        return max(0.0, self._next - now) if self._rate is not None else 0.0

    def note(self, answers: Sequence[Tuple[float, bool, bool]], now: float) -> None:
        """Learn from answers.

        Of each: when its message had left, whether it was a 429, and whether that tells about the
        account. If not, it tells at least how many are let through.
        """
        with self._lock:
            silence, self._heard = now - self._heard, now
            if silence > (LONG_WINDOW if self._throttled is None else MEMORY):
                self._forget()
            # What left before the rate was changed tells nothing about the new one.
            fresh = [answer for answer in answers if answer[0] >= self._changed]
            if fresh and self._since is None:
                self._since = now
            self._answers += sum(tells for _, _, tells in fresh)
            self._refused += sum(refused and tells for _, refused, tells in fresh)
            self._let_through += sum(not refused for _, refused, _ in fresh)
            self._age = max((now - left for left, _, _ in fresh), default=self._age)
            elapsed = 0.0 if self._since is None else now - self._since
            if elapsed >= (WINDOW if self._answers >= SAMPLE else LONG_WINDOW):
                self._judge(elapsed, now)

    @property
    def _rate(self) -> Optional[float]:
        rates = [rate for rate in (conf.max_send_rate, self._throttled) if rate is not None]
        return min(rates, default=None)

    def _judge(self, elapsed: float, now: float) -> None:
        answers, refused, rate = self._answers, self._refused, self._let_through / elapsed
        self._begin_window(now)
        is_account = refused > answers * ACCOUNT_SHARE + math.sqrt(answers) / 2
        if is_account and answers >= (SAMPLE if self._throttled is None else FEW):
            self._slow_down(1 - refused / answers, rate)
            # What leaves now arrives among those that had left before.
            self._change(now + self._age)
        elif self._throttled is not None and not is_account:
            self._speed_up(rate)
            self._change(now)

    def _slow_down(self, share: float, rate: float) -> None:
        slower = rate * BACKING_OFF
        if self._throttled is not None:
            slower = self._throttled * max(HALF, share * BACKING_OFF)
        self._throttled, self._step = max(LEAST, slower), FIRST_STEP

    def _speed_up(self, rate: float) -> None:
        self._throttled = (self._throttled or 0) * (1 + self._step)
        if self._step == LAST_STEP and self._throttled > rate * UNBOUND:
            self._throttled = None
        self._step = min(self._step * 2, LAST_STEP)

    def _change(self, now: float) -> None:
        self._changed = now
        self._begin_window(None)

    def _begin_window(self, since: Optional[float]) -> None:
        """The first answer begins it if it is not known yet since when."""
        self._since = since
        self._answers = self._refused = self._let_through = 0

    def _forget(self) -> None:
        self._throttled = None
        self._change(float("-inf"))


@per_process
def pace() -> Pace:
    """Return the pace of this process."""
    return Pace()
