"""The live connections: who they are, what can be done to them, and when they end.

Everything here runs in the thread of the event loop. Knows neither HTTP nor integrations.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from .errors import BadRequest, Gone, LimitExceeded, PayloadTooLarge
from .events import Event
from .limits import Limits

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{15}=")

Reach = Callable[["Client"], bool]


def new_connection_id() -> str:
    """Fifteen characters and an equals sign, as AWS makes them: `JC1dgf9yoAMCK-g=`."""
    return secrets.token_urlsafe(11) + "="


@dataclass(eq=False)
class Client:
    """One connection. Its socket is open from its registration to its end."""

    socket: ServerConnection
    api_id: str
    stage_name: str
    domain_name: str
    source_ip: str
    port: int
    user_agent: str | None
    connection_id: str = field(default_factory=new_connection_id)
    connected_at: float = field(default_factory=time.time)
    # The timers go by the clock that nobody sets.
    opened: float = field(default_factory=time.monotonic)
    last_active: float = field(default_factory=time.monotonic)

    @property
    def is_open(self) -> bool:
        return self.socket.state is State.OPEN

    @property
    def last_active_at(self) -> float:
        return self.connected_at + self.last_active - self.opened

    def event(self, kind: str, route_key: str, **details: Any) -> Event:
        """What an integration learns of a CONNECT, MESSAGE or DISCONNECT."""
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
            context["messageId"] = secrets.token_urlsafe(11) + "="
        return Event(context, port=self.port, **details)


class Connections:
    """The registry of live connections, their timers, and the background tasks."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: dict[str, Client] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: dict[asyncio.Task[None], Client] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        # list() first: this may be read from another thread.
        clients = list(self._clients.values())
        return tuple(client.connection_id for client in clients if client.is_open)

    def spawn(self, client: Client, work: Coroutine[Any, Any, None]) -> None:
        """Do something for a connection in the background; finished() waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = client
        task.add_done_callback(self._tasks.pop)

    async def finished(self, timeout: float) -> int:
        """Wait for what is still done for closed connections; how much was not done in time."""
        tasks = [task for task, client in self._tasks.items() if not client.is_open]
        if not tasks:
            return 0
        _, pending = await asyncio.wait(tasks, timeout=max(timeout, 0))
        return len(pending)

    def register(self, client: Client) -> None:
        self._clients[client.connection_id] = client
        self._arm(client)

    def forget(self, client: Client) -> None:
        """From now on the connection is gone for whoever posts to it."""
        self._clients.pop(client.connection_id, None)
        timer = self._timers.pop(client.connection_id, None)
        if timer is not None:
            timer.cancel()

    def find(self, connection_id: str, is_meant: Reach) -> Client:
        """BadRequest if no connection can have that id, Gone if none has it at the moment."""
        if not _CONNECTION_ID.fullmatch(connection_id):
            raise BadRequest(f"Invalid connectionId: {connection_id}")
        client = self._clients.get(connection_id)
        if client is None or not client.is_open or not is_meant(client):
            raise Gone
        return client

    # What @connections does. `is_meant` tells whether the caller's URL leads to that client.

    async def post(self, connection_id: str, is_meant: Reach, data: bytes) -> None:
        """Send a message to the client, whether or not it reads it soon."""
        client = self.find(connection_id, is_meant)
        if len(data) > self._limits.message_size:
            raise PayloadTooLarge(self._limits.message_size)
        if client.socket.transport.get_write_buffer_size() > self._limits.client_buffer:
            raise LimitExceeded("The client does not read what it is sent.")
        await self.send(client, data)
        logger.info("message pushed connection_id=%s bytes=%d", connection_id, len(data))

    async def show(self, connection_id: str, is_meant: Reach) -> dict[str, Any]:
        """What GetConnection answers."""
        client = self.find(connection_id, is_meant)
        identity = {"sourceIp": client.source_ip, "userAgent": client.user_agent or ""}
        return {
            "connectedAt": _iso(client.connected_at),
            "identity": identity,
            "lastActiveAt": _iso(client.last_active_at),
        }

    async def delete(self, connection_id: str, is_meant: Reach) -> None:
        """Close with 1000, which is what AWS's clients see; the answer does not wait for it."""
        self.close(self.find(connection_id, is_meant), 1000)

    # Both directions

    def touch(self, client: Client) -> None:
        """Something travelled: the idle time starts anew."""
        client.last_active = time.monotonic()

    async def send(self, client: Client, data: bytes) -> None:
        """Send text in frames of AWS's size. Silent if the client has just gone."""
        self.touch(client)
        text = data.decode("utf-8", "replace").encode()
        is_short = len(text) <= self._limits.frame_size
        message = text if is_short else _cut(text, self._limits.frame_size)
        with suppress(ConnectionClosed):  # Its $disconnect is on its way.
            await client.socket.send(message, text=True)

    def close(self, client: Client, code: int) -> None:
        self.forget(client)
        self.spawn(client, client.socket.close(code))

    def _arm(self, client: Client) -> None:
        idle = client.last_active + self._limits.idle_timeout
        due = min(idle, client.opened + self._limits.lifetime) - time.monotonic()
        loop = asyncio.get_running_loop()
        self._timers[client.connection_id] = loop.call_later(max(due, 0), self._ring, client)

    def _ring(self, client: Client) -> None:
        # The timer is not moved for each message: it looks again when it rings.
        now = time.monotonic()
        if now - client.last_active >= self._limits.idle_timeout:
            self._expire(client, "idle")
        elif now - client.opened >= self._limits.lifetime:
            self._expire(client, "lifetime")
        else:
            self._arm(client)

    def _expire(self, client: Client, reason: str) -> None:
        logger.info("connection expired connection_id=%s reason=%s", client.connection_id, reason)
        self.close(client, 1001)


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _iso(timestamp: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(timestamp))
