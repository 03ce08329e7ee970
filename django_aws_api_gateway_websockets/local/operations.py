"""Operations of the control plane: create, show, list, change and remove a resource.

Not thread-safe: the control plane holds the lock. Knows neither HTTP nor connections.
"""

from __future__ import annotations

from typing import Any

from .deployments import SNAPSHOT, snapshot
from .documents import Document, Documents
from .errors import BadRequest, Conflict, UnsupportedOperation
from .resources import KINDS, Kind, now
from .rest_json import Call

_ARN_SEPARATOR = "::/"


class Operations:
    """What each call does to the documents, and what it is answered with."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        #: What an API's ApiEndpoint begins with; known once the gateway listens.
        self.socket_endpoint = ""

    def perform(self, call: Call) -> Document:
        """The members of the answer, or a GatewayError."""
        if call.path.startswith("tags/"):
            return self._tags(call)
        kind = KINDS.get(call.collection)
        if kind is None or call.method == "PUT":
            raise UnsupportedOperation(f"The local gateway does not play {call.operation}.")
        self._check_parent(call)
        if call.method == "GET" and call.has_id:
            return self._with_endpoint(call.path, self._documents.get(call.path))
        if call.method == "GET":
            return self._list(call)
        perform = {"POST": self._create, "PATCH": self._update, "DELETE": self._delete}
        return perform[call.method](call, kind)

    def _check_parent(self, call: Call) -> None:
        collection = call.path.rpartition("/")[0] if call.has_id else call.path
        parent = collection.rpartition("/")[0]
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
        self._store(path, document, kind)
        return self._with_endpoint(path, document)

    def _deploy(self, path: str, deployment: Document) -> Document:
        """Freeze the routes. With a StageName, make the stage serve them."""
        api_path = path.rpartition("/deployments/")[0]
        stage_name = deployment.pop("StageName", None)
        stage_path = f"{api_path}/stages/{stage_name}"
        stage = self._documents.get(stage_path) if stage_name else None
        deployment[SNAPSHOT] = snapshot(self._documents, api_path)
        deployment.update(CreatedDate=now(), DeploymentStatus="DEPLOYED", AutoDeployed=False)
        self._documents.put(path, deployment)
        if stage is not None:
            changed = {"DeploymentId": deployment["DeploymentId"], "LastUpdatedDate": now()}
            self._documents.put(stage_path, {**stage, **changed})
        return deployment

    def _update(self, call: Call, kind: Kind) -> Document:
        document = dict(self._documents.get(call.path))
        for member, value in call.body.items():
            document[member] = _merge(document.get(member), value)
        self._store(call.path, document, kind)
        return self._with_endpoint(call.path, document)

    def _store(self, path: str, document: Document, kind: Kind) -> None:
        kind.complete(self._documents, path, document)
        self._check_unique(path, document, kind)
        self._documents.put(path, document)

    def _check_unique(self, path: str, document: Document, kind: Kind) -> None:
        siblings = self._documents.children(path.rpartition("/")[0])
        for other, sibling in siblings.items():
            if kind.unique and other != path and sibling[kind.unique] == document[kind.unique]:
                raise Conflict(f"A {kind.noun} with that {kind.unique} already exists.")

    def _delete(self, call: Call, kind: Kind) -> Document:
        kind.check_removal(self._documents, call.path, self._documents.get(call.path))
        self._documents.remove(call.path)
        return {}

    def _list(self, call: Call) -> Document:
        children = self._documents.children(call.path)
        items = [self._with_endpoint(path, document) for path, document in children.items()]
        return _page(items, call.parameters)

    def _with_endpoint(self, path: str, document: Document) -> Document:
        """An API with its endpoint, which changes from run to run; others as they are."""
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


def _merge(old: Any, new: Any) -> Any:
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
