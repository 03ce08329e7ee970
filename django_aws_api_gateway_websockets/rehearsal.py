"""A client that changes nothing. Knows the verbs of AWS's calls, not what they are about."""

from __future__ import annotations

from functools import partial
from typing import Any

#: What tells one call from another. Not RequestParameters, which have the secret.
TOLD = (
    *("RouteKey", "RouteId", "IntegrationUri", "IntegrationId", "Target"),
    *("StageName", "DefaultRouteSettings"),
)


class Rehearsal:
    """A client that reads from AWS, and only notes what it is told to write."""

    def __init__(self, client: Any) -> None:
        self.client = client
        #: The calls that would change something: ``create_route RouteKey=$connect ...``.
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith("get_"):
            return getattr(self.client, operation)
        return partial(self._note, operation)

    def _note(self, operation: str, **parameters: Any) -> dict[str, Any]:
        told = [f"{name}={parameters[name]}" for name in TOLD if name in parameters]
        self.calls.append(" ".join([operation, *told]))
        new = f"(new {len(self.calls)})"
        return {"RouteId": new, "IntegrationId": new, "DeploymentId": new, **parameters}
