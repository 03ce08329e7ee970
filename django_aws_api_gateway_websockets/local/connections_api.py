"""The @connections calls: who may make them, and which connection a URL leads to.

Runs in the threads of the HTTP server and hands over to the event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import unquote

from .connections import Connections, Reach
from .control import ControlPlane
from .errors import Forbidden
from .injection import Faults

T = TypeVar("T")

_MARK = "@connections"
_BY_METHOD = {"POST": "PostToConnection", "GET": "GetConnection", "DELETE": "DeleteConnection"}
#: The names of the calls that this module answers.
OPERATIONS = frozenset(_BY_METHOD.values())


def is_callback(path: str) -> bool:
    """True for `/{stage}/@connections/{id}` and the like."""
    return _MARK in unquote(path).split("/")


class Callbacks:
    """Answers PostToConnection, GetConnection and DeleteConnection."""

    def __init__(
        self,
        control: ControlPlane,
        connections: Connections,
        faults: Faults,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._control = control
        self._connections = connections
        self._faults = faults
        self._loop = loop

    def answer(self, method: str, host: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of the answer, or a GatewayError."""
        prefix, _, identifier = path.partition(f"/{_MARK}/")
        operation, connection_id = _BY_METHOD.get(method), unquote(identifier)
        if operation is None:
            raise Forbidden
        is_meant = self._reach(host, unquote(prefix).strip("/"))
        fault = self._faults.take(operation, connection_id)
        if fault is not None and not fault.after:
            raise fault.error()
        answer = self._carry_out(operation, connection_id, is_meant, body)
        if fault is not None:
            raise fault.error()
        return answer

    def _carry_out(
        self, operation: str, connection_id: str, is_meant: Reach, body: bytes
    ) -> tuple[int, bytes]:
        if operation == "PostToConnection":
            self._await(self._connections.post(connection_id, is_meant, body))
            return 200, b""
        if operation == "GetConnection":
            shown = self._await(self._connections.show(connection_id, is_meant))
            return 200, json.dumps(shown).encode()
        self._await(self._connections.delete(connection_id, is_meant))
        return 204, b""

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _reach(self, host: str, prefix: str) -> Reach:
        """Which connections a URL can lead to: those of its stage. Forbidden if of none.

        A custom domain's URL holds the key of an API mapping and never the stage. At the
        gateway's own address the stage may be left out, since the ids differ anyway.
        """
        if self._control.has_domain(host):
            stage = self._control.mapped_stage(host, prefix)
            if stage is None:
                raise Forbidden
            return lambda client: (client.api_id, client.stage_name) == (stage.api_id, stage.name)
        if prefix and not self._control.has_stage(prefix):
            raise Forbidden
        return lambda client: prefix in ("", client.stage_name)
