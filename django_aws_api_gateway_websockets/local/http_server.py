"""HTTP server that boto3 talks to: reads requests, asks for the answer, writes it.

Knows HTTP and AWS's error shape. The control plane and the @connections API know what the
requests mean.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from .connections_api import ConnectionsApi, is_connections_path
from .control import ControlPlane
from .errors import BadRequest, GatewayError, HostForeign, TokenMissing

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

#: Bytes. Calls of the control plane are far shorter; a longer body is not read.
_MAX_BODY_SIZE = 10 * 1024 * 1024


class ApiServer(ThreadingMixIn, HTTPServer):
    """Serves the control plane and the @connections API, with a thread for each connection.

    boto3 keeps its connections alive.
    """

    # A gateway that nobody stopped must not keep the process from ending.
    daemon_threads = True

    def __init__(
        self,
        listener: socket.socket,
        control: ControlPlane,
        connections_api: ConnectionsApi,
        hosts: frozenset[str],
    ) -> None:
        """Requests of this machine may name these hosts, and addresses."""
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.control = control
        self.connections_api = connections_api
        self.hosts = hosts
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread, as ThreadingMixIn does. It forgets its daemons; close() joins ours."""
        thread = threading.Thread(
            target=self._process_in_thread,
            args=(request, client_address),
            name="local-gateway-request",
            daemon=True,
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _process_in_thread(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a client has gone, which is no error."""
        logger.debug("request broken off error=%r", sys.exc_info()[1])

    def close(self) -> None:
        """Stop listening, let the requests in progress end, and wait for their threads."""
        self.shutdown()
        self.server_close()
        with self._lock:
            threads = dict(self._open)
        for thread, request in threads.items():
            # Only reading ends here: an answer that is being written still arrives.
            with suppress(OSError):  # The socket may be closed already.
                request.shutdown(socket.SHUT_RD)
            thread.join()

    def answer(
        self, method: str, target: str, headers: Any, body: bytes, address: str
    ) -> tuple[int, bytes]:
        """The status and body of the answer, or a GatewayError.

        `address` is the one of ours that the request has come to.
        """
        path = target.partition("?")[0]
        host = host_of(headers.get("Host", ""))
        is_callback = is_connections_path(path)
        # Whoever comes from another machine may know this one by any name.
        if _is_loopback(address):
            self._check_host(host, is_callback)
        # This also keeps other web pages out. A browser sends such a header to another site only
        # after a preflight request, which this server refuses.
        if not headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            raise TokenMissing
        if is_callback:
            return self.connections_api.answer(method, host, path, body)
        return self.control.answer(method, target, body)

    def _check_host(self, host: str, is_callback: bool) -> None:
        """HostForeign for a name that somebody's DNS may have led here.

        A web page of that name would be of this server's own origin, and could do all that boto3
        can (DNS rebinding).
        """
        is_own = host in self.hosts or host.endswith(".localhost")
        if is_own or _is_ip_address(host):
            return
        if not (is_callback and self.control.has_domain(host)):
            raise HostForeign(host)


def host_of(header: str) -> str:
    """The host that a Host header names, without its port. BadRequest if it names none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError as error:
        raise BadRequest(f"The header Host is no host: {header[:80]!r}") from error


def _is_loopback(address: str) -> bool:
    ip = ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"
    server_version = "LocalGateway"
    # Head and body leave in one packet and at once. Otherwise each answer takes 40 ms more.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        try:
            self._check_head()
            body = self._read_body()
            address = self.connection.getsockname()[0]
            status, answer = self.server.answer(
                self.command, self.path, self.headers, body, address
            )
        except GatewayError as error:
            self._refuse(error)
        except Exception:
            logger.exception("request failed path=%r", self.path)
            self._refuse(GatewayError("Internal server error"))
        else:
            self._send(status, answer)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def handle_one_request(self) -> None:
        # A TLS handshake may have no line end, which http.server would wait for.
        first: Any = self.rfile
        if first.peek(1)[:1] == b"\x16":
            self.close_connection = True
            logger.warning("request refused reason=%r", "TLS: this port is http://")
            return
        super().handle_one_request()

    def _check_head(self) -> None:
        """BadRequest for a head that two readers may read in two ways."""
        headers = self.headers
        counts = [len(set(headers.get_all(name, []))) for name in ("Content-Length", "Host")]
        is_clear = not headers.defects and not headers.get_payload() and max(counts) <= 1
        if not (is_clear and self.path.isascii() and self.path.isprintable()):
            self.close_connection = True
            raise BadRequest("This is no request of HTTP/1.1.")
        if headers.get("Upgrade", "").lower() == "websocket":
            raise BadRequest("Sockets go to the other port, see the gateway's socket_endpoint.")

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        is_chunked = "Transfer-Encoding" in self.headers
        is_length = re.fullmatch(r"[0-9]{1,10}", length) is not None
        if not is_length or int(length) > _MAX_BODY_SIZE or is_chunked:
            # The end of this request is unknown, so no other can be read from the connection.
            self.close_connection = True
            raise BadRequest("Send a body with a Content-Length of at most 10 MB.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            raise BadRequest("The body is shorter than its Content-Length.")
        return body

    def _refuse(self, error: GatewayError) -> None:
        reason = f"{error.error_type}: {error}"
        logger.warning(
            "request refused method=%s path=%r status=%d reason=%r",
            self.command,
            self.path.partition("?")[0],
            error.status,
            reason,
        )
        self._send(error.status, error.body, error.error_type)

    def _send(self, status: int, body: bytes, error_type: str | None = None) -> None:
        self.send_response(status)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if error_type is not None:
            self.send_header("x-amzn-ErrorType", error_type)
        if self.close_connection:
            self.send_header("Connection", "close")
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, *_: Any) -> None:
        """Answer what http.server cannot read in AWS's shape, and say so on the console."""
        self.close_connection = True
        # The text holds what the client has sent, which may be a secret.
        reason = (message or "").partition(" (")[0]
        logger.warning("request refused status=%d reason=%r", code, reason)
        self.request_version = "HTTP/1.1"
        error = BadRequest("This is no request of HTTP/1.1.")
        self._send(code, error.body, error.error_type)

    def log_message(self, *args: Any) -> None:
        """Log nothing, since each call has a line already."""
