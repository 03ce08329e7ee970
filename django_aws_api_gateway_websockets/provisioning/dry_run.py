"""Dry run of provisioning: a client that changes nothing and notes what would change."""

from __future__ import annotations

from functools import partial
from typing import Any

#: The parameters that identify a noted call. RequestParameters is left out, because it holds the
#: secret.
SHOWN_PARAMETERS = (
    "RouteKey",
    "RouteId",
    "IntegrationUri",
    "IntegrationId",
    "Target",
    "StageName",
    "DefaultRouteSettings",
)


class DryRun:
    """A client that reads from AWS, and notes the calls that would write."""

    def __init__(self, client: Any) -> None:
        self.client = client
        #: The calls that would change something: ``create_route RouteKey=$connect ...``.
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith("get_"):
            return getattr(self.client, operation)
        return partial(self._note, operation)

    def _note(self, operation: str, **parameters: Any) -> dict[str, Any]:
        shown = [f"{name}={parameters[name]}" for name in SHOWN_PARAMETERS if name in parameters]
        self.calls.append(" ".join([operation, *shown]))
        new = f"(new {len(self.calls)})"
        return {"RouteId": new, "IntegrationId": new, "DeploymentId": new, **parameters}
