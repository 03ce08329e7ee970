"""Don't say thrice what once will do. Knows nothing of chats and sockets."""

from __future__ import annotations

import threading
from typing import Callable, Dict, Optional, Set

Call = Callable[[], None]


class Latest:
    """Makes one call at a time for each key, and of the calls that wait meanwhile only the last.

    Many windows that open or close together would otherwise each have everybody told of it. The
    call of one request may be made by the thread of another one, before or after its own ends.
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
                # At once, so that no call is left behind by those who still see it busy.
                self._busy.discard(key)
            return latest
