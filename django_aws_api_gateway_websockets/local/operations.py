"""Operations of the control plane: create, show, list, change and remove a resource.

Not thread-safe: the control plane holds the lock. Knows neither HTTP nor connections.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from .deployments import deploy, deploy_automatically, serve
from .documents import Document, Documents, api_path
from .errors import BadRequest, Conflict, NotFound, UnsupportedOperation
from .pages import page_of
from .resources import EMPTY, KINDS, Kind
from .rest_json import Call, list_member
from .rules import check_tags

_TAGGED = re.compile(r"arn:[^:]+:apigateway:[^:]*::/((?:apis|domainnames)/.+)")
_WITH_TAGS = frozenset(["apis", "domainnames", "stages"])

#: How the names of operations begin that find nothing where nothing can exist.
_ASKING = ("Delete", "Get", "List", "Update")

#: The collections whose changes a stage with AutoDeploy deploys.
_DEPLOYED = frozenset(["apis", "integrationresponses", "integrations", "routeresponses", "routes"])

#: The member that each of these operations deletes from a document, or deletes an entry of.
_MEMBERS = {
    "DeleteAccessLogSettings": ("AccessLogSettings", ""),
    "DeleteRouteRequestParameter": ("RequestParameters", "RequestParameterKey"),
    "DeleteRouteSettings": ("RouteSettings", "RouteKey"),
}


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
        if call.operation in _MEMBERS:
            return self._delete_member(call, *_MEMBERS[call.operation])
        if call.collection in EMPTY and call.operation.startswith(_ASKING):
            return self._find_nothing(call)
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

    def _find_nothing(self, call: Call) -> Document:
        """Answer for resources that cannot exist here."""
        self._check_parent(call)
        if call.has_id or not list_member(call.model):
            raise NotFound(f"Invalid identifier specified: {call.path}")
        return {list_member(call.model): page_of([], call.path, call.parameters)["Items"]}

    def _create(self, call: Call, kind: Kind) -> Document:
        if call.operation == "CreateDeployment":
            return self._deploy(call)
        document = kind.with_defaults(call.body)
        document[kind.id_member] = identifier = kind.new_id(document)
        path = f"{call.path}/{identifier}"
        if path in self._documents:
            raise Conflict(f"The {kind.noun} {identifier} already exists.")
        return self._store(path, document, kind)

    def _deploy(self, call: Call) -> Document:
        """Make a deployment. With a StageName, make the stage serve it."""
        api = api_path(call.path)
        members = dict(call.body)
        stage_name = members.pop("StageName", None)
        stage_path = f"{api}/stages/{stage_name}"
        if stage_name is not None:
            self._documents.get(stage_path)
        deployment = deploy(self._documents, api, **members)
        if stage_name is not None:
            serve(self._documents, stage_path, deployment)
        return deployment

    def _update(self, call: Call, kind: Kind) -> Document:
        document = deepcopy(self._documents.get(call.path))
        for member, value in call.body.items():
            document[member] = _merge(document.get(member), value)
        return self._store(call.path, document, kind)

    def _store(self, path: str, document: Document, kind: Kind) -> Document:
        """Add or replace a document. Return what the answer shows."""
        kind.check(self._documents, path, document)
        self._check_unique(path, document, kind)
        before = self._documents.find(path)
        self._documents.put(path, document)
        if kind.noun == "Stage":
            self._deploy_to_stage(path, document, before or {})
        else:
            self._deploy_change(path)
        return self._with_endpoint(path, self._documents.get(path))

    def _deploy_to_stage(self, path: str, stage: Document, before: Document) -> None:
        """Deploy to a stage that has just begun to do so automatically."""
        begins = stage.get("AutoDeploy") and not before.get("AutoDeploy")
        # A deployment that is named with a new stage comes first.
        if begins and (before or "DeploymentId" not in stage):
            deploy_automatically(self._documents, api_path(path))

    def _deploy_change(self, path: str) -> None:
        """Deploy what has changed where that is automatic."""
        if path.split("/")[-2] in _DEPLOYED:
            deploy_automatically(self._documents, api_path(path))

    def _check_unique(self, path: str, document: Document, kind: Kind) -> None:
        siblings = self._documents.children(path.rpartition("/")[0])
        for other, sibling in siblings.items():
            if kind.unique and other != path and sibling[kind.unique] == document[kind.unique]:
                raise Conflict(f"A {kind.noun} with that {kind.unique} already exists.")

    def _delete(self, call: Call, kind: Kind) -> Document:
        kind.check_removal(self._documents, call.path, self._documents.get(call.path))
        self._documents.remove(call.path)
        self._deploy_change(call.path)
        return {}

    def _delete_member(self, call: Call, member: str, key: str) -> Document:
        """Delete one member of a resource, or the entry of it that a parameter names."""
        path = call.path.rsplit("/", 2 if call.has_id else 1)[0]
        document = deepcopy(self._documents.get(path))
        place = document.get(member, {}) if key else document
        name = call.parameters[key] if key else member
        if name not in place:
            raise NotFound(f"There is no such entry of {member} specified: {name}")
        del place[name]
        self._store(path, document, KINDS[path.split("/")[-2]])
        return {}

    def _list(self, call: Call) -> Document:
        children = self._documents.children(call.path)
        items = [self._with_endpoint(path, document) for path, document in children.items()]
        return page_of(items, call.path, call.parameters)

    def _with_endpoint(self, path: str, document: Document) -> Document:
        """An API with its endpoint, which changes from run to run; others as they are."""
        if path.count("/") == 1 and path.startswith("apis/"):
            return {**document, "ApiEndpoint": f"{self.socket_endpoint}/{document['ApiId']}"}
        return document

    def _tags(self, call: Call) -> Document:
        match = _TAGGED.fullmatch(call.parameters["ResourceArn"])
        if match is None:
            raise BadRequest("Invalid ARN specified: " + call.parameters["ResourceArn"])
        path = match[1]
        document = self._documents.get(path)
        if path.split("/")[-2] not in _WITH_TAGS:
            raise BadRequest(f"No tags are supported for {path}.")
        tags = {**document["Tags"], **call.parameters.get("Tags", {})}
        if call.operation == "GetTags":
            return {"Tags": tags}
        removed = call.parameters.get("TagKeys", ())
        kept = {key: value for key, value in tags.items() if key not in removed}
        check_tags(kept)
        self._documents.put(path, {**document, "Tags": kept})
        return {}


def _merge(old: Any, new: Any) -> Any:
    """AWS's PATCH merges maps; an empty string removes an entry."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) == 1:
        return [_merge(old[0], new[0])]  # A domain name has one configuration.
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {key: value for key, value in {**old, **new}.items() if value != ""}
