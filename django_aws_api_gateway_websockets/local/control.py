"""Control plane: the calls of boto3's apigatewayv2, and the stages that are deployed.

Answers boto3, and tells the sockets what is deployed. Knows neither HTTP nor connections.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from .deployments import SNAPSHOT, Stage, read_stage
from .documents import Document, Documents
from .injection import FaultInjection
from .operations import Operations
from .resources import deployment_path
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

    def set_socket_endpoint(self, socket_endpoint: str) -> None:
        """Set what an API's ApiEndpoint begins with, once the gateway listens."""
        self._operations.socket_endpoint = socket_endpoint

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Carry out one call: the status and body of its answer, or a GatewayError."""
        call = read_call(method, target, body)
        self.requests.append((call.operation, call.parameters))
        logger.info("control plane called operation=%s path=%s", call.operation, call.path)
        with self._faults.around(call.operation), self._lock:
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

    def has_stage(self, name: str) -> bool:
        """True if any API has a stage of that name."""
        with self._lock:
            apis = self._documents.children("apis")
            return any(f"{api}/stages/{name}" in self._documents for api in apis)

    def has_domain(self, name: str) -> bool:
        """True if there is a custom domain of that name."""
        with self._lock:
            return f"domainnames/{name}" in self._documents

    def mapped_stage(self, domain: str, key: str) -> Stage | None:
        """The stage that a custom domain's API mapping leads to, if it is deployed."""
        with self._lock:
            mappings = self._documents.children(f"domainnames/{domain}/apimappings").values()
            mapping = next((item for item in mappings if item["ApiMappingKey"] == key), None)
            return self.stage(mapping["ApiId"], mapping["Stage"]) if mapping else None
