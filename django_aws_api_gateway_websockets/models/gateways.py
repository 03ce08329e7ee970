"""Gateways: WebSocket APIs of API Gateway, what each should be, and what AWS answered."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import models
from django.utils.module_loading import import_string

from .. import aws, mocks
from ..exceptions import GatewayNotReady
from ..hosts import region_of
from ..processes import is_test_environment
from ..provisioning import deployments, domains, steps
from ..provisioning.routes import Route, RouteTable
from ..security import proof
from ..security.integrations import integration_refusal
from . import upgrades
from .attempts import attempt, note, translated_errors, write, writing_client
from .columns import GatewayColumns


def get_boto3_client(service: str = "apigatewayv2", **kwargs: Any) -> Any:
    """Return a boto3 client made as the settings say; ``kwargs`` go to boto3 and win over them."""
    if is_test_environment():
        # Looked up where 1.1.1 did, because tests replace it there.
        return mocks.create_client(import_string(f"{__package__}.boto3"), service, **kwargs)
    return aws.create_client(service, **kwargs)


def client_for_provisioning(gateway: GatewayColumns) -> Any:
    """Return a client made by ``models.get_boto3_client``, for the region of the gateway's API.

    The function is looked up at each call, because a site's tests replace it by a fake. Such a
    fake may take no arguments, so it gets the region only where that is not the settings'.
    """
    region = region_of(gateway.api_endpoint)
    is_elsewhere = region and not (aws.has_default_region() and aws.default_region() == region)
    make = import_string(f"{__package__}.get_boto3_client")
    return make(region_name=region) if is_elsewhere else make()


def require_allowed_host(route: Route) -> None:
    """Raise GatewayNotReady if the route posts to a host that the settings do not allow."""
    refusal = integration_refusal(route.url)
    if refusal:
        raise GatewayNotReady(refusal)


class ApiGateway(GatewayColumns):
    """One WebSocket API of API Gateway: what it should be, and what AWS answered."""

    #: The hash of what the next deployment freezes, if that is known.
    deployment_digest = ""

    class Meta:
        indexes = [
            models.Index(fields=["api_id"]),
            models.Index(fields=["domain_name"]),
            models.Index(fields=["custom_domain_created"]),
            models.Index(fields=["api_created"]),
            models.Index(fields=["created_on"]),
        ]

    def create_gateway(self) -> None:
        """Make the API, its routes and its stage in AWS, and deploy them.

        It does nothing if the API has been created. Each step is recorded as it succeeds, so that
        after a failure a second call goes on where the first one stopped. Raises
        ProvisioningError.
        """
        if self.api_created:
            return
        if not self.target_base_endpoint:
            raise GatewayNotReady("The target base endpoint is required: https://example.com/ws/")
        with attempt(self, makes_api=True):
            if not self.api_created:
                self.wanted_routes()  # AWS is not asked for an API that may not get its routes,
                upgrades.throttles_of(self)  # or its stage.
                client = writing_client(self, client_for_provisioning(self))
                upgrades.run_step(self, self._create_api, client)
                upgrades.bring_into_service(self, client)

    create_gateway.alters_data = True  # type: ignore[attr-defined]

    def upgrade_gateway(self, *, dry_run: bool = False) -> list[str]:
        """Upgrade a created API in AWS to what this version of the package makes.

        These are the routes, their mapped headers with the source proof, their responses, the
        throttles, the address type, and the custom domain's certificate. Routes of this package
        that no row has any more are deleted. The row is marked when all of them are deployed, so
        that events are accepted all the while. It can be repeated, and must be after a change of
        the secret.
        Raises ProvisioningError.

        With ``dry_run`` it reads from AWS, changes nothing, and returns the calls that would
        change something; otherwise the list is empty.
        """
        if not (self.api_created and self.target_base_endpoint):
            raise GatewayNotReady("The API needs to be created before it can be upgraded")
        if dry_run:
            with translated_errors():
                return upgrades.calls_of_upgrade(self, client_for_provisioning(self))
        with attempt(self):
            self.wanted_routes()
            upgrades.upgrade(self, writing_client(self, client_for_provisioning(self)))
        return []

    upgrade_gateway.alters_data = True  # type: ignore[attr-defined]

    def create_custom_domain(self) -> None:
        """Make the custom domain in AWS and map it to the stage, or go on after a failure.

        A domain that release 1.1.1 has marked as made too early is finished, too. One that is
        finished gets the row's certificate, if that is a new one.
        Raises GatewayNotReady (a ValueError) without an API, domain or certificate.
        """
        if not self.api_created:
            raise GatewayNotReady("The API needs to be created before calling this method")
        if not self.certificate_arn:
            raise GatewayNotReady("A Certificate ARN is required")
        if not self.domain_name:
            raise GatewayNotReady("A domain name is required")
        was_finished = self.has_custom_domain
        with attempt(self, makes_up_for=None):
            client = writing_client(self, client_for_provisioning(self))
            if self.has_custom_domain:
                # Another operator may have finished it just now.
                if was_finished:
                    upgrades.correct_domain(self, client)
                return
            domain = self._create_domain_name(client)
            write(self, api_gateway_domain_name=domains.target_of(domain))
            mapping = self._create_api_mapping(client)
            write(self, api_mapping_id=domains.mapping_of(mapping))
            write(self, custom_domain_created=True)

    create_custom_domain.alters_data = True  # type: ignore[attr-defined]

    def deploy_api(self, client: Any) -> None:
        """Deploy the API's routes as they are in AWS now."""
        description = deployments.describe(self.stage_description, self.deployment_digest)
        deployment = deployments.deploy(client, self.api_id, self.stage, description)
        write(self, deployment_id=deployment)

    def deploy_routes(self, client: Any) -> None:
        """Deploy the API, and write its deployment: an overridden ``deploy_api`` may not do so."""
        upgrades.deploy_changes(self, client, {})
        write(self, deployment_id=self.deployment_id)

    def route_table(self, client: Any) -> RouteTable:
        """Return the routes as they are in AWS. Routes that the table makes send the proof."""
        headers = {proof.HEADER: proof.value_for(self)}
        return RouteTable(client, self.api_id, headers, bool(self.route_responses))

    def own_routes(self) -> list[Route]:
        """Return the three routes that every API has."""
        base = self.target_base_endpoint
        return [
            Route("$connect", f"{base}connect"),
            Route("$disconnect", f"{base}disconnect"),
            Route(self.route_key, f"{base}default"),
        ]

    def wanted_routes(self) -> list[Route]:
        """Return all routes that the API should have.

        Raises GatewayNotReady if one posts to a host that the settings do not allow.
        """
        rows = upgrades.rows_of_routes(self)
        additional = rows.values_list("route_key", "integration_url")
        routes = [*self.own_routes(), *map(Route._make, additional)]
        for route in routes:
            require_allowed_host(route)
        return routes

    def _create_api(self, client: Any) -> None:
        if self.api_id:
            return
        wanted = {
            "ApiKeySelectionExpression": self.api_key_selection_expression,
            "Description": self.api_description,
            "DisableSchemaValidation": True,
            "Name": self.api_name,
            "ProtocolType": "WEBSOCKET",
            "RouteSelectionExpression": self.route_selection_expression,
            **upgrades.ip_address_type_of(self),
        }
        tags = upgrades.tags_of(self)
        api = steps.ensure_api(
            client, self.creation_token or "", wanted, tags, partial(note, self)
        )
        self.api_id, self.api_endpoint = api

    def _create_routes(self, client: Any) -> None:
        _, deleted = upgrades.ensure_routes(self, client)
        for key in deleted:
            note(self, f"The route {key} has been deleted in AWS: no row has it any more.")

    def _create_stage_and_deploy(self, client: Any) -> None:
        upgrades.deploy_changes(self, client, upgrades.ensure_stage(self, client))

    def _create_domain_name(self, client: Any) -> Any:
        """Return AWS's answer about the domain."""
        return domains.ensure_domain_name(
            client,
            self.domain_name,
            self.api_id,
            upgrades.domain_configuration(self),
            upgrades.tags_of(self),
            partial(note, self),
        )

    def _create_api_mapping(self, client: Any) -> str:
        """Return the mapping's id."""
        return domains.ensure_api_mapping(client, self.domain_name, self.api_id, self.stage)
