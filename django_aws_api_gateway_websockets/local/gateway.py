"""Gateway as a whole: its two ports, its threads, its start and its stop."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .connections import Connections
from .connections_api import OPERATIONS, ConnectionsApi
from .control import ControlPlane
from .documents import Document, Documents
from .http_server import ApiServer
from .injection import Fault, FaultInjection
from .integrations import Integrations
from .lifecycle import Lifecycle
from .limits import Limits
from .rest_json import operation_names
from .sockets import SocketServer
from .state_file import StateFile

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

T = TypeVar("T")

#: Addresses that mean "every interface", and one of each family that a client can connect to.
_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only if asked


class LocalGateway:
    """Plays API Gateway's WebSocket APIs, @connections and control plane on this machine::

        with LocalGateway() as gateway:
            client = boto3.client("apigatewayv2", endpoint_url=gateway.endpoint_url, ...)

    Port 0 means a free one. With a state file the control plane's resources outlive the process.
    The public URLs are those by which others reach the two ports, if that is by other names or
    ports than these: in a container, say.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        socket_port: int = 0,
        control_port: int = 0,
        limits: Limits | None = None,
        state_file: str | os.PathLike[str] | None = None,
        public_socket_url: str | None = None,
        public_endpoint_url: str | None = None,
    ) -> None:
        """StateFileInvalid if the state file is not one of ours, OSError if it cannot be read."""
        self._host = host
        self._public_urls = public_socket_url, public_endpoint_url
        self._ports = socket_port, control_port
        self._limits = limits or Limits()
        self._faults = FaultInjection()
        documents = Documents(StateFile(Path(state_file)) if state_file else None)
        self._control = ControlPlane(documents, self._faults, self._limits.requests_kept)
        self._servers: _Servers | None = None
        self._stopping = threading.RLock()  # A signal may interrupt stop().

    def start(self) -> None:
        """Open both ports. Raises OSError if one of them, or the state file, is not free."""
        if self._servers is not None:
            raise RuntimeError("The local gateway runs already.")
        self._control.open()
        try:
            listeners = _listen(self._host, self._limits.backlog, *self._ports)
        except OSError:
            self._control.close()
            raise
        self._servers = _Servers(
            self._control, self._faults, self._limits, self._hosts, *listeners
        )
        self._control.set_socket_endpoint(self.socket_endpoint)
        self._servers.start()
        # A program may end without a word. Its clients shall not notice that by a reset.
        atexit.register(self.stop)
        logger.info(
            "gateway started sockets=%s endpoint=%s", self.socket_endpoint, self.endpoint_url
        )

    def stop(self) -> None:
        """Close the sockets with 1001, send their $disconnect, and end every thread.

        Waits for slow integrations and clients up to Limits.stop_timeout, then cuts them off.
        """
        atexit.unregister(self.stop)
        # A second thread waits for the end, too.
        with self._stopping:
            self._stop()

    def _stop(self) -> None:
        if self._servers is not None:
            servers, self._servers = self._servers, None
            servers.stop()
            self._control.close()
            logger.info("gateway stopped")

    def wait_until_quiet(self, timeout: float = 5.0) -> bool:
        """Wait until each closed connection's $disconnect is answered; False if `timeout` s pass.

        For tests: nothing of a closed socket is still running then.
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
        address = _host_and_port(self._host, self._running.control_port)
        return self._public_urls[1] or f"http://{address}"

    @property
    def socket_endpoint(self) -> str:
        """What clients' URLs begin with: "ws://127.0.0.1:9000"."""
        address = _host_and_port(self._host, self._running.socket_port)
        return self._public_urls[0] or f"ws://{address}"

    @property
    def _hosts(self) -> frozenset[str]:
        """The names by which this machine may ask the HTTP port."""
        public = (urlsplit(url or "").hostname or "" for url in self._public_urls)
        return frozenset({"", "localhost", self._host.lower(), *public})

    @property
    def connections(self) -> tuple[str, ...]:
        """The ids of the connections that are open at the moment."""
        return self._running.connections.ids

    @property
    def requests(self) -> deque[tuple[str, Document]]:
        """The last calls of the control plane: (operation, parameters), as given to boto3."""
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
    def _running(self) -> _Servers:
        if self._servers is None:
            raise RuntimeError("The local gateway does not run: call start() first.")
        return self._servers


class _Servers:
    """The two servers and their threads, which exist between start() and stop()."""

    def __init__(
        self,
        control: ControlPlane,
        faults: FaultInjection,
        limits: Limits,
        hosts: frozenset[str],
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
        lifecycle = Lifecycle(control, self.connections, self._integrations, limits)
        self._socket_server = SocketServer(control, self.connections, lifecycle, limits)
        connections_api = ConnectionsApi(control, self.connections, faults, limits, self._loop)
        self._api_server = ApiServer(control_listener, control, connections_api, hosts)
        serve_apis = partial(self._api_server.serve_forever, poll_interval=0.02)
        self._threads = [
            _thread("local-gateway-sockets", self._run_loop),
            _thread("local-gateway-http", serve_apis),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self._run_in_loop(self._socket_server.start(self._listener))

    def stop(self) -> None:
        """Close the sockets before the APIs, which a $disconnect handler may still call."""
        self._run_in_loop(self._close_sockets())
        self._api_server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join()
        self._integrations.close()

    def wait_until_quiet(self, timeout: float) -> bool:
        return self._run_in_loop(self.connections.wait_for_closed(timeout)) == 0

    async def _close_sockets(self) -> None:
        loop, timeout = self._loop, self._limits.stop_timeout
        deadline = loop.time() + timeout
        await self._socket_server.close(timeout)
        unfinished = await self.connections.wait_for_closed(deadline - loop.time())
        if unfinished:
            logger.warning(
                "gateway stops without waiting for everybody connections=%d", unfinished
            )
        self._integrations.interrupt()
        # A handshake that waited for its integration is still refused properly.
        await self._socket_server.close(timeout)
        await self._socket_server.abort()
        await self.connections.wait_for_closed(timeout)

    def _run_in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()


def _thread(name: str, target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(name=name, target=target, daemon=True)


def _listen(host: str, backlog: int, *ports: int) -> list[socket.socket]:
    """Listen on all of the ports or on none."""
    listeners: list[socket.socket] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # "::" means every interface, of both families where the system has that.
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        for port in ports:
            listener = socket.create_server(
                (host, port), family=family, backlog=backlog, dualstack_ipv6=both
            )
            listeners.append(listener)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _host_and_port(host: str, port: int) -> str:
    reachable = _WILDCARDS.get(host, host)
    return f"[{reachable}]:{port}" if ":" in reachable else f"{reachable}:{port}"
