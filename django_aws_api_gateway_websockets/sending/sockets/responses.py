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

#: The rest of a head after its status, each line of which can be read in one way only.
REST = rb"(?: [^\r\n\0]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*\r\n"

HEAD = re.compile(rb"HTTP/1\.1 ([2-9][0-9]{2})" + REST)

#: An interim response, which has nothing but a head. (After a 101 there is no HTTP any more.)
INTERIM = re.compile(rb"HTTP/1\.1 1(?!01)[0-9]{2}" + REST)

#: What tells, in a head in lower case, where the response and the connection end.
FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding|connection):([^\r\n]*)")

ERROR_TYPE = re.compile(rb"\r\nx-amzn-errortype:([^\r\n]*)\r\n", re.IGNORECASE)


class Response(NamedTuple):
    """What a response says."""

    status: int
    #: The header x-amzn-ErrorType, of an error.
    error_type: str = ""
    body: bytes = b""
    #: True if the connection can carry the next request.
    is_reusable: bool = False


def read(data: bytes, *, is_all: bool) -> Optional[Response]:
    """Return the response that these bytes hold, or None if its rest has not come yet.

    With ``is_all`` no more bytes will come. Then a status that was read decides, whatever is
    missing after it. Raises HTTPException if there is none.
    """
    while interim := INTERIM.match(data):
        data = data[interim.end() :]
    head = HEAD.match(data)
    if head:
        status, body_at = int(head[1]), head.end()
        length = _length(status, data[:body_at].lower())
        if length is not None:
            end = body_at + length
            if len(data) >= end:
                error_type = _error_type(head[0]) if status >= 300 else ""
                return Response(status, error_type, data[body_at:end], len(data) == end)
            if not is_all:
                return None
    return _read_by_http_client(data, is_all)


def _length(status: int, head: bytes) -> Optional[int]:
    """Return the length of the body, or None if it takes more than one number to tell."""
    if status in (204, 304):
        return None
    length = None
    for name, value in FRAMING.findall(head):
        text = value.strip()
        if name == b"content-length" and length is None and text.isdigit() and len(text) < 7:
            length = int(text)
        elif (name, text) != (b"connection", b"keep-alive"):
            return None
    return length


def _error_type(head: bytes) -> str:
    found = ERROR_TYPE.search(head)
    return found[1].strip().decode("latin-1") if found else ""


def answer_of(response: Response) -> Answer:
    """Return what sending needs to know of a response."""
    if 200 <= response.status < 300:
        return OK if response.status == 200 else Answer(response.status)
    return error_answer(response.status, response.error_type, response.body)


class Received(BytesIO):
    """The bytes that have come, as the socket of a HTTPResponse. Notes whether it wanted more."""

    wanted_more = False

    def makefile(self, *args: Any) -> Received:
        return self

    def close(self) -> None:
        """Keep the position, which tells whether all has been read."""

    def readline(self, limit: Optional[int] = -1) -> bytes:
        line = super().readline(limit)
        self.wanted_more |= not line.endswith(b"\n") and len(line) != limit
        return line

    def read(self, size: Optional[int] = -1) -> bytes:
        # A length may have more digits than a BytesIO takes. There is never more than the maximum.
        wanted = math.inf if size is None or size < 0 else size
        data = super().read(int(min(wanted, 2 * MAX_RESPONSE_BYTES)))
        self.wanted_more |= len(data) < wanted
        return data


def _read_by_http_client(data: bytes, is_all: bool) -> Optional[Response]:
    received: Any = Received(data)
    response, body, problem = HTTPResponse(received), b"", None
    try:
        response.begin()
        while 100 < response.status < 200 and response.status != 101:
            response = HTTPResponse(received)  # The one before was an interim response.
            response.begin()
        body = response.read()
    except (HTTPException, ValueError) as error:
        problem = error
    if received.wanted_more and not is_all:
        return None
    # http.client sets the status as soon as it has read its line.
    if not isinstance(response.status, int):
        raise HTTPException("There is no status") from problem
    is_whole = not problem and not received.wanted_more and received.tell() == len(data)
    # After a 101 the connection speaks another protocol.
    is_reusable = is_whole and not response.will_close and response.status >= 200
    is_error = response.status >= 300 and response.headers
    error_type = response.headers.get("x-amzn-ErrorType", "") if is_error else ""
    return Response(response.status, error_type, body, is_reusable)
