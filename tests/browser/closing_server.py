"""Server in the gateway's place, for what that never does: it ends connections by any code."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import Any, Optional

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from tests.browser.world import PATIENCE


class ClosingServer:
    """Ends a connection by the code of {"code": 1011}; see NO_CODE and CUT.

    While ``at_once`` is a code, it ends each by that as soon as it is open. While ``refusal`` is a
    status, it refuses each handshake with that. While ``gate`` is not set, handshakes wait.
    """

    #: A close frame without a code, and none at all: what a browser shows for them.
    NO_CODE, CUT = 1005, 1006

    def __init__(self) -> None:
        self.at_once: Optional[int] = None
        self.refusal: Optional[int] = None
        self.gate = threading.Event()
        self.gate.set()
        #: Handshakes that have come.
        self.handshakes = 0
        self._connections: list[Any] = []
        self._news = threading.Condition()

    def __enter__(self) -> ClosingServer:
        self._server = serve(self._handle, "127.0.0.1", 0, process_request=self._admit)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"
        return self

    def __exit__(self, *error: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()

    def _admit(self, connection: Any, request: Any) -> Any:
        self.handshakes += 1
        self.gate.wait()
        return connection.respond(self.refusal, "") if self.refusal else None

    def connection(self, number: int) -> Any:
        """Return a connection, the first one by 0, as soon as it is there."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._connections) > number, PATIENCE)
            return self._connections[number]

    def _handle(self, connection: Any) -> None:
        with self._news:
            self._connections.append(connection)
            self._news.notify_all()
        with suppress(ConnectionClosed):  # The page has gone.
            code = self.at_once
            while code is None:
                code = json.loads(connection.recv()).get("code")
            end(connection, code)


def end(connection: Any, code: int) -> None:
    if code == ClosingServer.NO_CODE:
        with connection.send_context():
            connection.protocol.send_close()
    elif code == ClosingServer.CUT:
        connection.socket.shutdown(socket.SHUT_RDWR)
    else:
        connection.close(code)
