"""Documents of the control plane, by path. Knows no rules, and not how they are kept.

A path is that of the REST API, as in "apis/a1b2/routes/c3d4". A document holds what boto3 would
be given, in boto3's own names, and what the gateway has added.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Protocol

from .errors import NotFound

Document = dict[str, Any]


class Store(Protocol):
    """Where documents outlive the process."""

    def lock(self) -> None:
        """Keep every other gateway away until unlock()."""

    def unlock(self) -> None:
        """Let another gateway have it."""

    def read(self) -> dict[str, Document]:
        """What was written last; nothing if nothing was."""

    def write(self, documents: dict[str, Document]) -> None:
        """Replace what was written last, or raise an error and leave it as it is."""


class Documents:
    """Not thread-safe: the control plane holds the lock."""

    def __init__(self, store: Store | None = None) -> None:
        """Raises what reading the store raises."""
        self._store = store
        self._documents: dict[str, Document] = store.read() if store is not None else {}

    def open(self) -> None:
        """Claim the store until close(), and read what another gateway may have left in it."""
        if self._store is None:
            return
        self._store.lock()
        try:
            self._documents = self._store.read()
        except BaseException:
            self._store.unlock()
            raise

    def close(self) -> None:
        """Give up the store."""
        if self._store is not None:
            self._store.unlock()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Keep all changes of the block, or none if it fails or if they cannot be written."""
        before = self._documents
        try:
            yield
            if self._store is not None and self._documents is not before:
                self._store.write(self._documents)
        except BaseException:
            self._documents = before
            raise

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
        """Add a document, or replace the one that has the path. Call it inside change()."""
        # A new dict each time: change() goes back to the one before.
        self._documents = {**self._documents, path: document}

    def remove(self, path: str) -> None:
        """Remove a document and all below it. Call it inside change()."""
        documents = self._documents.items()
        self._documents = {p: d for p, d in documents if not f"{p}/".startswith(f"{path}/")}


def integration_path(route_path: str, route: Document) -> str:
    """The path of the integration that a route's Target names, as in "integrations/ID"."""
    collection, _, identifier = route.get("Target", "").partition("/")
    if collection != "integrations":
        return ""
    return f"{api_path(route_path)}/integrations/{identifier}"


def deployment_path(stage_path: str, stage: Document) -> str:
    """The path of the deployment that a stage serves."""
    return f"{api_path(stage_path)}/deployments/{stage.get('DeploymentId')}"


def api_path(path: str) -> str:
    """The path of the API that a path is below."""
    return "/".join(path.split("/")[:2])


def new_id() -> str:
    """Ten characters, as in the ids of AWS's APIs."""
    alphabet = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(10))


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
