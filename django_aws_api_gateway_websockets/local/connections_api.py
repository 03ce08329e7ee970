"""Connections API: the @connections calls, which send to, show and close a connection.

Runs in the threads of the HTTP server and hands over to the event loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from .connections import Client, Connections, is_connection_id
from .control import ControlPlane
from .errors import BadRequest, Forbidden, Gone, LimitExceeded, PayloadTooLarge
from .injection import FaultInjection
from .limits import Limits

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_MARK = "@connections"
_OPERATION_OF = {"POST": "PostToConnection", "GET": "GetConnection", "DELETE": "DeleteConnection"}
#: The names of the calls that this module answers.
OPERATIONS = frozenset(_OPERATION_OF.values())


def is_connections_path(path: str) -> bool:
    """True for `/{stage}/@connections/{id}` and the like."""
    return _MARK in unquote(path).split("/")


class ConnectionsApi:
    """Answers PostToConnection, GetConnection and DeleteConnection."""

    def __init__(
        self,
        control: ControlPlane,
        connections: Connections,
        faults: FaultInjection,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._control = control
        self._connections = connections
        self._faults = faults
        self._limits = limits
        self._loop = loop

    def answer(self, method: str, host: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of the answer, or a GatewayError."""
        # SDKs encode "@" and "=" or not, as they like.
        prefix, _, connection_id = unquote(path).partition(f"/{_MARK}/")
        operation = _OPERATION_OF.get(method)
        if operation is None:
            raise Forbidden
        is_reachable = self._reachable_from(host, prefix.strip("/"))
        with self._faults.around(operation, connection_id):
            work = self._perform(operation, connection_id, is_reachable, body)
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _reachable_from(self, host: str, prefix: str) -> Callable[[Client], bool]:
        """A predicate: can the URL lead to this connection? Forbidden if it leads to no stage.

        A custom domain's URL holds the key of an API mapping and never the stage. At the
        gateway's own address the stage may be left out, since the ids differ anyway.
        """
        if self._control.has_domain(host):
            stage = self._control.mapped_stage(host, prefix)
            if stage is None:
                raise Forbidden
            return lambda client: (client.api_id, client.stage_name) == (stage.api_id, stage.name)
        if prefix and not self._control.has_default_stage(prefix):
            raise Forbidden
        return lambda client: self._is_at_default_endpoint(client, prefix)

    def _is_at_default_endpoint(self, client: Client, prefix: str) -> bool:
        """True if the client's stage is the one named. Forbidden if it has custom domains only."""
        if prefix not in ("", client.stage_name):
            return False
        stage = self._control.stage(client.api_id, client.stage_name)
        if stage is not None and not stage.has_default_endpoint:
            raise Forbidden
        return True

    async def _perform(
        self,
        operation: str,
        connection_id: str,
        is_reachable: Callable[[Client], bool],
        body: bytes,
    ) -> tuple[int, bytes]:
        if not is_connection_id(connection_id):
            raise BadRequest(f"Invalid connectionId: {connection_id}")
        client = self._connections.find(connection_id)
        if client is None or not is_reachable(client):
            raise Gone
        if operation == "PostToConnection":
            await self._post(client, body)
            return 200, b""
        if operation == "GetConnection":
            return 200, json.dumps(_description(client)).encode()
        # AWS closes with 1000, and its answer does not wait for the end of the connection.
        self._connections.close(client, 1000)
        return 204, b""

    async def _post(self, client: Client, data: bytes) -> None:
        """Send a message to the client, whether or not it reads it soon."""
        if len(data) > self._limits.message_size:
            raise PayloadTooLarge(self._limits.message_size)
        if client.buffered_bytes > self._limits.client_buffer:
            raise LimitExceeded("The client does not read what it is sent.")
        await self._connections.send(client, data)
        logger.info("message pushed connection_id=%s bytes=%d", client.connection_id, len(data))


def _description(client: Client) -> dict[str, Any]:
    """What GetConnection answers."""
    return {
        "connectedAt": _iso_8601(client.connected_at),
        "identity": {"sourceIp": client.source_ip, "userAgent": client.user_agent or ""},
        "lastActiveAt": _iso_8601(client.last_active_at),
    }


def _iso_8601(timestamp: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(timestamp))
