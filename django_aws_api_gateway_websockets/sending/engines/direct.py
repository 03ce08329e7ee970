"""One request after another on a connection of its own, where there is no proxy.

Python's own http.client takes half of the time that urllib3 takes on top of it, and writes the
headers and the body at once. Connections are verified as urllib3's are.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections import defaultdict
from contextlib import closing, suppress
from typing import DefaultDict, List, Optional, Tuple

from urllib3.util import wait_for_read

from ..addresses import Address
from .base import MAX_RESPONSE_BYTES, Answer, Request, Timeouts, error_answer

#: Seconds of idleness after which a connection is looked at before it is used again.
FRESH = 1.0


#: A connection that waits for work, and since when.
Idle = Tuple[http.client.HTTPConnection, float]


class DirectConnections:
    """Connections that wait for work, to each address. Threads share them, last in, first out.

    The TLS context must check host names.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._idle: DefaultDict[Address, List[Idle]] = defaultdict(list)

    def post(self, request: Request, timeouts: Timeouts) -> Answer:
        """Send the request; return the answer, or what broke by botocore's name for it."""
        connection = None
        try:
            connection = self._connection(request.address, timeouts)
            answer = exchange(connection, request)
        except (OSError, http.client.HTTPException) as error:
            if connection:
                connection.close()
            return failure(error, has_connected=connection is not None)
        if connection.sock is not None:  # The other end means to keep it.
            self._idle[request.address].append((connection, time.monotonic()))
        return answer

    def close(self) -> None:
        """Close those that wait; more than one thread may do so."""
        for connections in list(self._idle.values()):
            with suppress(IndexError):
                while True:
                    connections.pop()[0].close()

    def _connection(self, address: Address, timeouts: Timeouts) -> http.client.HTTPConnection:
        connection = self._idle_one(address) or self._new_one(address, timeouts.connect)
        connection.sock.settimeout(timeouts.read)
        return connection

    def _idle_one(self, address: Address) -> Optional[http.client.HTTPConnection]:
        idle = self._idle[address]
        while idle:
            try:
                connection, since = idle.pop()
            except IndexError:  # Another thread was faster.
                return None
            # What can be read before anything is asked is the other end's goodbye.
            is_fresh = time.monotonic() - since < FRESH
            if is_fresh or not wait_for_read(connection.sock, timeout=0):
                return connection
            connection.close()
        return None

    def _new_one(self, address: Address, timeout: float) -> http.client.HTTPConnection:
        place = (address.hostname, address.port)
        connection = http.client.HTTPConnection(*place, timeout=timeout)
        if address.scheme == "https":
            connection = http.client.HTTPSConnection(*place, timeout=timeout, context=self._tls)
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection


def exchange(connection: http.client.HTTPConnection, request: Request) -> Answer:
    connection.request(request.method, request.path, body=request.body, headers=request.headers)
    # The socket of a connection that is not kept is the response's, to be closed with it.
    with closing(connection.getresponse()) as response:
        content = response.read(MAX_RESPONSE_BYTES)
        if not response.isclosed():  # There is more of it, which nobody wants to read.
            connection.close()
    if 200 <= response.status < 300:
        return Answer(response.status)
    return error_answer(response.status, response.getheader("x-amzn-ErrorType", ""), content)


def failure(error: Exception, *, has_connected: bool) -> Answer:
    if isinstance(error, ssl.SSLError):
        return Answer(0, "SSLError", not isinstance(error, ssl.SSLCertVerificationError))
    if isinstance(error, socket.timeout):  # which is TimeoutError from Python 3.10 on
        return Answer(0, "ReadTimeoutError" if has_connected else "ConnectTimeoutError", True)
    return Answer(0, "ConnectionClosedError" if has_connected else "EndpointConnectionError", True)
