"""Events of a connection, as integrations are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Event:
    """A $connect, a message or a $disconnect.

    Only a $connect has headers and a query string. Only a message has a body.
    """

    context: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)  #: the stage's
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    body: bytes = b""
    message: Any = None  #: the body as parsed JSON; None if it is not JSON
    port: int = 0  #: the one that the client connected to

    def header(self, name: str) -> str | None:
        """The client's header. The last of several counts, as on AWS."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return found[-1] if found else None

    def argument(self, name: str) -> str | None:
        """The client's query string argument. The last of several counts."""
        found = parse_qs(self.query, keep_blank_values=True).get(name)
        return found[-1] if found else None
