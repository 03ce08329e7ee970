"""Control plane of AWS: what it has, as boto3 shows it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Set
from unittest import mock

from django_aws_api_gateway_websockets import models
from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client

OWN_ROUTES = {"$connect", "$disconnect", "$default"}

#: What stands in the place of a URL behind the route of pings, which AWS answers by itself.
MOCK = "MOCK"


def calls_since(local_gateway: Any, start: int) -> List[str]:
    """The operations that a local gateway was asked for after its first ``start`` calls."""
    return [operation for operation, _ in list(local_gateway.requests)[start:]]


@contextmanager
def while_asked(do: Callable[[str], None]) -> Iterator[None]:
    """Do this, with the operation's name, in the middle of each call: as another process would."""
    client = get_boto3_client()
    client.meta.events.register("before-call.apigatewayv2", lambda model, **_: do(model.name))
    with mock.patch.object(models, "get_boto3_client", return_value=client):
        yield


class ControlPlane:
    """What AWS has, or the local gateway in its place."""

    def __init__(self) -> None:
        self._client = get_boto3_client()

    @property
    def apis(self) -> List[str]:
        return [api["ApiId"] for api in self._client.get_apis()["Items"]]

    def routes(self, api_id: str) -> Dict[str, str]:
        """{"join": "https://..."}: each route with the URL behind it; none may be there twice."""
        urls = self._urls(api_id)
        routes = self._client.get_routes(ApiId=api_id)["Items"]
        found = [(route["RouteKey"], urls[route["Target"]]) for route in routes]
        assert len(dict(found)) == len(found)
        return dict(found)

    def additional_routes(self, gateway: ApiGateway) -> Dict[str, str]:
        """A live gateway's routes beyond its own; all is in service and nothing left over."""
        stored = ApiGateway.objects.get(pk=gateway.pk)
        assert self.orphans(stored.api_id) == set()
        assert self.stages(stored.api_id) == {"production": stored.deployment_id}
        routes = self.routes(stored.api_id)
        assert set(routes) >= OWN_ROUTES
        own = {*OWN_ROUTES, *(key for key, url in routes.items() if url == MOCK)}
        return {key: url for key, url in routes.items() if key not in own}

    def replies(self, api_id: str, key: str) -> bool:
        """True if what is behind the route answers the client."""
        routes = self._client.get_routes(ApiId=api_id)["Items"]
        (route,) = [route for route in routes if route["RouteKey"] == key]
        found = self._client.get_route_responses(ApiId=api_id, RouteId=route["RouteId"])["Items"]
        says_so = route.get("RouteResponseSelectionExpression") == "$default"
        return says_so and [response["RouteResponseKey"] for response in found] == ["$default"]

    def orphans(self, api_id: str) -> Set[str]:
        """The integrations that no route points to."""
        routes = self._client.get_routes(ApiId=api_id)["Items"]
        return set(self._urls(api_id)) - {route["Target"] for route in routes}

    def stages(self, api_id: str) -> Dict[str, str]:
        """{"production": "d1"}: each stage with the deployment that it serves."""
        stages = self._client.get_stages(ApiId=api_id)["Items"]
        return {stage["StageName"]: stage.get("DeploymentId", "") for stage in stages}

    @property
    def domains(self) -> List[str]:
        return [domain["DomainName"] for domain in self._client.get_domain_names()["Items"]]

    def mappings(self, domain_name: str) -> Dict[str, str]:
        found = self._client.get_api_mappings(DomainName=domain_name)["Items"]
        return {mapping["ApiMappingId"]: mapping["Stage"] for mapping in found}

    def _urls(self, api_id: str) -> Dict[str, Any]:
        integrations = self._client.get_integrations(ApiId=api_id)["Items"]
        return {
            f"integrations/{i['IntegrationId']}": i.get("IntegrationUri", i["IntegrationType"])
            for i in integrations
        }
