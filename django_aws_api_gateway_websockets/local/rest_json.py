"""The control plane's REST-JSON, read and written by botocore's own description of it.

What boto3 sends is turned back into the operation and parameters that its caller named, so that
the rest of the gateway speaks boto3's language. Knows no resource.
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
    body: Document  #: those of them that travel in the body

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
    """The call that an HTTP request makes. NotFound or BadRequest if it makes none."""
    raw_path, _, query = target.partition("?")
    # Split before decoding: the ARN of a tag call holds encoded slashes.
    segments = [unquote(segment) for segment in _segments(raw_path)]
    model = _operation(method, segments)
    sent = _from_wire(_input(model), _parse(body))
    # Only what the model says travels in the body; an id in the path is not a member.
    sent = {name: sent[name] for name in sent if _location(model, name) is None}
    parameters = {**_path_parameters(model, segments), **_query_parameters(model, query), **sent}
    _validate(model, parameters)
    return Call(model, "/".join(segments), parameters, sent)


def write_answer(model: OperationModel, document: Document) -> bytes:
    """The body of a successful answer; members that the model does not know stay out."""
    if model.output_shape is None:
        return b""
    return json.dumps(_to_wire(model.output_shape, document)).encode()


def operation_names() -> frozenset[str]:
    """Every call that the control plane of AWS has."""
    return frozenset(str(model.name) for _, _, model in _operations())


@lru_cache(maxsize=None)
def _operations() -> tuple[tuple[str, list[str], OperationModel], ...]:
    """The method, the path's segments and the description of each operation."""
    service = ServiceModel(Loader().load_service_model("apigatewayv2", "service-2"))
    models = [service.operation_model(name) for name in service.operation_names]
    return tuple(
        (str(model.http["method"]), _segments(str(model.http["requestUri"])), model)
        for model in models
    )


def _operation(method: str, segments: list[str]) -> OperationModel:
    for own_method, template, model in _operations():
        if own_method == method and _fits(template, segments):
            return model
    raise NotFound("The control plane has no such method and path.")


def _segments(path: str) -> list[str]:
    return path[len(_PREFIX) :].split("/") if path.startswith(_PREFIX) else []


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        part == segment or (part.startswith("{") and segment != "")
        for part, segment in zip(template, segments)
    )


def _members(model: OperationModel) -> dict[str, Shape]:
    return dict(_input(model).members)


def _input(model: OperationModel) -> StructureShape:
    # Each call of this service has parameters, if only those of its path.
    return cast(StructureShape, model.input_shape)


def _location(model: OperationModel, member: str) -> str | None:
    location = _members(model)[member].serialization.get("location")
    return None if location is None else str(location)


def _wire_name(member: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", member))


def _path_parameters(model: OperationModel, segments: list[str]) -> Document:
    template = _segments(str(model.http["requestUri"]))
    values = {part[1:-1]: value for part, value in zip(template, segments) if part[:1] == "{"}
    return {
        member: values[_wire_name(member, shape)]
        for member, shape in _members(model).items()
        if _location(model, member) == "uri"
    }


def _query_parameters(model: OperationModel, query: str) -> Document:
    values = parse_qs(query)
    return {
        member: found if isinstance(shape, ListShape) else found[-1]
        for member, shape in _members(model).items()
        if _location(model, member) == "querystring"
        and (found := values.get(_wire_name(member, shape)))
    }


def _parse(body: bytes) -> Document:
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise BadRequest("The body is not a JSON object.")
    return document


def _from_wire(shape: Shape, value: Any) -> Any:
    """A value of the wrong type is handed on as it is: the validation will name it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            member: _from_wire(inner, value[_wire_name(member, inner)])
            for member, inner in shape.members.items()
            if value.get(_wire_name(member, inner)) is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_wire(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_wire(shape.value, item) for key, item in value.items()}
    return value


def _to_wire(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            _wire_name(member, inner): _to_wire(inner, value[member])
            for member, inner in shape.members.items()
            if member in value
        }
    if isinstance(shape, ListShape):
        return [_to_wire(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _to_wire(shape.value, item) for key, item in value.items()}
    return value


def _validate(model: OperationModel, parameters: Document) -> None:
    report = ParamValidator().validate(parameters, _input(model))
    if report.has_errors():
        raise BadRequest(report.generate_report())
    for member, inner in _members(model).items():
        choices = getattr(inner, "enum", None)
        if choices and member in parameters and parameters[member] not in choices:
            raise BadRequest(f"Invalid {member} specified: {parameters[member]}")
