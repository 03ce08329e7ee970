"""The control plane: the calls that create, show, change and remove resources.

Answers boto3's calls and tells the sockets what is deployed. Knows neither HTTP nor connections.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any

from .deployments import SNAPSHOT, Stage, read_stage, take_snapshot
from .documents import Document, Documents
from .errors import BadRequest, Conflict, NotPlayed
from .injection import Faults
from .resources import KINDS, Kind, deployment_path, now
from .rest_json import Call, read_call, write_answer

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_ARN_SEPARATOR = "::/"


class ControlPlane:
    """Thread-safe: one call at a time, as the documents want it."""

    def __init__(self, documents: Documents, faults: Faults, requests_kept: int) -> None:
        self._documents = documents
        self._faults = faults
        self._lock = threading.RLock()
        self._stages: dict[str, Stage] = {}
        #: The calls seen, (operation, parameters), as boto3 was given them.
        self.requests: deque[tuple[str, Document]] = deque(maxlen=requests_kept)
        #: What an API's ApiEndpoint begins with; known once the gateway listens.
        self.socket_endpoint = ""

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Carry out one call: the status and body of its answer, or a GatewayError."""
        call = read_call(method, target, body)
        self.requests.append((call.operation, call.parameters))
        logger.info("control plane called operation=%s path=%s", call.operation, call.path)
        fault = self._faults.take(call.operation)
        if fault is not None and not fault.after:
            raise fault.error()
        with self._lock:
            answer = self._carry_out(call)
        if fault is not None:
            raise fault.error()
        return int(call.model.http["responseCode"]), answer

    # What the sockets and @connections ask

    def stage(self, api_id: str, name: str) -> Stage | None:
        """The stage as it is deployed at the moment, or None if clients cannot reach it."""
        path = f"apis/{api_id}/stages/{name}"
        with self._lock:
            stage = self._documents.find(path)
            if stage is None or not stage.get("DeploymentId"):
                return None
            if path not in self._stages:
                deployment = self._documents.get(deployment_path(path, stage))
                self._stages[path] = read_stage(api_id, stage, deployment[SNAPSHOT])
            return self._stages[path]

    def has_stage(self, name: str) -> bool:
        """True if any API has a stage of that name."""
        with self._lock:
            apis = self._documents.children("apis")
            return any(f"{api}/stages/{name}" in self._documents for api in apis)

    def has_domain(self, name: str) -> bool:
        with self._lock:
            return f"domainnames/{name}" in self._documents

    def mapped_stage(self, domain: str, key: str) -> Stage | None:
        """The stage that a custom domain's API mapping leads to, if it is deployed."""
        with self._lock:
            mappings = self._documents.children(f"domainnames/{domain}/apimappings").values()
            mapping = next((item for item in mappings if item["ApiMappingKey"] == key), None)
            return self.stage(mapping["ApiId"], mapping["Stage"]) if mapping else None

    # The operations

    def _carry_out(self, call: Call) -> bytes:
        if call.path.startswith("tags/"):
            return write_answer(call.model, self._tags(call))
        kind = KINDS.get(call.collection)
        if kind is None or call.model.http["method"] == "PUT":
            raise NotPlayed(f"The local gateway does not play {call.operation}.")
        self._require_parent(call)
        verb = {"POST": self._create, "PATCH": self._update, "DELETE": self._delete}
        if call.model.http["method"] == "GET":
            answer = self._show(call) if call.is_about_one else self._list(call)
        else:
            answer = verb[call.model.http["method"]](call, kind)
            self._stages.clear()
        return write_answer(call.model, answer)

    def _require_parent(self, call: Call) -> None:
        path = call.path.rpartition("/")[0] if call.is_about_one else call.path
        parent = path.rpartition("/")[0]
        if parent:
            self._documents.get(parent)

    def _create(self, call: Call, kind: Kind) -> Document:
        document = dict(call.body)
        document[kind.id_member] = identifier = kind.new_id(document)
        path = f"{call.path}/{identifier}"
        if path in self._documents:
            raise Conflict(f"The {kind.noun} {identifier} already exists.")
        if call.operation == "CreateDeployment":
            return self._deploy(path, document)
        self._keep(path, document, kind)
        return self._shown(path, document)

    def _deploy(self, path: str, deployment: Document) -> Document:
        """Freeze the routes; with a StageName, make the stage serve them."""
        api_path = path.rpartition("/deployments/")[0]
        stage_name = deployment.pop("StageName", None)
        stage_path = f"{api_path}/stages/{stage_name}"
        stage = self._documents.get(stage_path) if stage_name else None
        deployment[SNAPSHOT] = take_snapshot(self._documents, api_path)
        deployment.update(CreatedDate=now(), DeploymentStatus="DEPLOYED", AutoDeployed=False)
        self._documents.put(path, deployment)
        if stage is not None:
            changed = {"DeploymentId": deployment["DeploymentId"], "LastUpdatedDate": now()}
            self._documents.put(stage_path, {**stage, **changed})
        return deployment

    def _update(self, call: Call, kind: Kind) -> Document:
        document = dict(self._documents.get(call.path))
        for member, value in call.body.items():
            document[member] = _merged(document.get(member), value)
        self._keep(call.path, document, kind)
        return self._shown(call.path, document)

    def _keep(self, path: str, document: Document, kind: Kind) -> None:
        kind.complete(self._documents, path, document)
        self._refuse_duplicate(path, document, kind)
        self._documents.put(path, document)

    def _refuse_duplicate(self, path: str, document: Document, kind: Kind) -> None:
        siblings = self._documents.children(path.rpartition("/")[0])
        for other, sibling in siblings.items():
            if kind.unique and other != path and sibling[kind.unique] == document[kind.unique]:
                raise Conflict(f"A {kind.noun} with that {kind.unique} already exists.")

    def _delete(self, call: Call, kind: Kind) -> Document:
        kind.check_removal(self._documents, call.path, self._documents.get(call.path))
        self._documents.remove(call.path)
        return {}

    def _show(self, call: Call) -> Document:
        return self._shown(call.path, self._documents.get(call.path))

    def _list(self, call: Call) -> Document:
        children = self._documents.children(call.path)
        items = [self._shown(path, document) for path, document in children.items()]
        return _page(items, call.parameters)

    def _shown(self, path: str, document: Document) -> Document:
        """What the gateway adds when it answers: an endpoint is that of this run."""
        if path.count("/") == 1 and path.startswith("apis/"):
            return {**document, "ApiEndpoint": f"{self.socket_endpoint}/{document['ApiId']}"}
        return document

    def _tags(self, call: Call) -> Document:
        path = call.parameters["ResourceArn"].partition(_ARN_SEPARATOR)[2]
        document = self._documents.get(path)
        tags = dict(document.get("Tags", {}))
        if call.operation == "GetTags":
            return {"Tags": tags}
        tags.update(call.parameters.get("Tags", {}))
        removed = call.parameters.get("TagKeys", ())
        kept = {key: value for key, value in tags.items() if key not in removed}
        self._documents.put(path, {**document, "Tags": kept})
        return {}


def _merged(old: Any, new: Any) -> Any:
    """AWS's PATCH merges maps; an empty string removes an entry."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {key: value for key, value in {**old, **new}.items() if value != ""}


def _page(items: list[Document], parameters: Document) -> Document:
    """At most MaxResults items; NextToken is where the next page starts."""
    start, size = parameters.get("NextToken", "0"), parameters.get("MaxResults")
    if not start.isdecimal() or not (size is None or (size.isdecimal() and int(size))):
        raise BadRequest("MaxResults or NextToken is not valid.")
    end = len(items) if size is None else int(start) + int(size)
    page: Document = {"Items": items[int(start) : end]}
    return {**page, "NextToken": str(end)} if end < len(items) else page
