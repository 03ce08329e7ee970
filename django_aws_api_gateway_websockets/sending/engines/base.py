"""Base of the engines: their interface, and the pool in which a process keeps them.

An engine has connections to any number of endpoints. One broadcast uses it at a time. Afterwards
the pool keeps it, so that its connections are open for the next broadcast or message.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Protocol, Tuple

from ...processes import per_process
from ..addresses import Address

#: Idle engines that a process keeps, each with its connections. More broadcasts at the same time
#: make more engines, which are closed afterwards.
MAX_IDLE_ENGINES = 4

#: Bytes of a response that are read. An error of AWS has a few hundred.
MAX_RESPONSE_BYTES = 64 * 1024


class Request(NamedTuple):
    """One request to ``@connections``."""

    method: str
    address: Address
    #: The path, escaped, as it goes on the wire.
    path: str
    headers: Dict[str, str]
    body: bytes


class Timeouts(NamedTuple):
    """Seconds to get a connection, and to get an answer on it."""

    connect: float
    read: float


class Answer(NamedTuple):
    """The response to a request, or what broke."""

    #: 0 if there was no response.
    status: int
    #: AWS's error code ("GoneException"), or botocore's name for what broke ("SSLError").
    code: str = ""
    #: True if the same request may succeed a moment later.
    is_transient: bool = False


class Engine(Protocol):
    """Carries requests, many at a time, for one thread."""

    #: How many requests may be under way at once.
    capacity: int

    def start(self, tag: Any, request: Request, timeouts: Timeouts) -> None:
        """Begin with a request. Never raises for an error of the network.

        ``tag`` is the caller's own, by which it knows the answer.
        """
        ...

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        """Wait for the first answer; return all that are there, each with its request's tag."""
        ...

    def close(self) -> None:
        """Drop the requests that are in flight, and close the connections."""
        ...


class Pool:
    """The idle engines of one process, all made by ``make``. The last one in is the first out."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        # No lock: append and pop are atomic, and any of the engines will do.
        self._idle: List[Engine] = []

    @contextmanager
    def lend(self) -> Iterator[Engine]:
        """Lend an engine. After an exception it is closed, which drops its requests."""
        try:
            engine = self._idle.pop()
        except IndexError:
            engine = self._make()
        try:
            yield engine
        except BaseException:
            engine.close()
            raise
        if len(self._idle) < MAX_IDLE_ENGINES:
            self._idle.append(engine)
        else:
            engine.close()


@per_process
def pool(make: Callable[[int, str], Engine], capacity: int, certificates: str) -> Pool:
    """Return this process's pool of the engines that are made in this way."""
    return Pool(lambda: make(capacity, certificates))


def error_answer(status: int, error_type: str, body: bytes) -> Answer:
    """Return the answer for a response that is an error.

    ``error_type`` is the header x-amzn-ErrorType. Some errors have their code only in the body.
    Some have none at all; then the status is their code.
    """
    code = error_type or _code_in(body)
    # The code also comes as "GoneException:http://..." and as "com.amazonaws...#GoneException".
    name = code.rsplit("#", 1)[-1].partition(":")[0].strip()
    return Answer(status, name or str(status), status == 429 or status >= 500)


def _code_in(body: bytes) -> str:
    try:
        error: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(error, dict):
        return ""
    return str(error.get("__type") or error.get("code") or error.get("Code") or "")
