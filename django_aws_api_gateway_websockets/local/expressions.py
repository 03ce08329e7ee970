"""Expressions: which route a message selects, and which values an integration is sent.

Parses and evaluates text. Knows neither sockets nor documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .context import context_value, is_context_variable
from .errors import BadRequest
from .events import Event

#: The path of a value in JSON, such as `a.b[0].c`.
_STEP = r"[^\s{}$.\[\]]+(?:\[\d{1,6}\])*"
_NAME = rf"{_STEP}(?:\.{_STEP})*"
_BARE = re.compile(rf"\$request\.body\.({_NAME})")
_BRACED = re.compile(rf"\$\{{request\.body\.({_NAME})\}}")
_STATIC = re.compile(r"'(.*)'", re.DOTALL)
_TARGET = re.compile(
    r"integration\.request\.(header|querystring|path)\.([A-Za-z0-9!#$%&*+.^_`|~-]+)"
)
#: Headers that the gateway itself sets. A mapping to one of them is refused.
RESTRICTED_HEADERS = frozenset(
    ["connection", "content-length", "host", "keep-alive", "te", "trailer"]
    + ["transfer-encoding", "upgrade"]
)


class RouteSelection:
    """`$request.body.a.b`, or text around any number of `${request.body.a.b}`."""

    def __init__(self, expression: str) -> None:
        """BadRequest if the expression reads nothing from the message."""
        bare = _BARE.fullmatch(expression)
        # With one group, split() yields text, path, text, path, ..., text.
        parts = ["", bare[1], ""] if bare else _BRACED.split(expression)
        self._texts, self._paths = parts[::2], parts[1::2]
        if not self._paths or any("$" in text for text in self._texts):
            raise BadRequest(f"Invalid route selection expression specified: {expression}")

    def select(self, body: Any) -> str | None:
        """The route key that a parsed message asks for, or None if it lacks a value."""
        values = [_scalar(value_at(body, path)) for path in self._paths]
        key = self._texts[0]
        for value, text in zip(values, self._texts[1:]):
            if value is None:
                return None
            key += value + text
        return key


@dataclass(frozen=True)
class Parameter:
    """One entry of an integration's RequestParameters."""

    location: str  #: header, querystring or path
    name: str
    source: Source


class Source:
    """Where a mapped value comes from, such as `context.stage`."""

    def __init__(self, text: str) -> None:
        """BadRequest if AWS has no such source."""
        self.text = text
        static = _STATIC.fullmatch(text)
        self._static = static[1] if static else None
        self._prefix = next((prefix for prefix in _READERS if text.startswith(prefix)), "")
        self._name = text[len(self._prefix) :]
        if static is None and not self._is_known():
            raise BadRequest(f"Invalid mapping expression specified: {text}")

    def _is_known(self) -> bool:
        if self._prefix == "context.":
            return is_context_variable(self._name)
        return bool(self._prefix and re.fullmatch(_NAMES[self._prefix], self._name))

    def value(self, event: Event, declared: Collection[str]) -> str | None:
        """The text to send, or None to send nothing.

        `declared` are the request parameters of the event's route. A route must name the client's
        headers and query string arguments that its integration maps.
        """
        if self._static is not None:
            return self._static
        if self._prefix in _CLIENT_SOURCES and self.text not in declared:
            return None
        return _text(_READERS[self._prefix](event, self._name))


def parse_parameters(mappings: Mapping[str, str]) -> list[Parameter]:
    """RequestParameters, parsed. BadRequest names the first entry that AWS would refuse."""
    return [_parse_parameter(target, source) for target, source in mappings.items()]


def _parse_parameter(target: str, source: str) -> Parameter:
    match = _TARGET.fullmatch(target)
    if match is None or (match[1] == "header" and match[2].lower() in RESTRICTED_HEADERS):
        raise BadRequest(f"Invalid mapping expression parameter specified: {target}")
    return Parameter(match[1], match[2], Source(source))


def value_at(value: Any, path: str) -> Any:
    """The value under a path of object keys and list indexes, such as `a.b[0].c`, or None."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if key and isinstance(value, dict):
            value = value.get(key)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def _scalar(value: Any) -> str | None:
    return None if isinstance(value, (dict, list)) else _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


_READERS: dict[str, Callable[[Event, str], Any]] = {
    "context.": context_value,
    "stageVariables.": lambda event, name: event.variables.get(name),
    "route.request.body.": lambda event, name: value_at(event.message, name),
    "route.request.header.": lambda event, name: event.header(name),
    "route.request.querystring.": lambda event, name: event.argument(name),
}
#: What may follow the prefix of each source, as the guide's page on data mapping has it.
_NAMES = {
    "stageVariables.": r"[A-Za-z0-9_]+",
    "route.request.body.": _NAME,
    "route.request.header.": r"[A-Za-z0-9._$-]+",
    "route.request.querystring.": r"[A-Za-z0-9._$-]+",
}
#: Sources in the client's own request, which a route has to declare.
_CLIENT_SOURCES = frozenset(["route.request.header.", "route.request.querystring."])
