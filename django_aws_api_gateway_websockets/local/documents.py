"""Documents of the control plane, by path, and the file that keeps them. Knows no rules.

A path is that of the REST API, as in "apis/a1b2/routes/c3d4". A document holds what boto3 would
be given, in boto3's own names, and what the gateway has added.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import NotFound, StateFileInvalid

Document = dict[str, Any]

_VERSION = 1


class Documents:
    """Not thread-safe: the control plane holds the lock."""

    def __init__(self, file: Path | None = None) -> None:
        """StateFileInvalid if the file is not one of ours, OSError if it cannot exist there."""
        self._file = file
        self._documents: dict[str, Document] = {}
        if file is not None and not file.parent.is_dir():
            raise FileNotFoundError(f"There is no folder {file.parent} for the state file")
        if file is not None and file.exists():
            self._documents = _read(file)

    def __contains__(self, path: str) -> bool:
        return path in self._documents

    def get(self, path: str) -> Document:
        """The document of that path, or NotFound."""
        try:
            return self._documents[path]
        except KeyError:
            raise NotFound(f"Invalid identifier specified: {path}") from None

    def find(self, path: str) -> Document | None:
        """The document of that path, or None."""
        return self._documents.get(path)

    def children(self, collection: str) -> dict[str, Document]:
        """The documents right below a collection such as "apis/a1b2/routes", oldest first."""
        return {
            path: document
            for path, document in self._documents.items()
            if path.rpartition("/")[0] == collection
        }

    def put(self, path: str, document: Document) -> None:
        """Add a document, or replace the one that has the path."""
        self._replace({**self._documents, path: document})

    def remove(self, path: str) -> None:
        """Remove a document and all below it."""
        documents = self._documents.items()
        self._replace({p: d for p, d in documents if not f"{p}/".startswith(f"{path}/")})

    def _replace(self, documents: dict[str, Document]) -> None:
        # The file is written first: if that fails, nothing has changed.
        if self._file is not None:
            _write(self._file, documents)
        self._documents = documents


def _read(file: Path) -> dict[str, Document]:
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        version, documents = state["version"], state["documents"]
    except (ValueError, KeyError, TypeError) as error:
        raise StateFileInvalid(f"{file} is not a state file of the local gateway.") from error
    if version != _VERSION or not _are_documents(documents):
        raise StateFileInvalid(f"{file} was written by another version of the local gateway.")
    return dict(documents)


def _are_documents(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


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
