"""Connections: how one is opened, step by step, and the request that is under way on it.

A connection is opened by a generator. It yields what it waits for (to read, to write), and so the
loop serves other connections meanwhile.
"""

from __future__ import annotations

import errno
import math
import re
import selectors
import socket
import ssl
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple

from botocore.httpsession import create_urllib3_context
from urllib3.util import wait_for_read

from ..addresses import Place
from ..exchanges import Timeouts
from .failures import ProxyFailed, TimedOut, is_exhausted
from .lookups import Host, SocketAddress, lookups

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

#: What connect_ex() returns if the connection is on its way (on Windows WSAEWOULDBLOCK).
ON_ITS_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)}

#: Seconds for each address of a host, while there are others to try.
PER_ADDRESS = 1.0

#: Bytes of a proxy's answer, at most.
MAX_PROXY_ANSWER = 64 * 1024

TUNNEL_IS_OPEN = re.compile(rb"HTTP/1\.[01] 2[0-9]{2}[ \r]")


#: The place that a connection leads to, and the certificates that it trusts.
Key = Tuple[Place, str]


class Exchange:
    """A request that is to be answered, and its deadline."""

    __slots__ = ("began_at", "key", "request", "tag", "timeouts", "until")

    def __init__(self, tag: Any, key: Key, request: bytes, timeouts: Timeouts) -> None:
        self.tag = tag
        self.key = key
        self.request = request
        self.timeouts = timeouts
        self.began_at = time.monotonic()
        self.until = self.began_at + timeouts.whole


