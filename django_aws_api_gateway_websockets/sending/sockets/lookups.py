"""Lookups of host names: a thread looks a name up, while those who wait serve others."""

from __future__ import annotations

import socket
import threading
import time
from ipaddress import ip_address
from typing import Dict, List, NamedTuple, Tuple, Union

from ...processes import per_process

#: Seconds for which addresses are used, and for which a name is taken not to exist. The names of
#: API Gateway have a TTL of 60 seconds.
KEPT_SECONDS, FAILED_SECONDS = 30.0, 1.0

Host = Tuple[str, int]

#: An address family and the address, as for socket.connect().
SocketAddress = Tuple[int, Tuple[object, ...]]


class Found(NamedTuple):
    """What a lookup has found, and until when that is used, by time.monotonic()."""

    addresses: Union[List[SocketAddress], Exception]
    until: float


class Lookups:
    """The addresses of hosts. One thread at a time looks one host up."""

    def __init__(self) -> None:
        # Reentrant, because a signal's handler may send a message, too.
        self._lock = threading.RLock()
        self._found: Dict[Host, Found] = {}
        #: Sockets that are closed when the lookup of their host has ended.
        self._waiting: Dict[Host, List[socket.socket]] = {}

    def find(self, host: Host) -> Union[List[SocketAddress], Exception, None]:
        """Return the host's addresses, what its lookup raised, or None if it must be looked up."""
        found = self._found.get(host)
        if found and found.until > time.monotonic():
            return found.addresses
        return resolve(host) if is_ip_address(host[0]) else None

    def start(self, host: Host) -> socket.socket:
        """Look a host up; return a socket that becomes readable when that is done."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with self._lock:
            is_running = host in self._waiting
            self._waiting.setdefault(host, []).append(theirs)
        if not is_running:
            thread = threading.Thread(target=self._look_up, args=[host], daemon=True)
            thread.name = "websocket-lookup"
            try:
                thread.start()
            except RuntimeError:  # The process may have no more threads, or it is ending.
                self._look_up(host)
        return ours

    def prefer(self, host: Host, address: SocketAddress) -> None:
        """Try this address first from now on, because it answers."""
        found = self._found.get(host)
        if found and isinstance(found.addresses, list) and found.addresses[0] != address:
            others = [other for other in found.addresses if other != address]
            self._found[host] = Found([address, *others], found.until)

    def _look_up(self, host: Host) -> None:
        try:
            found = resolve(host)
            kept = FAILED_SECONDS if isinstance(found, Exception) else KEPT_SECONDS
            self._found[host] = Found(found, time.monotonic() + kept)
        finally:
            with self._lock:
                waiting = self._waiting.pop(host)
            for each in waiting:
                each.close()


def is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def resolve(host: Host) -> Union[List[SocketAddress], Exception]:
    """Return a host's addresses in the system's order, or the error."""
    try:
        found = socket.getaddrinfo(*host, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label of more than 63 characters
        return error
    # getaddrinfo() may name one address several times.
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


@per_process
def lookups() -> Lookups:
    """Return the lookups of this process, which all of its threads share."""
    return Lookups()
