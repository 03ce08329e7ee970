"""What came back of a request: AWS's error codes, read as botocore reads them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

#: Bytes of a response that are read at most: an error of AWS has a few hundred.
LONGEST_RESPONSE = 64 * 1024


class Answer(NamedTuple):
    """A status and AWS's error code; or no status, and what broke."""

    status: int
    #: GoneException, say; of a failure the name that botocore has for it.
    code: str = ""
    #: True if the same request may fare better a moment later.
    is_passing: bool = False


def of_response(status: int, error_type: str, body: bytes) -> Answer:
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
