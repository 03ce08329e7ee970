"""Sockets of the clients: listening, the handshake, and the closing of all.

Decides which stage a handshake leads to. What follows is the business of the lifecycle.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from .connections import Client, Connections
from .control import ControlPlane
from .deployments import Stage
from .handshakes import (
    connection_class,
    hint_of,
    log_refusal,
    refusal_of,
    warn_of_subprotocol,
)
from .lifecycle import HandshakeRefused, Lifecycle
from .limits import Limits

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

# This logger silences websockets, since whatever it would log has a line already, without a
# traceback. Its name is not below the package's: a project that configures logging for the
# package would make it speak again.
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
        lifecycle: Lifecycle,
        limits: Limits,
    ) -> None:
        self._control = control
        self._connections = connections
        self._lifecycle = lifecycle
        self._limits = limits
        #: Every TCP connection, with or without a handshake.
        self._accepted: set[ServerConnection] = set()

    async def start(self, listener: socket.socket) -> None:
        """Accept clients."""
        limits = self._limits
        self._server = await serve(
            _wait_closed,
            sock=listener,
            backlog=limits.backlog,
            process_request=self._process_request,
            create_connection=connection_class(self._accepted, limits.handshake_timeout),
            # The $connect has a timeout of its own. Waiting for a free thread has none.
            open_timeout=None,
            # API Gateway sends no pings.
            ping_interval=None,
            close_timeout=limits.close_timeout,
            max_size=(limits.message_size, limits.frame_size),
            # This is above what is refused with 429, so that no send waits for a client to read.
            write_limit=limits.client_buffer + 2 * limits.message_size,
            server_header=None,
            logger=_silent,
        )

    async def close(self, timeout: float) -> None:
        """Accept no more clients, and close every connection with 1001."""
        await self._stop_accepting()
        self._server.close()
        # websockets would wait for the handshake of clients that have not sent a request.
        self._abort(connection for connection in self._accepted if connection.request is None)
        closing = asyncio.ensure_future(self._server.wait_closed())
        await asyncio.wait([closing], timeout=max(timeout, 0))

    async def _stop_accepting(self) -> None:
        # asyncio loses connections that it accepts in the very tick in which its server closes.
        with suppress(NotImplementedError):  # The event loop of Windows has no readers.
            for listener in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listener)
        await asyncio.sleep(0)

    async def abort(self) -> None:
        """Cut the connections that close() could not close in time."""
        self._abort(self._accepted)
        await self._server.wait_closed()

    def _abort(self, connections: Iterable[ServerConnection]) -> None:
        for connection in list(connections):
            connection.transport.abort()

    async def _process_request(self, connection: ServerConnection, request: Request) -> Response:
        """Post $connect before the handshake is answered, since its answer decides."""
        response = connection.protocol.accept(request)
        path = request.path.partition("?")[0]
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            reason = f"not a WebSocket handshake{hint_of(request)}"
            log_refusal(response.status_code, reason, path)
            return response
        try:
            subprotocol = await self._connect(connection, request)
        except HandshakeRefused as refusal:
            # The query string is not logged, since tickets travel in it.
            log_refusal(refusal.status, str(refusal), path)
            return refusal_of(refusal.status)
        except Exception:
            # This is a bug of ours, which websockets would not report.
            logger.exception("connection failed path=%r", path)
            return refusal_of(500)
        warn_of_subprotocol(request, subprotocol)
        if subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        return response

    async def _connect(self, connection: ServerConnection, request: Request) -> str | None:
        """Let the backend accept the connection. Return the subprotocol that it has chosen."""
        path, _, query = request.path.partition("?")
        stage, domain_name = self._stage_for(request, path)
        if stage is None:
            raise HandshakeRefused(403, "no such API and stage, or it is not deployed")
        client = _make_client(connection, request, stage, domain_name)
        headers = tuple(request.headers.raw_items())
        subprotocol = await self._lifecycle.connect(client, stage, headers, query)
        _log_opening(client)
        self._connections.register(client)
        # The backend has accepted the client and must be told of its end. The handler of
        # websockets would not run if the client has gone in the meantime.
        self._connections.spawn(client, self._lifecycle.serve(client))
        if not self._server.is_serving():
            raise HandshakeRefused(503, "the gateway stops")
        return subprotocol

    def _stage_for(self, request: Request, path: str) -> tuple[Stage | None, str]:
        """The stage that a handshake leads to, and the domain name that it came by."""
        hosts = request.headers.get_all("Host")
        try:
            (host,) = hosts
            domain_name = urlsplit(f"//{host}").hostname or ""
            if not (host.isprintable() and path.isprintable()) or " " in host:
                raise ValueError
        except ValueError as error:
            raise HandshakeRefused(400, "the path, or the header Host, is none") from error
        key = unquote(path).strip("/")
        if self._control.has_domain(domain_name):
            return self._control.mapped_stage(domain_name, key), domain_name
        api_id, _, name = key.partition("/")
        return self._control.default_stage(api_id, name), domain_name


async def _wait_closed(connection: ServerConnection) -> None:
    """The handler of websockets. A task of ours serves the connection."""
    await connection.wait_closed()


def _make_client(
    connection: ServerConnection, request: Request, stage: Stage, domain_name: str
) -> Client:
    user_agents = request.headers.get_all("User-Agent")
    # A connection has no address any more when its client has gone.
    address = connection.remote_address or ("",)
    return Client(
        socket=connection,
        api_id=stage.api_id,
        stage_name=stage.name,
        domain_name=domain_name,
        source_ip=_without_mapping(address[0]),
        port=connection.local_address[1],
        user_agent=user_agents[-1] if user_agents else None,
    )


def _without_mapping(address: str) -> str:
    """An IPv4 address as such. A socket of both families has it as an IPv6 address."""
    return address.removeprefix("::ffff:") if "." in address else address


def _log_opening(client: Client) -> None:
    logger.info(
        "connection opened connection_id=%s api_id=%s stage=%s source_ip=%s",
        client.connection_id,
        client.api_id,
        client.stage_name,
        client.source_ip,
    )
