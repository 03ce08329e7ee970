"""The HTTP port that boto3 talks to: reads requests, asks for the answer, writes it.

Knows HTTP and AWS's error shape; what the requests mean is the control plane's and the
@connections API's business.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from .connections_api import ConnectionsApi, is_connections_path
from .control import ControlPlane
from .errors import BadRequest, GatewayError, TokenMissing

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

#: No call of the control plane comes near it; a longer body is not read.
_LONGEST_BODY = 10 * 1024 * 1024


class EndpointServer(ThreadingMixIn, HTTPServer):
    """One thread for each connection, which boto3 keeps alive."""

    # A gateway that nobody stopped must not keep the process from ending.
    daemon_threads = True

    def __init__(
        self, listener: socket.socket, control: ControlPlane, connections_api: ConnectionsApi
    ) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.control = control
        self.connections_api = connections_api
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """As in ThreadingMixIn, which forgets its daemon threads: ours are waited for."""
        work = (request, client_address)
        thread = threading.Thread(
            target=self._serve, args=work, name="local-gateway-request", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error."""
        logger.debug("request broken off error=%r", sys.exc_info()[1])

    def close(self) -> None:
        """Stop listening, let the requests in progress end, and wait for their threads."""
        self.shutdown()
        self.server_close()
        with self._lock:
            threads = dict(self._open)
        for thread, request in threads.items():
            _end_reading(request)
            thread.join()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """The status and body of the answer, or a GatewayError."""
        # It also keeps web pages out: none can send this header here without asking first.
        if not headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            raise TokenMissing
        path = target.partition("?")[0]
        if is_connections_path(path):
            host = urlsplit("//" + headers.get("Host", "")).hostname or ""
            return self.connections_api.answer(method, host, path, body)
        return self.control.answer(method, target, body)


def _end_reading(request: socket.socket) -> None:
    # Only the reading half: an answer that is being written still arrives.
    with suppress(OSError):  # It may have been closed in the meantime.
        request.shutdown(socket.SHUT_RD)


class _Handler(BaseHTTPRequestHandler):
    server: EndpointServer
    protocol_version = "HTTP/1.1"
    server_version = "LocalGateway"
    # Head and body in one packet, and sent at once: otherwise each answer takes 40 ms more.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        try:
            status, body = self.server.answer(
                self.command, self.path, self.headers, self._read_body()
            )
        except GatewayError as error:
            self._refuse(error)
        except Exception:
            logger.exception("request failed path=%r", self.path)
            self._refuse(GatewayError("Internal server error"))
        else:
            self._send(status, body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LONGEST_BODY or self._is_chunked():
            # What follows cannot be told from the next request.
            self.close_connection = True
            raise BadRequest("Send a body with a Content-Length of at most 10 MB.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            raise BadRequest("The body is shorter than its Content-Length.")
        return body

    def _is_chunked(self) -> bool:
        return "Transfer-Encoding" in self.headers

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

    def log_message(self, *args: Any) -> None:
        """Each call has its line already."""
