"""Gateways: WebSocket APIs of API Gateway, what each should be, and what AWS answered."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from django.db import models
from django.utils.module_loading import import_string

from .. import aws, mocks
from ..exceptions import GatewayNotReady
from ..processes import is_test_environment
from ..provisioning import steps
from ..provisioning.dry_run import DryRun
from ..provisioning.routes import Route, RouteTable
from ..security import proof
from ..security.integrations import integration_refusal
from .attempts import attempt, note, translated_errors, write
from .columns import FIELDS_FROM_AWS, GatewayColumns


def get_boto3_client(service: str = "apigatewayv2", **kwargs: Any) -> Any:
    """Return a boto3 client made as the settings say; ``kwargs`` go to boto3 and win over them."""
    if is_test_environment():
        # Looked up where 1.1.1 did, because tests replace it there.
        return mocks.create_client(import_string(f"{__package__}.boto3"), service, **kwargs)
    return aws.create_client(service, **kwargs)


def client_for_provisioning() -> Any:
    """Return a client made by ``models.get_boto3_client``.

    The function is looked up at each call, because a site's tests replace it by a fake.
    """
    return import_string(f"{__package__}.get_boto3_client")()


def require_allowed_host(route: Route) -> None:
    """Raise GatewayNotReady if the route posts to a host that the settings do not allow."""
    refusal = integration_refusal(route.url)
    if refusal:
        raise GatewayNotReady(refusal)


class ApiGateway(GatewayColumns):
    """One WebSocket API of API Gateway: what it should be, and what AWS answered."""

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
                self.wanted_routes()  # AWS is not asked for an API that may not get its routes.
                client = client_for_provisioning()
                run_step(self, self._create_api, client)
                bring_into_service(self, client)

    create_gateway.alters_data = True  # type: ignore[attr-defined]

    def upgrade_gateway(self, *, dry_run: bool = False) -> list[str]:
        """Upgrade a created API in AWS to what this version of the package makes.

        These are the routes, their mapped headers with the source proof, and the throttles. The
        row is marked when all of them are deployed, so that events are accepted all the while. It
        can be repeated, and must be after a change of the secret. Raises ProvisioningError.

        With ``dry_run`` it reads from AWS, changes nothing, and returns the calls that would
        change something; otherwise the list is empty.
        """
        if not (self.api_created and self.target_base_endpoint):
            raise GatewayNotReady("The API needs to be created before it can be upgraded")
        if dry_run:
            return calls_of_upgrade(self)
        with attempt(self):
            self.wanted_routes()
            bring_into_service(self, client_for_provisioning())
        return []

    upgrade_gateway.alters_data = True  # type: ignore[attr-defined]

    def create_custom_domain(self) -> None:
        """Make the custom domain in AWS and map it to the stage, or go on after a failure.

        A domain that release 1.1.1 has marked as made too early is finished, too.
        Raises GatewayNotReady (a ValueError) without an API, domain or certificate.
        """
        if not self.api_created:
            raise GatewayNotReady("The API needs to be created before calling this method")
        if not self.certificate_arn:
            raise GatewayNotReady("A Certificate ARN is required")
        if not self.domain_name:
            raise GatewayNotReady("A domain name is required")
        with attempt(self):
            if not self.has_custom_domain:
                client = client_for_provisioning()
                domain = self._create_domain_name(client)
                write(self, api_gateway_domain_name=steps.target_of(domain))
                mapping = self._create_api_mapping(client)
                write(self, api_mapping_id=steps.mapping_of(mapping))
                write(self, custom_domain_created=True)

    create_custom_domain.alters_data = True  # type: ignore[attr-defined]

    def deploy_api(self, client: Any) -> None:
        """Deploy the API's routes as they are in AWS now."""
        deployment = steps.deploy(client, self.api_id, self.stage, self.stage_description)
        write(self, deployment_id=deployment)

    def deploy_routes(self, client: Any) -> None:
        """Deploy the API, and write its deployment: an overridden ``deploy_api`` may not do so."""
        self.deploy_api(client)
        write(self, deployment_id=self.deployment_id)

    def route_table(self, client: Any) -> RouteTable:
        """Return the routes as they are in AWS. Routes that the table makes send the proof."""
        return RouteTable(client, self.api_id, {proof.HEADER: proof.value_for(self)})

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
        additional = self.additional_routes.values_list("route_key", "integration_url")
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
        }
        api = steps.ensure_api(
            client, self.creation_token or "", wanted, tags_of(self), partial(note, self)
        )
        self.api_id, self.api_endpoint = api

    def _create_routes(self, client: Any) -> None:
        # The database is read before the first call to AWS, and not between two calls.
        routes = self.wanted_routes()
        table = self.route_table(client)
        for route in routes:
            table.ensure(route)
        table.remove_unused_integrations()

    def _create_stage_and_deploy(self, client: Any) -> None:
        ensure_stage(self, client)
        self.deploy_api(client)

    def _create_domain_name(self, client: Any) -> Any:
        """Return AWS's answer about the domain."""
        configuration = {
            "CertificateArn": self.certificate_arn,
            "DomainNameStatus": "AVAILABLE",
            "EndpointType": "REGIONAL",
            "SecurityPolicy": "TLS_1_2",
        }
        if self.hosted_zone_id:
            configuration["HostedZoneId"] = self.hosted_zone_id
        return steps.ensure_domain_name(
            client, self.domain_name, configuration, tags_of(self), partial(note, self)
        )

    def _create_api_mapping(self, client: Any) -> str:
        """Return the mapping's id."""
        return steps.ensure_api_mapping(client, self.domain_name, self.api_id, self.stage)


def ensure_stage(gateway: ApiGateway, client: Any) -> None:
    """Make the stage, or correct its throttles."""
    wanted = {
        "ThrottlingRateLimit": gateway.throttling_rate_limit,
        "ThrottlingBurstLimit": gateway.throttling_burst_limit,
    }
    # A throttle that is left empty stays what it is in AWS.
    throttles = {name: value for name, value in wanted.items() if value is not None}
    steps.ensure_stage(client, gateway.api_id, gateway.stage, throttles)


def tags_of(gateway: ApiGateway) -> dict[str, str]:
    """Return the tags as AWS takes them. Raises GatewayNotReady for what is no object."""
    if not isinstance(gateway.tags, dict):
        text = 'The tags must be an object of names and values: {"team": "web"}'
        raise GatewayNotReady(text)
    return {str(name): str(value) for name, value in gateway.tags.items()}


def bring_into_service(gateway: ApiGateway, client: Any) -> None:
    """Make or correct all routes and the stage, deploy them, and record it."""
    routes = list(gateway.additional_routes.values_list("pk", flat=True))
    run_step(gateway, gateway._create_routes, client)
    run_step(gateway, gateway._create_stage_and_deploy, client)
    gateway.additional_routes.filter(pk__in=routes).update(deployed=True)
    fingerprint = proof.fingerprint(proof.value_for(gateway))
    write(gateway, api_created=True, source_proof=fingerprint)


def run_step(gateway: ApiGateway, step: Callable[[Any], None], client: Any) -> None:
    """Run a step, and write what it has learnt from AWS."""
    step(client)
    write(gateway, **{name: getattr(gateway, name) for name in FIELDS_FROM_AWS})


def calls_of_upgrade(gateway: ApiGateway) -> list[str]:
    """Return the calls that an upgrade would make."""
    with translated_errors():
        client = DryRun(client_for_provisioning())
        gateway._create_routes(client)
        ensure_stage(gateway, client)
        client.create_deployment(StageName=gateway.stage)
    return client.calls
