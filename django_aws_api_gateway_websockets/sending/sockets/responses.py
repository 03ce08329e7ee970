"""Responses: their bytes, read as HTTP.

AWS's ordinary response is read by regular expressions, because Python's http.client takes as long
as all the rest of a message. Whatever is out of the ordinary, http.client reads from the same
bytes.
"""

from __future__ import annotations

import math
import re
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, NamedTuple, Optional

from ..exchanges import Answer, error_answer

#: AWS's ordinary answer.
OK = Answer(200)

#: Bytes of one response that are read, at most. AWS's have a few hundred.
MAX_RESPONSE_BYTES = 128 * 1024

#: What follows the status, and a line of the head. Each can be read in one way only.
REASON = rb"(?: [^\r\n\0]*)?\r\n"
LINE = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n"

#: Lines that do not tell where the response or the connection ends.
OTHERS = (
    rb"(?:(?!(?i:content-length|transfer-encoding|connection):)"
    + LINE
    + rb"|(?i:connection:[ \t]*keep-alive)[ \t]*\r\n)*"
)
LENGTH = rb"(?i:content-length):[ \t]*([0-9]{1,6})[ \t]*\r\n"

#: A head with one length. (A 204 and a 304 have no body, whatever they say.)
HEAD = re.compile(
    rb"HTTP/1\.1 (?!204|304)([2-9][0-9]{2})" + REASON + OTHERS + LENGTH + OTHERS + rb"\r\n"
)

#: An interim response, which has nothing but a head. (After a 101 there is no HTTP any more.)
INTERIM = re.compile(rb"HTTP/1\.1 1(?!01)[0-9]{2}" + REASON + rb"(?:" + LINE + rb")*\r\n")

ERROR_TYPE = re.compile(rb"\r\nx-amzn-errortype:([^\r\n]*)\r\n", re.IGNORECASE)


class Response(NamedTuple):
    """What a response says."""

    status: int
    #: The header x-amzn-ErrorType, of an error.
    error_type: str = ""
    body: bytes = b""
    #: True if the connection can carry the next request.
    is_reusable: bool = False


EMPTY_OK = Response(200, is_reusable=True)


def read(data: bytes, *, is_all: bool) -> Optional[Response]:
    """Return the response that these bytes hold, or None if its rest has not come yet.

    With ``is_all`` no more bytes will come. Then a status that was read decides, whatever is
    missing after it. Raises HTTPException if there is none.
    """
    while interim := INTERIM.match(data):
        data = data[interim.end() :]
    head = HEAD.match(data)
    if head is None:
        return _read_by_http_client(data, is_all)
    status, body_at = int(head[1]), head.end()
    end = body_at + int(head[2])
    if len(data) < end:
        return _read_by_http_client(data, is_all) if is_all else None
    if data == head[0] and status == 200:
        return EMPTY_OK
    error_type = _error_type(head[0]) if status >= 300 else ""
    return Response(status, error_type, data[body_at:end], len(data) == end)


def _error_type(head: bytes) -> str:
    found = ERROR_TYPE.search(head)
    return found[1].strip().decode("latin-1") if found else ""


def answer_of(response: Response) -> Answer:
    """Return what sending needs to know of a response."""
    if 200 <= response.status < 300:
        return OK if response.status == 200 else Answer(response.status)
    return error_answer(response.status, response.error_type, response.body)


class Received:
    """The bytes that have come, as the socket of a HTTPResponse. Notes whether it wanted more.

    It is no BytesIO, which closes itself when it is freed: a Ctrl-C that comes then is lost.
    """

    wanted_more = False

    def __init__(self, data: bytes) -> None:
        self._data, self._length = BytesIO(data), len(data)

    @property
    def is_read(self) -> bool:
        return self._data.tell() == self._length

    def makefile(self, *args: Any) -> Received:
        return self

    def close(self) -> None:
        """Keep the position, which tells whether all has been read."""

    flush = close

    def readline(self, limit: Optional[int] = -1) -> bytes:
        line = self._data.readline(limit)
        self.wanted_more |= not line.endswith(b"\n") and len(line) != limit
        return line

    def read(self, size: Optional[int] = -1) -> bytes:
        # A length may have more digits than a BytesIO takes. There is never more than the maximum.
        wanted = math.inf if size is None or size < 0 else size
        data = self._data.read(int(min(wanted, 2 * MAX_RESPONSE_BYTES)))
        self.wanted_more |= len(data) < wanted
        return data


def _read_by_http_client(data: bytes, is_all: bool) -> Optional[Response]:
    received: Any = Received(data)
    response, body, problem = HTTPResponse(received), b"", None
    try:
        response.begin()
        while 100 < response.status < 200 and response.status != 101:
            response.close()  # It was an interim response.
            response = HTTPResponse(received)
            response.begin()
        body = response.read()
    except (HTTPException, ValueError) as error:
        problem = error
    response.close()
    if received.wanted_more and not is_all:
        return None
    # http.client sets the status as soon as it has read its line.
    if not isinstance(response.status, int):
        raise HTTPException("There is no status") from problem
    is_whole = not problem and not received.wanted_more and received.is_read
    # After a 101 the connection speaks another protocol.
    is_reusable = is_whole and not response.will_close and response.status >= 200
    is_error = response.status >= 300 and response.headers
    error_type = response.headers.get("x-amzn-ErrorType", "") if is_error else ""
    return Response(response.status, error_type, body, is_reusable)