class Connection:
    """One connection to a place. An engine holds it, or it idles in the pool.

    Deadlines are time.monotonic()'s.
    """

    __slots__ = (
        *("connect_until", "deadline", "exchange", "has_served", "idle_since", "key"),
        *("pieces", "received", "sock", "steps", "unsent"),
        *("events", "_descriptor", "_selector"),
    )

    def __init__(self, key: Key) -> None:
        self.key = key
        self.sock: Any = None
        #: What is left to do before it is open, or None.
        self.steps: Optional[Iterator[int]] = self._open()
        #: What is under way, or None.
        self.exchange: Optional[Exchange] = None
        self.unsent = self.received = b""
        #: How many pieces of the response have come.
        self.pieces = 0
        self.has_served = False
        self.connect_until = self.deadline = math.inf
        self.idle_since = 0.0
        self._selector: Any = None
        #: What the selector watches.
        self.events = 0
        self._descriptor = -1

    def begin(self, exchange: Exchange) -> None:
        """Take a request, to be sent as soon as the connection is open."""
        self.exchange = exchange
        self.unsent = exchange.request
        if self.steps is None:
            self.deadline = exchange.began_at + exchange.timeouts.read
        else:
            until = time.monotonic() + exchange.timeouts.connect
            self.connect_until = self.deadline = min(exchange.until, until)

    def opened(self) -> None:
        """Note that the connection is open, and that its request goes out now."""
        exchange: Any = self.exchange
        self.steps = None
        self.deadline = min(exchange.until, time.monotonic() + exchange.timeouts.read)

    def finish(self) -> None:
        """Forget the request; the connection is idle."""
        self.exchange = None
        self.received, self.pieces = b"", 0
        self.has_served = True
        self.deadline = math.inf
        self.idle_since = time.monotonic()

    def is_usable(self, oldest: float) -> bool:
        """True if it idles since ``oldest`` or later, and the server has not closed it."""
        # An idle connection that can be read from has ended.
        return self.idle_since >= oldest and not wait_for_read(self.sock, timeout=0)

    def send(self) -> bool:
        """Send as much as can be sent now; return True if nothing is left."""
        while self.unsent:
            try:
                sent = self.sock.send(self.unsent)
            except WOULD_BLOCK:
                return False
            self.unsent = self.unsent[sent:]
        return True

    def watch(self, selector: Any, events: int) -> None:
        """Let the selector report these events."""
        if self._selector is None:
            self._descriptor = self.sock.fileno()
            selector.register(self._descriptor, events, self)
        elif events != self.events:
            selector.modify(self._descriptor, events, self)
        self._selector, self.events = selector, events

    def unwatch(self) -> None:
        if self._selector is not None:
            self._selector.unregister(self._descriptor)
            self.forget_selector()

    def forget_selector(self) -> None:
        """Forget a selector that is closed."""
        self._selector, self.events = None, 0

    def close(self) -> None:
        """Close the socket. TLS says no goodbye, which AWS does not wait for."""
        self.unwatch()
        if self.sock is not None:
            self.sock.close()

    def _open(self) -> Iterator[int]:
        """Open the connection; yield each time what it waits for."""
        place, certificates = self.key
        scheme, hostname, port, proxy = place
        if proxy is None:
            yield from self._connect((hostname, port))
        else:
            try:
                yield from self._connect(proxy.host)
            except TimedOut:
                raise
            except OSError as error:
                if is_exhausted(error):
                    raise
                raise ProxyFailed from error
        if scheme == "https":
            if proxy:
                yield from self._tunnel(tunnel_request(place, proxy.authorization))
            tls = trusting(certificates)
            self.sock = tls.wrap_socket(
                self.sock, server_hostname=hostname, do_handshake_on_connect=False
            )
            yield from self._shake_hands()

    def _connect(self, host: Host) -> Iterator[int]:
        """Connect to the first of a host's addresses that answers."""
        addresses = yield from self._look_up(host)
        for number, address in enumerate(addresses, 1):
            is_last = number == len(addresses)
            try:
                yield from self._connect_to(address, is_last)
            except OSError as error:
                self.close()
                if is_last or is_exhausted(error) or time.monotonic() >= self.connect_until:
                    raise
            else:
                lookups().prefer(host, address)
                return

    def _look_up(self, host: Host) -> Any:
        found = lookups().find(host)
        if found is None:
            self.sock = lookups().start(host)
            yield READ
            self.close()
            found = lookups().find(host)
        if not isinstance(found, list):
            raise OSError(f"There is no host {host[0]}") from found
        return found

    def _connect_to(self, address: SocketAddress, is_last: bool) -> Iterator[int]:
        family, place = address
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.deadline = self.connect_until
        if not is_last:
            self.deadline = min(self.connect_until, time.monotonic() + PER_ADDRESS)
        code = self.sock.connect_ex(place)
        if code in ON_ITS_WAY:
            yield WRITE
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "Cannot connect")
        self.deadline = self.connect_until

    def _tunnel(self, request_for_tunnel: bytes) -> Iterator[int]:
        """Let the proxy connect us to the place."""
        request, self.unsent = self.unsent, request_for_tunnel
        while not self.send():
            yield WRITE
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            yield READ
            try:
                more = self.sock.recv(MAX_PROXY_ANSWER)
            except WOULD_BLOCK:
                continue
            answer += more
            if not more or len(answer) > MAX_PROXY_ANSWER:
                raise ProxyFailed
        if not TUNNEL_IS_OPEN.match(answer):
            raise ProxyFailed
        self.unsent = request

    def _shake_hands(self) -> Iterator[int]:
        while True:
            try:
                self.sock.do_handshake()
            except ssl.SSLWantReadError:
                yield READ
            except ssl.SSLWantWriteError:
                yield WRITE
            else:
                return


def tunnel_request(place: Place, authorization: str) -> bytes:
    """Return the request for a tunnel (RFC 9110, CONNECT)."""
    hostname = f"[{place.hostname}]" if ":" in place.hostname else place.hostname
    host = f"{hostname}:{place.port}"
    return f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n".encode()


@lru_cache(maxsize=8)
def trusting(certificates: str) -> ssl.SSLContext:
    """Return the TLS context that trusts the certificates of this file or directory.

    It is kept: to read the file takes longer than a hundred messages. Raises SSLError.
    """
    context: ssl.SSLContext = create_urllib3_context()
    context.check_hostname = True
    is_directory = Path(certificates).is_dir()
    try:
        context.load_verify_locations(**{"capath" if is_directory else "cafile": certificates})
    except OSError as error:
        raise ssl.SSLCertVerificationError(0, f"Cannot read {certificates}") from error
    return context
