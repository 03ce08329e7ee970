"""Pages of a list. A NextToken belongs to its list: one of another, or made up, is refused."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from .documents import Document
from .errors import BadRequest


def page_of(items: list[Document], collection: str, parameters: Document) -> Document:
    """At most MaxResults items, and the NextToken if there are more."""
    start = _start(collection, parameters.get("NextToken"))
    size = str(parameters.get("MaxResults", len(items) or 1))
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", size):
        raise BadRequest(f"Invalid MaxResults specified: {size}")
    end = start + int(size)
    page: Document = {"Items": items[start:end]}
    return {**page, "NextToken": _token(collection, end)} if end < len(items) else page


def _token(collection: str, start: int) -> str:
    return urlsafe_b64encode(f"{collection} {start}".encode()).decode()


def _start(collection: str, token: str | None) -> int:
    """The number of the first item that a page with this token has."""
    if token is None:
        return 0
    try:
        where, _, start = urlsafe_b64decode(token).decode().rpartition(" ")
    except ValueError:
        where, start = "", ""
    if where != collection or not re.fullmatch("[0-9]{1,9}", start):
        raise BadRequest(f"Invalid NextToken specified: {token}")
    return int(start)
