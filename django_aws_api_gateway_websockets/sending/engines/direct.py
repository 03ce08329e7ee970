"""Direct connections, without a proxy, by Python's own http.client.

It takes half of the time of urllib3, which stands on top of it, and it writes the headers and the
body at once. Certificates are verified as by urllib3.
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

#: After so many idle seconds, a connection is checked before it is used again.
CHECK_AFTER = 1.0

#: An idle connection, and since when it is idle.
Idle = Tuple[http.client.HTTPConnection, float]


class DirectConnections:
    """The idle connections to each address, which threads share. The last one in is the first out.

    The TLS context must check host names.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._idle: DefaultDict[Address, List[Idle]] = defaultdict(list)

    def post(self, request: Request, timeouts: Timeouts) -> Answer:
        """Send the request; return the answer, or botocore's name for what broke."""
        connection = None
        try:
            connection = self._connection(request.address, timeouts)
            answer = exchange(connection, request)
        except (OSError, http.client.HTTPException) as error:
            if connection:
                connection.close()
            return failure(error, has_connected=connection is not None)
        if connection.sock is not None:  # The server keeps the connection open.
            self._idle[request.address].append((connection, time.monotonic()))
        return answer

    def close(self) -> None:
        """Close the idle connections. Several threads may do so at once."""
        for connections in list(self._idle.values()):
            with suppress(IndexError):
                while True:
                    connections.pop()[0].close()

    def _connection(self, address: Address, timeouts: Timeouts) -> http.client.HTTPConnection:
        connection = self._idle_connection(address)
        if connection is None:
            connection = self._new_connection(address, timeouts.connect)
        connection.sock.settimeout(timeouts.read)
        return connection

    def _idle_connection(self, address: Address) -> Optional[http.client.HTTPConnection]:
        idle = self._idle[address]
        while idle:
            try:
                connection, since = idle.pop()
            except IndexError:  # Another thread was faster.
                return None
            # Readable data on an idle connection means that the server has closed it.
            is_fresh = time.monotonic() - since < CHECK_AFTER
            if is_fresh or not wait_for_read(connection.sock, timeout=0):
                return connection
            connection.close()
        return None

    def _new_connection(self, address: Address, timeout: float) -> http.client.HTTPConnection:
        place = (address.hostname, address.port)
        connection = http.client.HTTPConnection(*place, timeout=timeout)
        if address.scheme == "https":
            connection = http.client.HTTPSConnection(*place, timeout=timeout, context=self._tls)
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection


def exchange(connection: http.client.HTTPConnection, request: Request) -> Answer:
    connection.request(request.method, request.path, body=request.body, headers=request.headers)
    # If the server does not keep the connection, its socket is closed with the response.
    with closing(connection.getresponse()) as response:
        content = response.read(MAX_RESPONSE_BYTES)
        if not response.isclosed():  # The response is longer; its rest is not read.
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
