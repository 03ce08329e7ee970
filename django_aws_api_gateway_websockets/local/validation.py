"""Validation of values by the shapes of botocore's model: types, lengths, ranges, choices.

botocore checks what its callers send, and leaves lengths and choices to AWS. Here is AWS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from .errors import BadRequest

#: Many shapes of this service have their range in their name alone.
_RANGE = re.compile(r"(?:String|Uri)WithLengthBetween(\d+)And(\d+)(K?)")
_MAX_INTEGER = 2**31 - 1


def validate(shape: Shape, value: Any) -> None:
    """BadRequest, if the value does not fit the shape."""
    try:
        report = ParamValidator().validate(value, shape)
    except (RuntimeError, ValueError, OverflowError) as error:  # It is no time that there is.
        raise BadRequest(f"Invalid timestamp specified: {error}") from error
    if report.has_errors():
        raise BadRequest(report.generate_report())
    for complaint in _complaints(shape, value, ""):
        raise BadRequest(complaint)


def _complaints(shape: Shape, value: Any, name: str) -> Iterator[str]:
    """What botocore has not found. The types are right."""
    for inner_shape, inner, inner_name in _parts(shape, value, name):
        yield from _complaints(inner_shape, inner, inner_name)
    if not _fits(shape, value):
        yield f"Invalid {name} specified: {value}"


def _parts(shape: Shape, value: Any, name: str) -> Iterator[tuple[Shape, Any, str]]:
    """The shape, the value and the name of each value in a structure, a list or a map."""
    if isinstance(shape, StructureShape):
        for member, inner in value.items():
            yield shape.members[member], inner, member
    elif isinstance(shape, ListShape):
        for inner in value:
            yield shape.member, inner, name
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            if inner != "":  # In an update it removes the entry.
                yield shape.value, inner, f"{name}.{key}"


def _fits(shape: Shape, value: Any) -> bool:
    if isinstance(value, str):
        choices = getattr(shape, "enum", None)
        shortest, longest = _length_range(shape)
        return shortest <= len(value) <= longest and (not choices or value in choices)
    if isinstance(value, bool):  # It is an integer of Python's, but none of JSON's.
        return shape.type_name == "boolean"
    if isinstance(value, (int, float)):
        return math.isfinite(value) and abs(value) <= shape.metadata.get("max", _MAX_INTEGER)
    return True


def _length_range(shape: Shape) -> tuple[float, float]:
    match = _RANGE.fullmatch(shape.name)
    if match is None:
        return shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    return int(match[1]), int(match[2]) * (1024 if match[3] else 1)
