"""Control plane: the calls of boto3's apigatewayv2, and the stages that are deployed.

Answers boto3, and tells the sockets what is deployed. Knows neither HTTP nor connections.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from .deployments import SNAPSHOT, Stage, read_stage
from .documents import Document, Documents, deployment_path
from .injection import FaultInjection
from .operations import Operations
from .rest_json import read_call, write_answer

logger = logging.getLogger("django_aws_api_gateway_websockets.local")


class ControlPlane:
    """Thread-safe: one call at a time, as the documents need it."""

    def __init__(self, documents: Documents, faults: FaultInjection, requests_kept: int) -> None:
        self._documents = documents
        self._operations = Operations(documents)
        self._faults = faults
        self._lock = threading.RLock()
        self._stages: dict[str, Stage] = {}
        #: The calls seen, (operation, parameters), as boto3 was given them.
        self.requests: deque[tuple[str, Document]] = deque(maxlen=requests_kept)

    def open(self) -> None:
        """Claim the documents until close(). StateFileInUse if another gateway has them."""
        with self._lock:
            self._documents.open()
            self._stages.clear()

    def close(self) -> None:
        """Let another gateway have the documents."""
        with self._lock:
            self._documents.close()

    def set_socket_endpoint(self, socket_endpoint: str) -> None:
        """Set what an API's ApiEndpoint begins with, once the gateway listens."""
        self._operations.socket_endpoint = socket_endpoint

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Carry out one call: the status and body of its answer, or a GatewayError."""
        call = read_call(method, target, body)
        self.requests.append((call.operation, call.parameters))
        logger.info("control plane called operation=%s path=%r", call.operation, call.path)
        with self._faults.around(call.operation), self._lock:
            with self._documents.change():
                answer = write_answer(call.model, self._operations.perform(call))
            if call.method != "GET":
                self._stages.clear()
        return int(call.model.http["responseCode"]), answer

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

    def default_stage(self, api_id: str, name: str) -> Stage | None:
        """As stage(), for clients who come without a custom domain."""
        stage = self.stage(api_id, name)
        return stage if stage is not None and stage.has_default_endpoint else None

    def has_default_stage(self, name: str) -> bool:
        """True if any API has a stage of that name that needs no custom domain."""
        with self._lock:
            apis = self._documents.children("apis").values()
            return any(self._may_have_default_stage(api["ApiId"], name) for api in apis)

    def _may_have_default_stage(self, api_id: str, name: str) -> bool:
        # A stage without a deployment has no clients, but there it is.
        is_there = f"apis/{api_id}/stages/{name}" in self._documents
        stage = self.stage(api_id, name)
        return is_there and (stage is None or stage.has_default_endpoint)

    def has_domain(self, host: str) -> bool:
        """True if there is a custom domain for that host, perhaps one with a wildcard."""
        with self._lock:
            return self._domain_path(host) is not None

    def mapped_stage(self, host: str, key: str) -> Stage | None:
        """The stage that a custom domain's API mapping leads to, if it is deployed."""
        with self._lock:
            mappings = self._documents.children(f"{self._domain_path(host)}/apimappings").values()
            mapping = next((item for item in mappings if item["ApiMappingKey"] == key), None)
            return self.stage(mapping["ApiId"], mapping["Stage"]) if mapping else None

    def _domain_path(self, host: str) -> str | None:
        """The path of the custom domain for a host; its own name comes before a wildcard."""
        # Host names have no case.
        domains = {path.lower(): path for path in self._documents.children("domainnames")}
        wildcard = f"*.{host.partition('.')[2]}"
        names = (f"domainnames/{name}".lower() for name in (host, wildcard))
        return next((domains[name] for name in names if name in domains), None)
