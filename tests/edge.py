"""A loopback HTTP server that stands for AWS, for tests of what boto3 really sends.

It remembers what it was asked and answers what a test told it to. Untold, it is an AWS in which
nothing exists yet and every call succeeds, and where every connection is open. It keeps no state:
tests that need one use the local gateway.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, List, NamedTuple, Optional
from urllib.parse import unquote

#: Seconds after which a wait is a failure. Nothing waits that long when all is well.
DEADLINE = 60

#: What every create call answers with; boto3 takes the members that it knows.
MADE = {
    "apiId": "a1b2c3d4e5",
    "apiEndpoint": "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "integrationId": "i1",
    "routeId": "r1",
    "deploymentId": "d1",
    "apiMappingId": "m1",
    "domainNameConfigurations": [
        {"apiGatewayDomainName": "d-1.execute-api.eu-west-1.amazonaws.com"}
    ],
}


class Request(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    headers: Any
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {unquote(self.path)}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def connection_id(self) -> str:
        """To which connection it was posted."""
        return self.line.rpartition("/")[2]

    @property
    def access_key(self) -> str:
        """With which key it was signed."""
        return str(self.headers["Authorization"]).partition("Credential=")[2].partition("/")[0]


@dataclass
class Answer:
    """What requests whose line matches are answered with."""

    line: str
    status: int = 200
    body: Any = None
    error_type: str = ""
    #: How many requests it is for; None means all.
    times: Optional[int] = None
    #: Close the connection with a reset instead of answering.
    reset: bool = False
    #: The answer waits for ``release``; ``arrived`` tells that the request is there.
    hold: bool = False
    #: It is for those requests alone of which this is true. Asked of one request at a time.
    only: Callable[[Request], bool] = lambda request: True

    def __post_init__(self) -> None:
        if self.error_type and self.body is None:
            self.body = {"message": f"A {self.error_type} of the test"}
        self.arrived = threading.Event()
        self.release = threading.Event()

    def takes(self, request: Request) -> bool:
        is_meant = self.times != 0 and re.search(self.line, request.line) is not None
        return is_meant and self.only(request)

    def wait(self) -> None:
        self.arrived.set()
        if self.hold:
            assert self.release.wait(DEADLINE), f"{self.line} was never released"


class Edge:
    """The server. Use it as a context manager."""

    def __init__(self) -> None:
        self.requests: List[Request] = []
        self._answers: List[Answer] = []
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"edge": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        # Joined by server_close(), so that no request outlives its test.
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Edge:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        for answer in self._answers:
            answer.release.set()
        self._server.shutdown()
        self._thread.join(DEADLINE)
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def lines(self) -> List[str]:
        """The request lines seen, in order."""
        return [request.line for request in self.requests]

    def when(self, line: str, status: int = 200, **options: Any) -> Answer:
        """Answer requests whose line, "POST /v2/apis", this pattern finds. The last word wins."""
        answer = Answer(line, status, **options)
        self._answers.insert(0, answer)
        return answer

    def take(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            for answer in self._answers:
                if answer.takes(request):
                    if answer.times is not None:
                        answer.times -= 1
                    return answer
        return _untold(request)


class _Server(ThreadingHTTPServer):
    #: Connections that wait to be taken: a broadcast makes hundreds at once.
    request_queue_size = 1024


def _untold(request: Request) -> Answer:
    if "/@connections/" in request.path:
        return Answer("", 204 if request.method == "DELETE" else 200, {})
    if request.method == "DELETE":
        return Answer("", 204)
    if re.match(r"GET /v2/domainnames/[^/]+$", request.line):
        return Answer("", 404, {"message": "Not found"}, "NotFoundException")
    if request.method == "GET":
        return Answer("", 200, {"items": []})
    return Answer("", 201 if request.method == "POST" else 200, MADE)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0, so that no connection of a cached client outlives its test."""

    edge: Edge

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.edge.take(Request(self.command, self.path, self.headers, body))
        answer.wait()
        if answer.reset:
            # A linger of no seconds makes close() send a reset.
            no_linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            return
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        if answer.error_type:
            self.send_header("x-amzn-ErrorType", answer.error_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_CONNECT = answer

    def log_message(self, *args: Any) -> None:
        """Silence: what arrived is in ``requests``."""
