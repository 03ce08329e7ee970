"""Opening: how many connections of an engine may be opened at once."""

from __future__ import annotations

import time

#: Connections that are opened at once: so many in all at first, then so many or a quarter of those
#: that are open. A TLS handshake takes as much of the CPU as ten messages or more, and meanwhile
#: those that are open already may have their answers.
FIRST_OPENING, MIN_OPENING = 32, 8

#: If none has opened for so many seconds, it is not the CPU that they wait for, and others may
#: lead to places that answer.
STALLED_SECONDS = 0.5


class Opening:
    """Counts the connections that are being opened."""

    def __init__(self) -> None:
        self._number = 0
        #: When the latest one opened, or the first of them began, by time.monotonic().
        self._progress_at = 0.0

    def begin(self) -> None:
        if not self._number:
            self._progress_at = time.monotonic()
        self._number += 1

    def succeed(self) -> None:
        self._number -= 1
        self._progress_at = time.monotonic()

    def fail(self) -> None:
        self._number -= 1

    def capacity(self, held: int, allowed: int) -> int:
        """Return how many connections there may be now, if ``held`` are open or being opened."""
        if self._number and time.monotonic() - self._progress_at > STALLED_SECONDS:
            return allowed
        opened = held - self._number
        opening = max(FIRST_OPENING - opened, MIN_OPENING, opened // 4)
        return min(allowed, opened + opening)
