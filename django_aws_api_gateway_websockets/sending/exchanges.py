"""Exchanges: the time limits of a request to ``@connections``, and its answer."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple


class Timeouts(NamedTuple):
    """Seconds for one request."""

    #: To have a connection: from the lookup of the name to the end of the TLS handshake.
    connect: float
    #: To have the whole answer, from the first byte of the request on.
    read: float
    #: For both together.
    whole: float


class Answer(NamedTuple):
    """The response to a request, or what broke."""

    #: 0 if there was no response.
    status: int
    #: AWS's error code ("GoneException"), or botocore's name for what broke ("SSLError").
    code: str = ""
    #: True if the same request may succeed a moment later.
    is_transient: bool = False


#: An error code, whoever has sent it: it becomes a part of logs, and of reports in the database.
ERROR_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")

#: The request has not left: the process has no more connections to give at the moment.
NO_ROOM = Answer(0, "Too many open connections", is_transient=True)

#: Seconds after which there may be room again.
NO_ROOM_SECONDS = 0.02


def error_answer(status: int, error_type: str, body: bytes) -> Answer:
    """Return the answer for a response that is an error.

    ``error_type`` is the header x-amzn-ErrorType. Some errors have their code only in the body.
    Some have none at all; then the status is their code.
    """
    code = error_code(error_type) or error_code(_code_in(body)) or str(status)
    return Answer(status, code, status == 429 or status >= 500)


def error_code(text: str) -> str:
    """Return the error code in this text, or "" if it has none that can be one.

    It also comes as "GoneException:http://..." and as "com.amazonaws...#GoneException".
    """
    name = text.rsplit("#", 1)[-1].partition(":")[0].strip()
    return name if ERROR_CODE.fullmatch(name) else ""


def _code_in(body: bytes) -> str:
    try:
        error: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(error, dict):
        return ""
    return str(error.get("__type") or error.get("code") or error.get("Code") or "")
