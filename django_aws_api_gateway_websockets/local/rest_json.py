"""REST-JSON, the protocol of the control plane, read and written by botocore's own model of it.

A request of boto3 is turned back into the operation and the parameters that its caller named, so
that the rest of the gateway has boto3's names. Knows no resource.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from .documents import Document
from .errors import BadRequest, NotFound
from .validation import validate

_PREFIX = "/v2/"


@dataclass(frozen=True)
class Call:
    """One call of the control plane."""

    model: OperationModel
    path: str  #: of the resource or collection, as in "apis/a1b2/routes"
    parameters: Document  #: as boto3 was given them
    body: Document  #: the parameters that are sent in the body

    @property
    def operation(self) -> str:
        return str(self.model.name)

    @property
    def method(self) -> str:
        return str(self.model.http["method"])

    @property
    def collection(self) -> str:
        """The last collection that the path names."""
        literals = [part for part in _segments(self._template) if not part.startswith("{")]
        return literals[-1]

    @property
    def has_id(self) -> bool:
        """True if the path ends with an id."""
        return self._template.endswith("}")

    @property
    def _template(self) -> str:
        return str(self.model.http["requestUri"])


def read_call(method: str, target: str, body: bytes) -> Call:
    """The call that an HTTP request makes. NotFound or BadRequest if it is none."""
    raw_path, _, query = target.partition("?")
    # The path is split before it is decoded: the ARN of a tag call holds encoded slashes.
    segments = [unquote(segment) for segment in _segments(raw_path)]
    model = _operation(method, segments)
    members = _deserialize(_input(model), _parse(body))
    # The body may not set an id of the path, or whatever else the model does not expect in it.
    members = {name: members[name] for name in members if _location(model, name) is None}
    path, arguments = _path_parameters(model, segments), _query_parameters(model, query)
    parameters = {**path, **arguments, **members}
    validate(_input(model), parameters)
    # No id has a slash, and one that has must not lead to another resource.
    resource = "/".join(segment.replace("/", "%2F") for segment in segments)
    return Call(model, resource, parameters, members)


def write_answer(model: OperationModel, document: Document) -> bytes:
    """The body of a successful answer, without members that the model does not know."""
    if model.output_shape is None:
        return b""
    return json.dumps(_serialize(model.output_shape, document)).encode()


def complaint_about(noun: str, document: Document) -> str:
    """What is wrong with a resource as it would be shown, or an empty text."""
    shape = cast(StructureShape, _model(f"Get{noun}").output_shape)
    # What another version of botocore knows, or what the gateway has added, is left alone.
    shown = {member: value for member, value in document.items() if member in shape.members}
    try:
        validate(shape, shown)
    except BadRequest as error:
        return f"is not as it should be ({error})"
    return ""


def list_member(model: OperationModel) -> str:
    """The member of an answer that holds the list, if the operation lists resources."""
    output = model.output_shape
    members = output.members.items() if isinstance(output, StructureShape) else ()
    return next((name for name, shape in members if isinstance(shape, ListShape)), "")


def operation_names() -> frozenset[str]:
    """The name of every operation that the control plane of AWS has."""
    return frozenset(_service().operation_names)


@lru_cache(maxsize=None)
def _service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("apigatewayv2", "service-2"))


def _model(operation: str) -> OperationModel:
    return _service().operation_model(operation)


@lru_cache(maxsize=None)
def _operations() -> tuple[tuple[str, list[str], OperationModel], ...]:
    """The method, the segments of the path, and the model of each operation."""
    models = [_model(name) for name in _service().operation_names]
    return tuple(
        (str(model.http["method"]), _segments(str(model.http["requestUri"])), model)
        for model in models
    )


def _operation(method: str, segments: list[str]) -> OperationModel:
    for http_method, template, model in _operations():
        if http_method == method and _matches(template, segments):
            return model
    raise NotFound("The control plane has no such method and path.")


def _segments(path: str) -> list[str]:
    return path[len(_PREFIX) :].split("/") if path.startswith(_PREFIX) else []


def _matches(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        part == segment or (part.startswith("{") and segment != "")
        for part, segment in zip(template, segments)
    )


def _members(model: OperationModel) -> dict[str, Shape]:
    return dict(_input(model).members)


def _input(model: OperationModel) -> StructureShape:
    # Each operation of this service has parameters, at least those of its path.
    return cast(StructureShape, model.input_shape)


def _location(model: OperationModel, member: str) -> str | None:
    location = _members(model)[member].serialization.get("location")
    return None if location is None else str(location)


def _location_name(member: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", member))


def _path_parameters(model: OperationModel, segments: list[str]) -> Document:
    template = _segments(str(model.http["requestUri"]))
    values = {part[1:-1]: value for part, value in zip(template, segments) if part[:1] == "{"}
    return {
        member: values[_location_name(member, shape)]
        for member, shape in _members(model).items()
        if _location(model, member) == "uri"
    }


def _query_parameters(model: OperationModel, query: str) -> Document:
    values = parse_qs(query, keep_blank_values=True)
    return {
        member: found if isinstance(shape, ListShape) else _from_text(shape, found[-1])
        for member, shape in _members(model).items()
        if _location(model, member) == "querystring"
        and (found := values.get(_location_name(member, shape)))
    }


def _from_text(shape: Shape, text: str) -> Any:
    """The value of a query argument. One of the wrong type stays text: validate() names it."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if shape.type_name == "integer" and re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    return text


def _parse(body: bytes) -> Document:
    try:
        document = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise BadRequest("The body is not a JSON object.")
    return document


def _refuse_constant(text: str) -> None:
    # Python's own reader takes NaN and Infinity, which are no JSON.
    raise ValueError(text)


def _deserialize(shape: Shape, value: Any) -> Any:
    """The value in boto3's names. One of the wrong type stays as it is: validate() names it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        _refuse_unknown(shape, value)
        return {
            member: _deserialize(inner, value[_location_name(member, inner)])
            for member, inner in shape.members.items()
            if value.get(_location_name(member, inner)) is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_deserialize(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _deserialize(shape.value, item) for key, item in value.items()}
    return value


def _refuse_unknown(shape: StructureShape, value: dict[str, Any]) -> None:
    known = {_location_name(member, inner) for member, inner in shape.members.items()}
    for name in value.keys() - known:
        raise BadRequest(f"Unknown member specified: {name}")


def _serialize(shape: Shape, value: Any) -> Any:
    """The value in the names of the REST API."""
    if isinstance(shape, StructureShape):
        return {
            _location_name(member, inner): _serialize(inner, value[member])
            for member, inner in shape.members.items()
            if member in value
        }
    if isinstance(shape, ListShape):
        return [_serialize(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _serialize(shape.value, item) for key, item in value.items()}
    return value
