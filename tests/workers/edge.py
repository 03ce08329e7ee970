"""A loopback server for @connections that takes thousands of messages a second, and can stop.

At first it answers nobody. It listens at one port for each worker, and so knows who posted what.
It understands no other requests.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Callable, Dict, List, Tuple
from urllib.parse import unquote

#: Seconds after which a wait is a failure. Nothing waits that long when all is well.
DEADLINE = 120

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class PostingEdge:
    """Use it as a context manager. ``posts`` has the worker and connection id of each message."""

    def __init__(self, workers: int) -> None:
        self.posts: List[Tuple[int, str]] = []
        self.urls: Dict[int, str] = {}
        self._workers = range(workers)
        self._changed = threading.Condition()
        self._is_held: Callable[[], bool] = lambda: True
        self._waiting: List[Post] = []
        self._loop = asyncio.new_event_loop()
        self._loop.set_debug(False)  # which Python's development mode would turn on
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> PostingEdge:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(DEADLINE)
        return self

    def __exit__(self, *exc_info: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(DEADLINE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    def posted_by(self, worker: int) -> List[str]:
        return [connection_id for poster, connection_id in self.posts if poster == worker]

    def hold_from(self, count: int) -> None:
        """Answer until so many have been posted, and nobody then."""
        self._is_held = lambda: len(self.posts) >= count
        self._loop.call_soon_threadsafe(self._answer)

    def wait_until_held(self, worker: int) -> None:
        """Wait for a message of that worker that gets no answer."""

        def waits() -> bool:
            return self._is_held() and any(post.worker == worker for post in self._waiting)

        with self._changed:
            assert self._changed.wait_for(waits, DEADLINE), f"Worker {worker} posts nothing"

    def release(self) -> None:
        """Answer everybody again."""
        self.hold_from(sys.maxsize)

    def take(self, post: Post, connection_id: str) -> None:
        with self._changed:
            self.posts.append((post.worker, connection_id))
            self._waiting.append(post)
            self._changed.notify_all()
        self._answer()

    def _answer(self) -> None:
        with self._changed:
            if not self._is_held():
                for post in self._waiting:
                    post.answer()
                self._waiting = []

    async def _listen(self) -> None:
        self._servers = []
        for worker in self._workers:
            server = await self._loop.create_server(
                lambda worker=worker: Post(self, worker), "127.0.0.1"
            )
            self._servers.append(server)
            host, port = server.sockets[0].getsockname()
            self.urls[worker] = f"http://{host}:{port}"

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for post in list(Post.open):
            post.transport.abort()
        await asyncio.sleep(0)  # for connection_lost


class Post(asyncio.Protocol):
    """One keep-alive connection of a worker."""

    open: set = set()

    def __init__(self, edge: PostingEdge, worker: int) -> None:
        self.edge, self.worker = edge, worker
        self.received = b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.open.add(self)

    def connection_lost(self, error) -> None:
        self.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        while found:
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(rest) < length:
                return
            self.received = rest[length:]
            path = head.split(b" ", 2)[1].decode()
            self.edge.take(self, unquote(path.rpartition("/")[2]))
            head, found, rest = self.received.partition(b"\r\n\r\n")

    def answer(self) -> None:
        self.transport.write(OK)
