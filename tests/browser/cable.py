"""Cable between a browser and a gateway. It forwards bytes until it is cut or falls silent."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any


class Cable:
    """Listens on a port of its own, and forwards each connection to ``port``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._ends: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._silent: set[socket.socket] = set()

    def __enter__(self) -> Cable:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *error: Any) -> None:
        # Closing does not wake an accept() on Linux. Shutting down does.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._acceptor.join()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """End all connections without a word, as when a router restarts."""
        with self._lock:
            ends, self._ends = self._ends, []
        for pair in ends:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def silence(self) -> None:
        """Drop what comes by these connections, and end none, as when a network was left.

        New connections are forwarded.
        """
        with self._lock:
            self._silent.update(end for pair in self._ends for end in pair)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as far:
            with self._lock:
                self._ends.append((near, far))
            back = threading.Thread(target=self._forward, args=(far, near), daemon=True)
            back.start()
            self._forward(near, far)
            back.join()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if sink not in self._silent:
                    sink.sendall(data)
            if sink not in self._silent:
                sink.shutdown(socket.SHUT_WR)
