"""Servers at real sockets that keep connections open, count them, and misbehave when told to.

`edge.Edge` stands for AWS; these stand for the network up to it: TLS, proxies, broken answers.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from tests.edge import DEADLINE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Arrived(NamedTuple):
    """One request as its bytes arrived."""

    #: The number of its connection, from 0.
    connection: int
    method: str
    target: str
    headers: Dict[str, str]
    body: bytes


#: Told of a request, it returns the bytes to answer with; None closes the connection.
Answering = Callable[[Arrived], Optional[bytes]]


class Server:
    """Accepts connections and keeps them; a context manager.

    ``answering`` may be replaced at any time. The bytes of an answer are sent as they are.
    """

    def __init__(
        self, tls: Optional[ssl.SSLContext] = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.answering: Answering = lambda request: OK
        self.requests: List[Arrived] = []
        #: Connections on which a request could have arrived: with TLS, after the handshake.
        self.connections = 0
        #: All connections.
        self.accepted = 0
        #: What broke: handshakes that were refused, records that could not be read.
        self.broken: List[str] = []
        self._tls = tls
        self._lock = threading.Lock()
        self._open: Dict[Any, threading.Thread] = {}
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self._socket.listen(512)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        # Wakes the thread that accepts.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE)
        self._socket.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close all connections, and wait until that is done."""
        with self._lock:
            threads = dict(self._open)
        for connection, thread in threads.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE)
            assert not thread.is_alive()

    @property
    def open(self) -> int:
        """The number of connections that are there at the moment."""
        with self._lock:
            return len(self._open)

    @property
    def targets(self) -> List[str]:
        return [request.target for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            # By this one it can be ended at any time: TLS takes the other over.
            handle = connection.dup()
            thread = threading.Thread(target=self._talk, args=(connection, handle))
            with self._lock:
                self._open[handle] = thread
                thread.start()

    def _talk(self, plain: socket.socket, handle: socket.socket) -> None:
        connection: Any = plain
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                plain.settimeout(DEADLINE)
                connection = self._tls.wrap_socket(
                    plain, server_side=True, do_handshake_on_connect=False
                )
                connection.do_handshake()
            with self._lock:
                number = self.connections
                self.connections += 1
            with connection.makefile("rb") as stream:
                self.serve(number, connection, stream)
        except ssl.SSLError as error:
            self.broken.append(str(error.reason or error))
        except OSError:
            pass  # The other end, or hang_up.
        finally:
            connection.close()
            handle.close()
            with self._lock:
                self._open.pop(handle, None)

    def serve(self, number: int, connection: Any, stream: Any) -> None:
        """Answer the requests of one connection until it ends."""
        while True:
            request = read_request(number, stream)
            if request is None:
                return
            self.requests.append(request)
            answer = self.answering(request)
            if answer is None:
                return
            connection.sendall(answer)


class Proxy(Server):
    """Connects every CONNECT to one server, whatever its name; answers other requests itself."""

    def __init__(self, server: Optional[Server] = None, **options: Any) -> None:
        super().__init__(**options)
        self._server = server
        #: What CONNECT is answered with, if not by a connection.
        self.refusal = b""

    def serve(self, number: int, connection: Any, stream: Any) -> None:
        request = read_request(number, stream)
        while request and request.method != "CONNECT":
            self.requests.append(request)
            connection.sendall(OK)
            request = read_request(number, stream)
        if request is None:
            return
        self.requests.append(request)
        if self.refusal:
            connection.sendall(self.refusal)
            return
        assert self._server
        with socket.create_connection(("127.0.0.1", self._server.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(onward, connection))
            back.start()
            _copy(connection, onward)
            back.join(DEADLINE)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for data in iter(lambda: source.recv(65536), b""):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def read_request(connection: int, stream: Any) -> Optional[Arrived]:
    """Read one request; None if the connection has ended before it did."""
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: Dict[str, str] = {}
    for raw in iter(stream.readline, b"\r\n"):
        if not raw:
            return None
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Arrived(connection, line[0], line[1], headers, body)


def wait_until(is_so: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again, for so many seconds at most, until it is so."""
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        threading.Event().wait(0.01)
    return is_so()


def free_port() -> int:
    """A port of the loopback address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


class FullHouse:
    """A port whose backlog is full: whoever connects gets no answer."""

    def __enter__(self) -> FullHouse:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(0)
        self.port: int = self._socket.getsockname()[1]
        self._guests: List[socket.socket] = []
        while len(self._guests) < 10:
            guest = socket.socket()
            guest.settimeout(0.2)
            self._guests.append(guest)
            try:
                guest.connect(("127.0.0.1", self.port))
            except socket.timeout:
                return self
        raise AssertionError("The backlog never fills")

    def __exit__(self, *exc_info: object) -> None:
        for guest in (*self._guests, self._socket):
            guest.close()


class Authority:
    """A certificate authority of the tests, in files."""

    def __init__(self, folder: Any) -> None:
        import trustme

        self._folder = folder
        self._authority = trustme.CA()
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def directory(self, name: str) -> Any:
        """A directory as c_rehash makes it, in which the authority has this name."""
        folder = self._folder / "ca"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(self.file.read_bytes())
        return folder

    def server_side(self, *names: str, **options: Any) -> ssl.SSLContext:
        """What a server needs to be these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names, **options).configure_cert(context)
        return context
