"""Task backends for tests: what was enqueued waits until a test runs it."""

from __future__ import annotations

from typing import ClassVar, List

from django_aws_api_gateway_websockets.broadcasts.worker import deliver


class HeldBackend:
    """Keeps the chunks' keys in ``enqueued``."""

    enqueued: ClassVar[List[int]] = []

    def enqueue(self, chunk: int) -> None:
        self.enqueued.append(chunk)

    @classmethod
    def work(cls) -> None:
        """Run the tasks, as a worker would that has only these to do."""
        while cls.enqueued:
            deliver(cls.enqueued.pop(0))
