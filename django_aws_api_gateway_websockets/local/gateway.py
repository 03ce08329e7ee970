"""The local gateway as a whole: its two ports, its threads, its beginning and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any

from .connections import Connections
from .connections_api import OPERATIONS, ConnectionsApi
from .control import ControlPlane
from .documents import Document, Documents
from .http_server import EndpointServer
from .injection import Fault, FaultInjection
from .integrations import Integrations
from .lifecycle import Conversations
from .limits import Limits
from .rest_json import operation_names
from .sockets import SocketServer

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

#: Addresses that mean "every interface"; a client cannot open a socket to them.
_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - if asked to


class LocalGateway:
    """Plays API Gateway's WebSocket APIs, @connections and control plane on this machine::

        with LocalGateway() as gateway:
            client = boto3.client("apigatewayv2", endpoint_url=gateway.endpoint_url, ...)

    Port 0 takes a free one. With a state file the control plane's resources outlive the process.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        socket_port: int = 0,
        control_port: int = 0,
        limits: Limits | None = None,
        state_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """StateFileInvalid if the state file is not one of ours, OSError if it cannot be read."""
        self._host = host
        self._ports = socket_port, control_port
        self._limits = limits or Limits()
        self._faults = FaultInjection()
        documents = Documents(Path(state_file) if state_file else None)
        self._control = ControlPlane(documents, self._faults, self._limits.requests_kept)
        self._run: _Run | None = None

    def start(self) -> None:
        """Open both ports. OSError if one of them cannot be had."""
        if self._run is not None:
            raise RuntimeError("The local gateway runs already.")
        listeners = _listen(self._host, self._limits.backlog, *self._ports)
        self._run = _Run(self._control, self._faults, self._limits, *listeners)
        self._control.set_socket_endpoint(self.socket_endpoint)
        self._run.start()
        logger.info(
            "gateway started sockets=%s endpoint=%s", self.socket_endpoint, self.endpoint_url
        )

    def stop(self) -> None:
        """Close the sockets with 1001, send their $disconnect, and end every thread.

        Waits for slow integrations and clients up to Limits.stop_timeout, then cuts them off.
        """
        if self._run is not None:
            run, self._run = self._run, None
            run.stop()
            logger.info("gateway stopped")

    def wait_until_quiet(self, timeout: float = 5.0) -> bool:
        """Wait until each closed connection's $disconnect is answered; False if `timeout` s pass.

        For tests: what a closed socket still sets off is over then.
        """
        return self._running.wait_until_quiet(timeout)

    def __enter__(self) -> LocalGateway:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """For AWS_GATEWAY_ENDPOINT_URL: "http://127.0.0.1:9001"."""
        return f"http://{_address(self._host, self._running.control_port)}"

    @property
    def socket_endpoint(self) -> str:
        """What clients' URLs begin with: "ws://127.0.0.1:9000"."""
        return f"ws://{_address(self._host, self._running.socket_port)}"

    @property
    def connections(self) -> tuple[str, ...]:
        """The ids of the connections that are open at the moment."""
        return self._running.connections.ids

    @property
    def requests(self) -> deque[tuple[str, Document]]:
        """The last calls of the control plane: (operation, parameters), as boto3 was given."""
        return self._control.requests

    def inject(
        self,
        operation: str,
        status: int = 500,
        error_type: str = "InternalServerException",
        times: int = 1,
        after: bool = False,
        connection_id: str | None = None,
    ) -> None:
        """Answer the next `times` calls of a boto3 operation with an error, for tests.

        Operations are named as in boto3's documentation: "CreateApi", "PostToConnection". With
        `after` the call is carried out first, which is what a timeout after a success looks
        like. `connection_id` narrows an @connections operation to one connection. botocore
        repeats calls that are answered with 429 or 5xx: count its attempts in `times`.
        """
        if operation not in OPERATIONS and operation not in operation_names():
            raise ValueError(f"There is no operation {operation}; names are as in CreateApi.")
        self._faults.add(Fault(operation, status, error_type, times, after, connection_id))

    @property
    def _running(self) -> _Run:
        if self._run is None:
            raise RuntimeError("The local gateway does not run: call start() first.")
        return self._run


class _Run:
    """All that exists between start() and stop()."""

    def __init__(
        self,
        control: ControlPlane,
        faults: FaultInjection,
        limits: Limits,
        socket_listener: socket.socket,
        control_listener: socket.socket,
    ) -> None:
        self._limits = limits
        self._listener = socket_listener
        self.socket_port: int = socket_listener.getsockname()[1]
        self.control_port: int = control_listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self.connections = Connections(limits)
        self._integrations = Integrations(limits)
        conversations = Conversations(control, self.connections, self._integrations, limits)
        self._sockets = SocketServer(control, self.connections, conversations, limits)
        api = ConnectionsApi(control, self.connections, faults, limits, self._loop)
        self._endpoint = EndpointServer(control_listener, control, api)
        self._threads = [
            _thread("local-gateway-sockets", self._run_loop),
            _thread("local-gateway-http", self._run_endpoint),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self._in_loop(self._sockets.start(self._listener))

    def stop(self) -> None:
        """The endpoint goes last: a $disconnect handler may still post to somebody."""
        self._in_loop(self._drain())
        self._endpoint.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join()
        self._integrations.close()

    def wait_until_quiet(self, timeout: float) -> bool:
        waiting = self.connections.wait_for_closed(timeout)
        return asyncio.run_coroutine_threadsafe(waiting, self._loop).result() == 0

    async def _drain(self) -> None:
        loop, patience = self._loop, self._limits.stop_timeout
        deadline = loop.time() + patience
        await self._sockets.close(patience)
        late = await self.connections.wait_for_closed(deadline - loop.time())
        if late:
            logger.warning("gateway stops without waiting for everybody connections=%d", late)
        self._integrations.interrupt()
        # A handshake that waited for its integration is still refused properly.
        await self._sockets.close(patience)
        await self._sockets.cut()
        await self.connections.wait_for_closed(patience)

    def _in_loop(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _run_endpoint(self) -> None:
        self._endpoint.serve_forever(poll_interval=0.02)


def _thread(name: str, target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(name=name, target=target, daemon=True)


def _listen(host: str, backlog: int, *ports: int) -> list[socket.socket]:
    """All of the ports or none."""
    listeners: list[socket.socket] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        for port in ports:
            listener = socket.create_server((host, port), family=family, backlog=backlog)
            listeners.append(listener)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _address(host: str, port: int) -> str:
    reachable = _WILDCARDS.get(host, host)
    return f"[{reachable}]:{port}" if ":" in reachable else f"{reachable}:{port}"
