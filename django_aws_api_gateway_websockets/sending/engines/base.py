"""What carries requests: the interface of the HTTP libraries, and those that this process keeps.

An engine has connections to any number of endpoints and is used by one broadcast at a time. It is
kept afterwards, so that the next one, or a single message, finds the connections warm.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Protocol, Tuple

from ...processes import per_process
from ..addresses import Address

#: Engines that wait for work, each with its connections; more broadcasts at the same time make
#: more of them, which are closed afterwards.
MAX_IDLE_ENGINES = 4


#: Bytes of a response that are read at most: an error of AWS has a few hundred.
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
    """A status and AWS's error code; or no status, and what broke."""

    status: int
    #: GoneException, say; of a failure the name that botocore has for it.
    code: str = ""
    #: True if the same request may fare better a moment later.
    is_transient: bool = False


class Engine(Protocol):
    """Carries requests, many at a time, for one thread."""

    #: How many requests may be under way at once.
    capacity: int

    def start(self, tag: Any, request: Request, timeouts: Timeouts) -> None:
        """Begin with a request. It never raises for what the network does."""
        ...

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        """Return the answers that are there, with their tags; wait for the first one."""
        ...

    def close(self) -> None:
        """Drop everything that is under way, and the connections."""
        ...


class Pool:
    """The engines of one process that wait for work, last in, first out."""

    def __init__(self) -> None:
        # Not guarded: each of a list's operations is one, and its engines are alike.
        self._idle: List[Engine] = []

    @contextmanager
    def lend(self, make: Callable[[], Engine]) -> Iterator[Engine]:
        """Lend an engine. After an exception its requests are dropped with it."""
        try:
            engine = self._idle.pop()
        except IndexError:
            engine = make()
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
def pool(*made_with: Any) -> Pool:
    """Return this process's pool of the engines that are made with this."""
    return Pool()


def error_answer(status: int, error_type: str, body: bytes) -> Answer:
    """Return the answer of a response that is an error.

    ``error_type`` is the header x-amzn-ErrorType; some errors have their code in the body alone,
    and some none at all, which leaves the status.
    """
    code = error_type or _code_in(body)
    # It comes as "GoneException:http://..." and as "com.amazonaws...#GoneException", too.
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
