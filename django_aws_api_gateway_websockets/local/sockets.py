"""The port that clients open sockets on: listening, the handshake, the end of it all.

Decides who is let in; what is said afterwards is the conversations' business.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import uuid
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from .connections import Client, Connections
from .control import ControlPlane
from .deployments import Stage
from .lifecycle import Conversations, HandshakeRefused
from .limits import Limits

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

# What websockets would say has its line already, without a traceback. The name is not below the
# package's: a project that configures logging for that would make this logger speak again.
_silent = logging.getLogger("websockets.local_gateway")
_silent.propagate = False
_silent.addHandler(logging.NullHandler())


class SocketServer:
    """Runs in the event loop that start() is awaited in."""

    _server: Server

    def __init__(
        self,
        control: ControlPlane,
        connections: Connections,
        conversations: Conversations,
        limits: Limits,
    ) -> None:
        self._control = control
        self._connections = connections
        self._conversations = conversations
        self._limits = limits
        self._held: set[ServerConnection] = set()

    async def start(self, listener: socket.socket) -> None:
        limits = self._limits
        self._server = await serve(
            _wait_closed,
            sock=listener,
            backlog=limits.backlog,
            process_request=self._admit,
            create_connection=_connection_class(self._held, limits.handshake_timeout),
            # The $connect has a timeout of its own, its turn in the queue has none.
            open_timeout=None,
            # API Gateway sends no pings.
            ping_interval=None,
            close_timeout=limits.close_timeout,
            max_size=(limits.message_size, limits.frame_size),
            # Above what is refused with 429, so that no send waits for a client to read.
            write_limit=limits.client_buffer + 2 * limits.message_size,
            server_header=None,
            logger=_silent,
        )

    async def close(self, timeout: float) -> None:
        """Let nobody in any more and close every connection with 1001."""
        await self._stop_accepting()
        self._server.close()
        # websockets would wait for the handshake of those that have not said a word.
        self._abort(connection for connection in self._held if connection.request is None)
        ended = asyncio.ensure_future(self._server.wait_closed())
        await asyncio.wait([ended], timeout=max(timeout, 0))

    async def _stop_accepting(self) -> None:
        # asyncio loses hold of what it accepts in the very tick in which its server closes.
        with suppress(NotImplementedError):  # the event loop of Windows
            for listener in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listener)
        await asyncio.sleep(0)

    async def cut(self) -> None:
        """End what close() could not."""
        self._abort(self._held)
        await self._server.wait_closed()

    def _abort(self, connections: Iterable[ServerConnection]) -> None:
        for connection in list(connections):
            connection.transport.abort()

    async def _admit(self, connection: ServerConnection, request: Request) -> Response:
        """Post $connect before the handshake is answered: its answer decides."""
        response = connection.protocol.accept(request)
        path, _, query = request.path.partition("?")
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            _log_refusal(response.status_code, "not a WebSocket handshake", path)
            return response
        try:
            subprotocol = await self._open(connection, request, path, query)
        except HandshakeRefused as refusal:
            # The query string stays out: it is where tickets travel.
            _log_refusal(refusal.status, str(refusal), path)
            return _refusal(refusal.status)
        except Exception:
            # A mistake of ours, of which websockets would say nothing.
            logger.exception("connection failed path=%r", path)
            return _refusal(500)
        if not self._server.is_serving():
            # The backend has accepted it, and hears of its end as of any other.
            _log_refusal(503, "the gateway stops", path)
            return _refusal(503)
        if subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        return response

    async def _open(
        self, connection: ServerConnection, request: Request, path: str, query: str
    ) -> str | None:
        stage, domain_name = self._addressed(request, path)
        if stage is None:
            raise HandshakeRefused(403, "no such API and stage, or it is not deployed")
        client = _client(connection, request, stage, domain_name)
        headers = tuple(request.headers.raw_items())
        subprotocol = await self._conversations.begin(client, stage, headers, query)
        _log_opening(client)
        self._connections.register(client)
        # Not in the handler of websockets, which does not run if the client has gone meanwhile:
        # the backend has accepted it and must hear of its end.
        self._connections.spawn(client, self._conversations.hold(client))
        return subprotocol

    def _addressed(self, request: Request, path: str) -> tuple[Stage | None, str]:
        """The stage that a handshake leads to, and the domain name that it came by."""
        hosts = request.headers.get_all("Host")
        domain_name = urlsplit(f"//{hosts[0]}").hostname or "" if hosts else ""
        key = unquote(path).strip("/")
        if self._control.has_domain(domain_name):
            return self._control.mapped_stage(domain_name, key), domain_name
        api_id, _, name = key.partition("/")
        return self._control.stage(api_id, name), domain_name


async def _wait_closed(connection: ServerConnection) -> None:
    """The handler of websockets: the conversation goes on in a task of ours."""
    await connection.wait_closed()


def _connection_class(
    held: set[ServerConnection], handshake_timeout: float
) -> type[ServerConnection]:
    class Connection(ServerConnection):
        """Knows when its TCP connection begins and ends, handshake or not."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            held.add(self)
            if not self.server.is_serving():
                self.transport.abort()  # it came while the gateway was closing
            self.timer = self.loop.call_later(handshake_timeout, self.cut_if_silent)

        def connection_lost(self, exc: Exception | None) -> None:
            self.timer.cancel()
            held.discard(self)
            super().connection_lost(exc)

        def cut_if_silent(self) -> None:
            if self.request is None:
                self.transport.abort()

    return Connection


def _client(
    connection: ServerConnection, request: Request, stage: Stage, domain_name: str
) -> Client:
    user_agents = request.headers.get_all("User-Agent")
    # A client that has gone already has no address any more.
    address = connection.remote_address or ("",)
    return Client(
        socket=connection,
        api_id=stage.api_id,
        stage_name=stage.name,
        domain_name=domain_name,
        source_ip=address[0],
        port=connection.local_address[1],
        user_agent=user_agents[-1] if user_agents else None,
    )


def _refusal(status: int) -> Response:
    """The answer to a handshake that is refused, in the shape of AWS's errors."""
    phrase = _phrase(status)
    body = json.dumps({"message": phrase, "requestId": str(uuid.uuid4())}).encode()
    headers = Headers(
        [
            ("Connection", "close"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("x-amzn-ErrorType", phrase.replace(" ", "") + "Exception"),
        ]
    )
    return Response(status, phrase, headers, body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"


def _log_refusal(status: int, reason: str, path: str) -> None:
    logger.warning("connection refused status=%d reason=%r path=%r", status, reason, path)


def _log_opening(client: Client) -> None:
    logger.info(
        "connection opened connection_id=%s api_id=%s stage=%s source_ip=%s",
        client.connection_id,
        client.api_id,
        client.stage_name,
        client.source_ip,
    )
