"""State file: what the local gateway keeps from one run to the next. One gateway has it at a time.

Refuses a file of which a document is damaged. Otherwise each call that meets the document would
fail, long after the damage.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .deployments import SNAPSHOT, read_integration, read_stage
from .documents import Document, deployment_path, integration_path
from .errors import GatewayError, StateFileInUse, StateFileInvalid, StateNotKept
from .expressions import RouteSelection
from .file_lock import FileLock, FileLocked
from .mock_integrations import check_response
from .resources import KINDS, Kind
from .rest_json import complaint_about

_VERSION = 1


class StateFile:
    """The documents as JSON. A file beside it, with ".lock" at the end, locks it."""

    def __init__(self, file: Path) -> None:
        """FileNotFoundError if the file cannot exist there."""
        if not file.parent.is_dir():
            raise FileNotFoundError(f"There is no folder {file.parent} for the state file")
        # One file has one lock, whichever way leads to it.
        self._file = file.resolve()
        self._lock = FileLock(self._file.with_name(f"{self._file.name}.lock"))

    def lock(self) -> None:
        """StateFileInUse if another gateway has the file."""
        try:
            self._lock.acquire()
        except FileLocked as locked:
            process = f"process {locked.holder}" if locked.holder else "another process"
            raise StateFileInUse(
                f"{self._file} is in use by the local gateway of {process}"
            ) from locked

    def unlock(self) -> None:
        self._lock.release()

    def read(self) -> dict[str, Document]:
        """StateFileInvalid if the file is not one of ours, OSError if it cannot be read."""
        return _read(self._file) if self._file.exists() else {}

    def write(self, documents: dict[str, Document]) -> None:
        """StateNotKept if that is impossible."""
        try:
            if not self._lock.is_held:  # Somebody has moved or removed the file of the lock.
                self.lock()
            _write(self._file, documents)
        except OSError as error:
            raise StateNotKept(
                f"The state file {self._file} cannot be written, so nothing has changed: {error}"
            ) from error


def _read(file: Path) -> dict[str, Document]:
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        version, documents = state["version"], state["documents"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateFileInvalid(f"{file} is not a state file of the local gateway.") from error
    if version != _VERSION or not isinstance(documents, dict):
        raise StateFileInvalid(f"{file} was written by another version of the local gateway.")
    for path in documents:
        damage = _damage(documents, path)
        if damage:
            raise StateFileInvalid(f"{file} is damaged: {path or 'a document'} {damage}.")
    return {path: _kind(path).with_defaults(document) for path, document in documents.items()}


def _kind(path: str) -> Kind:
    return KINDS[path.split("/")[-2]]


def _damage(documents: dict[str, Any], path: str) -> str:
    """What is wrong with a document, or an empty text."""
    document = documents[path]
    parent, collection, identifier = ["", "", *path.rsplit("/", 2)][-3:]
    kind, above = KINDS.get(collection), parent.rpartition("/")[0].rpartition("/")[2]
    if kind is None or above != kind.parent or (parent and parent not in documents):
        return "has no place"
    if not isinstance(document, dict) or document.get(kind.id_member) != identifier:
        return "is not a document of that name"
    missing = [member for member in kind.required if document.get(member) is None]
    if missing:
        return f"lacks {', '.join(missing)}"
    return complaint_about(kind.noun, document) or _contradiction(documents, path)


def _contradiction(documents: dict[str, Document], path: str) -> str:
    """What a document says that the gateway could not act upon."""
    document = documents[path]
    references = {"DeploymentId": deployment_path, "Target": integration_path}
    for member, path_of in references.items():
        if member in document and path_of(path, document) not in documents:
            return f"has a {member} that is not there"
    try:
        return _parse(document)
    except (GatewayError, LookupError, TypeError, AttributeError, ValueError) as error:
        return f"cannot be read ({error!r})"


def _parse(document: Document) -> str:
    """Read what is read when an API is deployed, or when a client comes. Return a complaint."""
    if "RouteSelectionExpression" in document:
        RouteSelection(document["RouteSelectionExpression"])
    if "IntegrationType" in document:
        read_integration(document)
    if "IntegrationResponseKey" in document:
        check_response(document)
    if SNAPSHOT not in document:
        return ""
    read_stage("", {"StageName": ""}, document[SNAPSHOT])
    entries = list(document[SNAPSHOT]["Routes"])
    nouns = ("Route", "Integration")
    complaints = (complaint_about(noun, entry[noun]) for entry in entries for noun in nouns)
    return next(filter(None, complaints), "")


def _write(file: Path, documents: dict[str, Document]) -> None:
    """Write beside the file and rename, so that a crash leaves the old one whole."""
    state = json.dumps({"version": _VERSION, "documents": documents}, indent=1)
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(state)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()
        raise
