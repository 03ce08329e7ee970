"""REST-JSON, the protocol of the control plane, read and written by botocore's own model of it.

A request of boto3 is turned back into the operation and the parameters that its caller named, so
that the rest of the gateway has boto3's names. Knows no resource.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from .documents import Document
from .errors import BadRequest, NotFound

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
    _validate(model, parameters)
    return Call(model, "/".join(segments), parameters, members)


def write_answer(model: OperationModel, document: Document) -> bytes:
    """The body of a successful answer, without members that the model does not know."""
    if model.output_shape is None:
        return b""
    return json.dumps(_serialize(model.output_shape, document)).encode()


def operation_names() -> frozenset[str]:
    """The name of every operation that the control plane of AWS has."""
    return frozenset(str(model.name) for _, _, model in _operations())


@lru_cache(maxsize=None)
def _operations() -> tuple[tuple[str, list[str], OperationModel], ...]:
    """The method, the segments of the path, and the model of each operation."""
    service = ServiceModel(Loader().load_service_model("apigatewayv2", "service-2"))
    models = [service.operation_model(name) for name in service.operation_names]
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
    values = parse_qs(query)
    return {
        member: found if isinstance(shape, ListShape) else found[-1]
        for member, shape in _members(model).items()
        if _location(model, member) == "querystring"
        and (found := values.get(_location_name(member, shape)))
    }


def _parse(body: bytes) -> Document:
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise BadRequest("The body is not a JSON object.")
    return document


def _deserialize(shape: Shape, value: Any) -> Any:
    """The value in boto3's names. One of the wrong type stays as it is: _validate() names it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
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


def _validate(model: OperationModel, parameters: Document) -> None:
    report = ParamValidator().validate(parameters, _input(model))
    if report.has_errors():
        raise BadRequest(report.generate_report())
    for member, inner in _members(model).items():
        choices = getattr(inner, "enum", None)
        if choices and member in parameters and parameters[member] not in choices:
            raise BadRequest(f"Invalid {member} specified: {parameters[member]}")
