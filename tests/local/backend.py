"""A backend for the local gateway to call: it keeps what it was sent and answers as told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

#: Seconds after which what a test waits for has failed to happen.
PATIENCE = 10.0


@dataclass(frozen=True)
class Received:
    """One request of the gateway."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def name(self):
        return self.path.rpartition("/")[2]

    @property
    def arguments(self):
        return parse_qs(self.query, keep_blank_values=True)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None


@dataclass
class Reply:
    """What the backend answers; with `hold`, once that event is set."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    hold: threading.Event | None = None


class Backend:
    """http://127.0.0.1:{port}/{name} for any name."""

    def __init__(self):
        self._changed = threading.Condition(threading.RLock())
        self._received = []
        self._replies = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.backend = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        for reply in self._replies.values():
            if isinstance(reply, Reply) and reply.hold is not None:
                reply.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, name, reply):
        """Answer requests to `name` with a Reply, or with what a function makes of them."""
        self._replies[name] = reply

    def respond(self, received):
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()
        reply = self._replies.get(received.name, Reply())
        reply = reply(received) if callable(reply) else reply
        if reply.hold is not None:
            reply.hold.wait(PATIENCE)
        return reply

    @property
    def names(self):
        """The names that were called so far, in order."""
        with self._changed:
            return [received.name for received in self._received]

    def received(self, name, count=1):
        """The first `count` requests to a name, waiting for them."""

        def found():
            return [received for received in self._received if received.name == name]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, PATIENCE):
                raise AssertionError(f"{name} not called {count} times: {self.names}")
            return found()[:count]

    def one(self, name):
        return self.received(name)[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() waits for them
    request_queue_size = 512
    backend: Backend

    def handle_error(self, request, client_address):
        """The gateway may break off a call."""


class _Handler(BaseHTTPRequestHandler):
    def _handle(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = self.headers.items()
        reply = self.server.backend.respond(
            Received(self.command, url.path, url.query, list(headers), body)
        )
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = _handle

    def log_message(self, *args):
        """Quiet."""
