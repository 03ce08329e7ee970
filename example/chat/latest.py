"""Latest of several calls: the others are not made. Knows nothing of chats and sockets."""

from __future__ import annotations

import threading
from typing import Callable, Dict, Optional, Set

Call = Callable[[], None]


class Latest:
    """Makes one call at a time for each key. Of the calls that wait, only the latest is made.

    If many windows open or close together, the room is not told of each one. A thread may make the
    call of another request, before or after that request ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: Set[str] = set()
        self._waiting: Dict[str, Call] = {}

    def run(self, key: str, call: Call) -> None:
        with self._lock:
            self._waiting[key] = call
            if key in self._busy:
                return
            self._busy.add(key)
        try:
            while (latest := self._take(key)) is not None:
                latest()
        except BaseException:
            with self._lock:
                self._busy.discard(key)
            raise

    def _take(self, key: str) -> Optional[Call]:
        with self._lock:
            latest = self._waiting.pop(key, None)
            if latest is None:
                # Under the same lock, or a call that still sees the key as busy would be lost.
                self._busy.discard(key)
            return latest
