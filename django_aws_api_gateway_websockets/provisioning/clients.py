"""Clients of provisioning: one that asks before it changes anything, and a dry run's.

Both pass everything else on, so that steps that a site overrides find boto3's own client in them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Mapping

#: The parameters that identify a noted call. RequestParameters is left out, because it holds the
#: secret.
SHOWN_PARAMETERS = (
    "RouteKey",
    "RouteId",
    "RouteResponseKey",
    "RouteResponseId",
    "IntegrationUri",
    "IntegrationType",
    "IntegrationId",
    "IntegrationResponseKey",
    "Target",
    "RouteResponseSelectionExpression",
    "StageName",
    "DefaultRouteSettings",
    "IpAddressType",
    "DomainName",
    "DomainNameConfigurations",
)

#: The verbs of the operations that change something.
WRITING = (
    *("create_", "update_", "delete_", "put_", "tag_", "untag_", "import_", "reimport_"),
    *("reset_", "publish_", "disable_"),
)


class WritingClient:
    """A client that calls ``before_writing`` before each operation that changes something."""

    def __init__(self, client: Any, before_writing: Callable[[], None]) -> None:
        self._client = client
        self._before_writing = before_writing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return partial(self._write, found) if name.startswith(WRITING) else found

    def _write(self, operation: Callable[..., Any], *args: Any, **parameters: Any) -> Any:
        self._before_writing()
        return operation(*args, **parameters)


class DryRun:
    """A client that reads from AWS, and notes the calls that would write."""

    def __init__(self, client: Any) -> None:
        self.client = client
        #: The calls that would change something: ``create_route RouteKey=$connect ...``.
        self.calls: list[str] = []
        #: The keys of the routes that have been read, by their ids.
        self._route_keys: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith(WRITING):
            return partial(self._note, name)
        found = getattr(self.client, name)
        return partial(self._read, found) if name.startswith("get_") else found

    def _read(self, operation: Callable[..., Any], **parameters: Any) -> Any:
        # What would be new has nothing below it yet.
        is_new = any(str(value).startswith("(new ") for value in parameters.values())
        answer = {"Items": []} if is_new else operation(**parameters)
        for item in answer.get("Items", ()) if isinstance(answer, Mapping) else ():
            if "RouteKey" in item:
                self._route_keys[item["RouteId"]] = item["RouteKey"]
        return answer

    def _note(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "delete_route":  # Somebody should know it again.
            parameters["RouteKey"] = self._route_keys.get(parameters["RouteId"], "")
        names = ("ApiId",) if operation == "delete_api" else SHOWN_PARAMETERS
        shown = [f"{name}={parameters[name]}" for name in names if name in parameters]
        self.calls.append(" ".join([operation, *shown]))
        noun = operation.partition("_")[2].title().replace("_", "")
        return {f"{noun}Id": f"(new {len(self.calls)})", **parameters}
