"""Engine: one loop of non-blocking sockets, which carries many requests at a time.

It runs in the thread that sends, and belongs to one broadcast, as the connections that it holds.
When the broadcast has ended, the pool keeps those that are idle.
"""

from __future__ import annotations

import math
import os
import selectors
import ssl
import time
from collections import defaultdict, deque
from contextlib import suppress
from http.client import HTTPException
from typing import Any, Deque, Dict, List, Optional, Set, Tuple

from ..addresses import Place
from ..exchanges import NO_ROOM, NO_ROOM_SECONDS, Answer, Timeouts
from .connections import READ, WOULD_BLOCK, WRITE, Connection, Exchange, Key
from .deadlines import Deadlines
from .failures import TimedOut, failure, is_exhausted
from .opening import Opening
from .pool import IDLE_SECONDS, pool
from .responses import MAX_RESPONSE_BYTES, answer_of, read

#: Requests in flight, by default.
IN_FLIGHT = 256

#: From so many requests in flight on, answers gather for so many seconds before they are handled.
#: To handle each by itself takes a fifth more of the CPU.
GATHER_FROM, GATHERING = 64, 0.0005

#: Bytes that are received at once: those of a TLS record, so that none stays behind in OpenSSL. So
#: much memory is taken each time, and four times as much takes a twentieth more of the CPU.
RECEIVED_AT_ONCE = 16 * 1024

#: A response that comes in more pieces than this is read when it has ended, since each reading
#: begins anew.
MAX_READINGS = 100


