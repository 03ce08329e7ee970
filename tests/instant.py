"""An engine that has every answer at once, under the package's own signing and pacing."""

from __future__ import annotations

from typing import Any, Callable, List, Tuple

from django_aws_api_gateway_websockets.sending.engines.base import Answer

from django_aws_api_gateway_websockets.sending.transports import EngineTransport


class InstantEngine:
    """Takes every tenth connection to be gone."""

    def __init__(self, capacity: int, certificates: str) -> None:
        self.capacity = capacity
        self._answers: List[Tuple[Any, Answer]] = []
        self._count = 0

    def start(self, tag: Any, request: Any, timeouts: Any) -> None:
        self._count += 1
        self._answers.append((tag, Answer(200 if self._count % 10 else 410)))

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        answers, self._answers = self._answers, []
        return answers

    def close(self) -> None:
        self._answers.clear()


class InstantTransport(EngineTransport):
    def engine(self) -> Tuple[Callable[[int, str], Any], int]:
        return InstantEngine, 256
