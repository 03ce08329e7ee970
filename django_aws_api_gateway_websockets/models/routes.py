"""Routes of a gateway beside its own three: each is deployed when its row is saved."""

from __future__ import annotations

from functools import partial
from typing import Any, Mapping

from django.db import models, transaction

from ..provisioning import pings
from ..provisioning.routes import Route, RouteTable
from .attempts import attempt_or_log, writing_client
from .fields import EndpointField
from .gateways import ApiGateway, client_for_provisioning, require_allowed_host
from .upgrades import answers_pings, known_keys, rows_of_routes

#: The columns that AWS has a copy of.
FIELDS_IN_AWS = {"api_gateway_id", "route_key", "integration_url"}


class ApiGatewayAdditionalRoute(models.Model):
    """A route for one value of the route selection expression."""

    api_gateway = models.ForeignKey(
        ApiGateway, on_delete=models.CASCADE, related_name="additional_routes"
    )
    name = models.CharField(max_length=63, help_text="For people: AWS does not see it.")
    route_key = models.CharField(
        max_length=64, db_index=True, help_text="The action that this route takes."
    )
    integration_url = EndpointField(help_text="The full URL: https://www.example.com/ws/chat")
    deployed = models.BooleanField(default=False, editable=False)
    created_on = models.DateTimeField(auto_now_add=True)
    updated_on = models.DateTimeField(auto_now=True)

    #: FIELDS_IN_AWS as AWS has them: as the row was read, or as create_route() made them.
    _columns_in_aws: Mapping[str, Any] = {}

    class Meta:
        unique_together = [("api_gateway", "route_key")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and after the commit deploy the route if its gateway is live.

        A failure to deploy is logged and shown on the gateway. Then ``deployed`` stays False, and
        the next save tries again.
        """
        changed = any(getattr(self, name) != value for name, value in self._columns_in_aws.items())
        self.deployed = self.deployed and not changed
        if changed and kwargs.get("update_fields"):
            kwargs["update_fields"] = {*kwargs["update_fields"], "deployed"}
        super().save(*args, **kwargs)
        if self._columns_in_aws.get("api_gateway_id", self.api_gateway_id) != self.api_gateway_id:
            undeploy_on_commit(self)
        if self.api_gateway.is_live and not self.deployed:
            transaction.on_commit(partial(deploy, self))

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> ApiGatewayAdditionalRoute:
        route = super().from_db(*args, **kwargs)
        loaded = route.__dict__
        route._columns_in_aws = {name: loaded[name] for name in FIELDS_IN_AWS & loaded.keys()}
        return route

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete the row, and after the commit the route, if its gateway is live."""
        deleted = super().delete(*args, **kwargs)
        undeploy_on_commit(self)
        return deleted

    def create_route(self, client: Any, deploy: bool = True) -> None:
        """Make the route in AWS, or correct it; deploy the gateway unless ``deploy`` is False.

        Raises GatewayNotReady for a host that the settings do not allow.
        """
        route = Route(self.route_key, self.integration_url)
        require_allowed_host(route)
        former_key = self._columns_in_aws.get("route_key", self.route_key)
        table = self.api_gateway.route_table(client)
        table.ensure(route)
        _remove_unused(self.api_gateway, table, former_key)
        if deploy:
            self.api_gateway.deploy_routes(client)
            self.deployed = True
            # One that another process has changed meanwhile is not what has been deployed.
            columns = {"route_key": route.key, "integration_url": route.url}
            type(self)._base_manager.filter(pk=self.pk, **columns).update(deployed=True)
        self._columns_in_aws = {name: getattr(self, name) for name in FIELDS_IN_AWS}


def deploy(route: ApiGatewayAdditionalRoute) -> None:
    """Make the route in AWS and deploy it; log a failure."""
    attempt_or_log(
        route.api_gateway,
        f"Route not deployed route_key={route.route_key}",
        lambda: route.create_route(_client_of(route.api_gateway)),
    )


def undeploy_on_commit(route: ApiGatewayAdditionalRoute) -> None:
    """After the commit remove the route from the gateway on which AWS has it, by that key."""
    gateway_pk = route._columns_in_aws.get("api_gateway_id", route.api_gateway_id)
    route_key = route._columns_in_aws.get("route_key", route.route_key)
    route._columns_in_aws = {}
    for gateway in ApiGateway._base_manager.filter(pk=gateway_pk):
        if gateway.is_live:
            transaction.on_commit(partial(_undeploy, gateway, route_key))


def _undeploy(gateway: ApiGateway, route_key: str) -> None:
    def remove() -> None:
        client = _client_of(gateway)
        _remove_unused(gateway, gateway.route_table(client), route_key)
        gateway.deploy_routes(client)

    attempt_or_log(gateway, f"Route not removed route_key={route_key}", remove)


def _remove_unused(gateway: ApiGateway, table: RouteTable, key: str) -> None:
    # Another route may have taken the key meanwhile.
    own = [route.key for route in gateway.own_routes()]
    if key in own or rows_of_routes(gateway).filter(route_key=key).exists():
        return
    if key == pings.KEY and answers_pings(gateway, table.client, known_keys(gateway)):
        table.ensure_ping()
    else:
        table.remove(key)


def _client_of(gateway: ApiGateway) -> Any:
    return writing_client(gateway, client_for_provisioning(gateway))