class Engine:
    """Carries requests. A context manager: after an exception it closes all of its connections."""

    def __init__(self, max_in_flight: int, certificates: str) -> None:
        #: True if the process could not give it another connection.
        self.is_waiting = False
        #: True if there was no room for a request that was started since the latest ``wait()``.
        self.has_refused = False
        self._max_in_flight = self._allowed = max_in_flight
        self._certificates = certificates
        self._owner = os.getpid()
        self._pool = pool()
        self._selector: Any = None
        self._connections: Set[Connection] = set()
        self._opening = Opening()
        #: The last one in comes out first, because the CPU's caches still know it.
        self._idle: Dict[Key, Deque[Connection]] = defaultdict(deque)
        #: True if one has become idle since the selector was asked.
        self._has_unseen = False
        self._answers: List[Tuple[Any, Answer]] = []
        self._deadlines = Deadlines()
        self._refused_until = 0.0

    def __len__(self) -> int:
        """Return the number of connections that it holds."""
        return len(self._connections)

    @property
    def capacity(self) -> int:
        """How many requests may be under way now."""
        return self._opening.capacity(len(self._connections), self._allowed)

    def __enter__(self) -> Engine:
        self._pool.join(self)
        self._share()
        return self

    def __exit__(self, kind: Any, *exc_info: object) -> None:
        self._pool.leave(self)
        if self._selector is not None:
            self._selector.close()
        is_child = os.getpid() != self._owner
        idle = []
        for connection in self._connections:
            # Closing the selector has been enough. What it watches belongs to the parent, too.
            connection.forget_selector()
            if kind is None and connection.exchange is None and not is_child:
                idle.append(connection)
            else:
                connection.close()
        self._connections.clear()
        self._pool.put(idle)

    def start(self, tag: Any, place: Place, request: bytes, timeouts: Timeouts) -> None:
        """Begin with a request to a place. Never raises for an error of the network.

        ``tag`` is the caller's own, by which it knows the answer.
        """
        exchange = Exchange(tag, (place, self._certificates), request, timeouts)
        if self._selector is None and not self._make_selector():
            self._refuse(exchange)
        else:
            self._carry(exchange, self._idle_connection(exchange))

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        """Wait for the first answers; return all that are there, each with its request's tag."""
        self.has_refused = False
        until = time.monotonic() + seconds
        if self._refused_until:
            until = min(until, self._refused_until)
        while True:
            now = time.monotonic()
            for connection in self._deadlines.passed(now):
                if connection in self._connections:
                    self._time_out(connection)
                    self._deadlines.note(connection)
            if self._answers or now >= until:
                break
            self._select(max(0.0, min(until, self._deadlines.next) - now))
        if now >= self._refused_until:
            self._refused_until = 0.0
            self._share()
        answers, self._answers = self._answers, []
        return answers

    # Connections

    def _make_selector(self) -> bool:
        """Return False if the process has no descriptor for it."""
        with suppress(OSError):
            self._selector = selectors.DefaultSelector()
        return self._selector is not None

    def _idle_connection(self, exchange: Exchange) -> Optional[Connection]:
        if self._has_unseen:
            # What the server has sent unasked since then, or its end, closes a connection.
            self._select(0)
        idle = self._idle[exchange.key]
        while idle:
            connection = idle.pop()
            if exchange.began_at - connection.idle_since < IDLE_SECONDS:
                return connection
            self._drop(connection)
        found = self._pool.take(exchange.key)
        if found is not None:
            self._connections.add(found)
        return found

    def _new_connection(self, exchange: Exchange) -> Optional[Connection]:
        """Return a new connection, or None if the process may not have one more."""
        if not self._pool.may_open(self):
            idle = next(filter(None, self._idle.values()), None)
            if idle is None:
                return None
            self._drop(idle.popleft())  # It leads elsewhere.
        connection = Connection(exchange.key)
        self._connections.add(connection)
        self._opening.begin()
        return connection

    def _share(self) -> None:
        """Give up what other broadcasts of this process wait for."""
        self._allowed = self._pool.share(self._max_in_flight)
        for idle in self._idle.values():
            while idle and len(self._connections) > self._allowed:
                self._give_up(idle.popleft())

    def _give_up(self, connection: Connection) -> None:
        connection.unwatch()
        self._connections.remove(connection)
        self._pool.put([connection])

    def _drop(self, connection: Connection) -> None:
        connection.close()
        if connection.steps is not None:
            self._opening.fail()
        connection.steps, connection.deadline = None, math.inf
        self._connections.discard(connection)

    # Requests

    def _carry(self, exchange: Exchange, connection: Optional[Connection]) -> None:
        """Send a request by this connection, or by a new one."""
        connection = connection or self._new_connection(exchange)
        if connection is None:
            self._refuse(exchange)
            return
        connection.begin(exchange)
        if connection.steps is not None:
            self._open(connection)
        else:
            self._deadlines.note(connection)
            self._send(connection)

    def _refuse(self, exchange: Exchange) -> None:
        """Answer that the process has no room for the request, and take no other for a moment."""
        self._answers.append((exchange.tag, NO_ROOM))
        self.has_refused = True
        self._refused_until = time.monotonic() + NO_ROOM_SECONDS
        self._allowed = sum(each.exchange is not None for each in self._connections)

    def _select(self, seconds: float) -> None:
        """Wait for events of the connections, and handle them."""
        if not self._connections:
            time.sleep(seconds)
            return
        if seconds and len(self._connections) >= GATHER_FROM:
            time.sleep(GATHERING)
        self._has_unseen = False
        for key, events in self._selector.select(seconds):
            connection: Connection = key.data
            if connection not in self._connections:
                continue  # An event before this one has closed it.
            if connection.steps is not None:
                self._open(connection)
            elif connection.unsent and events & WRITE:
                self._send(connection)
            else:
                self._receive(connection)

    def _open(self, connection: Connection, error: Optional[OSError] = None) -> None:
        """Take the next step of opening a connection. The error, if any, is the present one's."""
        steps: Any = connection.steps
        try:
            events = steps.throw(error) if error else next(steps)
            connection.watch(self._selector, events)
        except StopIteration:
            self._opening.succeed()
            connection.opened()
            self._send(connection)
        except (OSError, ValueError) as problem:  # ValueError: a name that TLS does not take
            self._fail(connection, problem)
        self._deadlines.note(connection)

    def _send(self, connection: Connection) -> None:
        try:
            events = READ if connection.send() else READ | WRITE
            if events != connection.events:
                connection.watch(self._selector, events)
        except OSError as error:
            self._end(connection, error)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(RECEIVED_AT_ONCE)
        except ssl.SSLWantWriteError:
            connection.watch(self._selector, READ | WRITE)
        except WOULD_BLOCK:
            connection.watch(self._selector, READ | WRITE if connection.unsent else READ)
        except OSError as error:
            self._end(connection, error)
        else:
            self._take_in(connection, data)

    def _take_in(self, connection: Connection, data: bytes) -> None:
        if not data or connection.exchange is None:
            self._end(connection, ConnectionError("The server has closed the connection"))
            return
        connection.received += data
        connection.pieces += 1
        if len(connection.received) > MAX_RESPONSE_BYTES:
            self._read(connection, end=HTTPException("The response is too long"))
        elif connection.pieces <= MAX_READINGS:
            self._read(connection)

    def _read(self, connection: Connection, end: Optional[Exception] = None) -> None:
        """Answer if there is a whole response, or if this is the end of what there is."""
        is_all = end is not None
        try:
            response = read(connection.received, is_all=is_all)
        except HTTPException as error:
            self._fail(connection, end or error)
            return
        if response is not None:
            is_reusable = response.is_reusable and not is_all and not connection.unsent
            self._answer(connection, answer_of(response), is_reusable)

    # Ends

    def _answer(self, connection: Connection, answer: Answer, is_reusable: bool = False) -> None:
        exchange: Any = connection.exchange
        self._answers.append((exchange.tag, answer))
        if not is_reusable:
            self._drop(connection)
            return
        connection.finish()
        if len(self._connections) > self._allowed:
            self._give_up(connection)
        else:
            self._idle[connection.key].append(connection)
            self._has_unseen = True

    def _end(self, connection: Connection, error: OSError) -> None:
        """Handle a connection that has ended. What was received may be an answer."""
        exchange = connection.exchange
        if exchange is None:
            self._idle[connection.key].remove(connection)
            self._drop(connection)
        elif connection.received:
            self._read(connection, end=error)
        elif connection.has_served:
            # It had died while it was idle, which tells nothing about the server.
            self._drop(connection)
            self._carry(exchange, None)
        else:
            self._fail(connection, error)

    def _fail(self, connection: Connection, error: Exception) -> None:
        exchange: Any = connection.exchange
        is_open = connection.steps is None
        if is_exhausted(error) and not is_open:
            self._drop(connection)
            self._refuse(exchange)
        else:
            self._answer(connection, failure(error, is_open=is_open))

    def _time_out(self, connection: Connection) -> None:
        if connection.steps is not None:
            self._open(connection, TimedOut())
        elif connection.received:
            self._read(connection, end=TimedOut())
        else:
            self._fail(connection, TimedOut())
