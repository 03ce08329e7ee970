"""Connections that are open: who they are, how they are sent to, and when they end.

Everything here runs in the thread of the event loop. Knows neither HTTP nor integrations.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from .events import Event
from .limits import Limits

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{15}=")


def new_id() -> str:
    """Fifteen characters and an equals sign, as AWS makes them: `JC1dgf9yoAMCK-g=`."""
    return secrets.token_urlsafe(11) + "="


def is_connection_id(text: str) -> bool:
    """True if AWS could have made such an id."""
    return _CONNECTION_ID.fullmatch(text) is not None


@dataclass(eq=False)
class Client:
    """One connection. Its socket is open when it is registered."""

    socket: ServerConnection
    api_id: str
    stage_name: str
    domain_name: str
    source_ip: str
    port: int
    user_agent: str | None
    connection_id: str = field(default_factory=new_id)
    connected_at: float = field(default_factory=time.time)
    # The timers need a clock that nobody sets.
    opened: float = field(default_factory=time.monotonic)
    last_active: float = field(default_factory=time.monotonic)

    @property
    def is_open(self) -> bool:
        return self.socket.state is State.OPEN

    @property
    def last_active_at(self) -> float:
        """As connected_at: seconds since 1970."""
        return self.connected_at + self.last_active - self.opened

    @property
    def buffered_bytes(self) -> int:
        """What was sent and has not left this process yet."""
        return self.socket.transport.get_write_buffer_size()

    def event(self, kind: str, route_key: str, **details: Any) -> Event:
        """What an integration is told of a CONNECT, MESSAGE or DISCONNECT."""
        context = {
            "apiId": self.api_id,
            "connectedAt": str(int(self.connected_at * 1000)),
            "connectionId": self.connection_id,
            "domainName": self.domain_name,
            "eventType": kind,
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": str(int(time.time() * 1000)),
            "routeKey": route_key,
            "stage": self.stage_name,
            "identity.sourceIp": self.source_ip,
        }
        if self.user_agent is not None:
            context["identity.userAgent"] = self.user_agent
        if kind == "MESSAGE":
            context["messageId"] = new_id()
        return Event(context, port=self.port, **details)


class Connections:
    """The registry of open connections, their timers, and their background tasks."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: dict[str, Client] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: dict[asyncio.Task[None], Client] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the open connections. Any thread may read it."""
        # list() copies at once, while the event loop may change the dict.
        clients = list(self._clients.values())
        return tuple(client.connection_id for client in clients if client.is_open)

    def register(self, client: Client) -> None:
        """Let the connection be found, and start its timer."""
        self._clients[client.connection_id] = client
        self._start_timer(client)

    def unregister(self, client: Client) -> None:
        """Let the connection be gone for whoever posts to it. Harmless if repeated."""
        self._clients.pop(client.connection_id, None)
        timer = self._timers.pop(client.connection_id, None)
        if timer is not None:
            timer.cancel()

    def find(self, connection_id: str) -> Client | None:
        """The open connection that has this id, or None."""
        client = self._clients.get(connection_id)
        return client if client is not None and client.is_open else None

    def touch(self, client: Client) -> None:
        """Restart the idle time, since a message came or went."""
        client.last_active = time.monotonic()

    async def send(self, client: Client, data: bytes) -> None:
        """Send text in frames of AWS's size. Nothing happens if the client has just gone."""
        self.touch(client)
        text = data.decode("utf-8", "replace").encode()
        is_short = len(text) <= self._limits.frame_size
        message = text if is_short else _fragments(text, self._limits.frame_size)
        with suppress(ConnectionClosed):  # Its $disconnect follows.
            await client.socket.send(message, text=True)

    def close(self, client: Client, code: int) -> None:
        """Close the connection in the background."""
        self.unregister(client)
        self.spawn(client, client.socket.close(code))

    def spawn(self, client: Client, work: Coroutine[Any, Any, None]) -> None:
        """Do something for a connection in the background. wait_for_closed() waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = client
        task.add_done_callback(self._tasks.pop)

    async def wait_for_closed(self, timeout: float) -> int:
        """Wait for the tasks of closed connections. Return how many `timeout` s left undone."""
        tasks = [task for task, client in self._tasks.items() if not client.is_open]
        if not tasks:
            return 0
        _, pending = await asyncio.wait(tasks, timeout=max(timeout, 0))
        return len(pending)

    def _start_timer(self, client: Client) -> None:
        idle = client.last_active + self._limits.idle_timeout
        due = min(idle, client.opened + self._limits.lifetime) - time.monotonic()
        loop = asyncio.get_running_loop()
        self._timers[client.connection_id] = loop.call_later(max(due, 0), self._check_age, client)

    def _check_age(self, client: Client) -> None:
        # A message does not move the timer. When it is due, it may find that it is too early, and
        # starts again.
        now = time.monotonic()
        if now - client.last_active >= self._limits.idle_timeout:
            self._expire(client, "idle")
        elif now - client.opened >= self._limits.lifetime:
            self._expire(client, "lifetime")
        else:
            self._start_timer(client)

    def _expire(self, client: Client, reason: str) -> None:
        logger.info("connection expired connection_id=%s reason=%s", client.connection_id, reason)
        self.close(client, 1001)


def _fragments(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))
