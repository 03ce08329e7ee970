"""Progress of a command: how many connections are done, on one line of a terminal."""

from __future__ import annotations

from typing import Any, Optional

from django.core.management.base import OutputWrapper

_BAR = 30


class ProgressLine:
    """A bar with counts that overwrites itself, and is erased at the end of the block.

    Call it with the number of connections that are done, and the number of all, or None if that is
    not known. Nothing is written to a stream that is not a terminal, nor with ``hidden``.
    """

    done = 0
    total: Optional[int] = None

    def __init__(self, stream: OutputWrapper, *, hidden: bool = False) -> None:
        self._stream = stream
        self._is_shown = not hidden and stream.isatty()
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._draw("")

    def __call__(self, done: int, total: Optional[int]) -> None:
        self.done, self.total = done, total
        self._draw(f"{self._bar()}{self}")

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total}"
        return f"{self.done}{of} connections"

    def _bar(self) -> str:
        if not self.total:
            return ""
        share = min(self.done / self.total, 1)  # New connections may come after the count.
        return f"[{'#' * int(_BAR * share):<{_BAR}}] {share:4.0%}  "

    def _draw(self, text: str) -> None:
        if not self._is_shown:
            return
        # The cursor is left at the line's start, so that log lines overwrite the bar.
        blank = " " * (self._width - len(text))
        self._width = len(text)
        self._stream.write(f"{text}{blank}\r", str, ending="")
        self._stream.flush()
