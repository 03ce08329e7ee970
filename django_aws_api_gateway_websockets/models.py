"""Gateways and their routes. Fields and thin verbs. (sessions, tickets, broadcasts: likewise.)"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Mapping

from django.db import models, transaction

from . import aws, proof, provisioning
from .attempts import attempt, attempt_or_log, is_claimed, keep, translated_errors
from .broadcasts import Broadcast, BroadcastChunk
from .exceptions import GatewayNotReady
from .fields import EndpointField
from .rehearsal import Rehearsal
from .routes import Route
from .sessions import WebSocketSession
from .tickets import WebSocketTicket

__all__ = [
    "ApiGateway",
    "ApiGatewayAdditionalRoute",
    "Broadcast",
    "BroadcastChunk",
    "WebSocketSession",
    "WebSocketTicket",
]

#: The columns of an additional route that must equal what is in AWS.
AWS_KNOWS = {"api_gateway_id", "route_key", "integration_url"}

#: What the steps of provisioning learn from AWS.
FACTS = ("api_id", "api_endpoint", "deployment_id", "api_gateway_domain_name", "api_mapping_id")


def get_boto3_client(service: str = "apigatewayv2", **kwargs: Any) -> Any:
    """Return a boto3 client made as the settings say; ``kwargs`` go to boto3 and win over them."""
    return aws.create_client(service, **kwargs)


class ApiGateway(models.Model):
    """One WebSocket API of API Gateway: what it should be, and what AWS answered."""

    api_name = models.CharField(max_length=255, unique=True)
    api_description = models.CharField(max_length=255, blank=True, default="")
    default_channel_name = models.CharField(
        max_length=128, blank=True, default="", help_text="For clients that ask for no channel."
    )
    domain_name = models.CharField(
        max_length=255, blank=True, default="", help_text="The custom domain: ws.example.com"
    )
    target_base_endpoint = EndpointField(
        blank=True,
        null=True,
        default=None,
        help_text="Where the events are posted to, without the route: https://www.example.com/ws/",
    )
    certificate_arn = models.CharField(
        max_length=255, blank=True, default="", help_text="The custom domain's certificate in ACM."
    )
    hosted_zone_id = models.CharField(max_length=32, blank=True, default="")
    api_key_selection_expression = models.CharField(
        max_length=255, default="$request.header.x-api-key"
    )
    route_selection_expression = models.CharField(max_length=255, default="$request.body.action")
    route_key = models.CharField(
        max_length=255, default="$default", help_text="The route of messages that no other takes."
    )
    stage_name = models.CharField(max_length=63, blank=True, default="production")
    stage_description = models.CharField(max_length=63, blank=True, default="")
    deployment_id = models.CharField(max_length=32, blank=True, default="", editable=False)
    tags = models.JSONField(blank=True, default=dict)
    throttling_rate_limit = models.FloatField(
        null=True, blank=True, help_text="Events a second that AWS lets through on each route."
    )
    throttling_burst_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Events that AWS lets through at once on each route."
    )
    api_id = models.CharField(max_length=32, blank=True, default="")
    api_endpoint = models.CharField(max_length=255, blank=True, default="")
    api_gateway_domain_name = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="What the custom domain's DNS record must point to.",
    )
    api_mapping_id = models.CharField(max_length=128, blank=True, default="")
    api_created = models.BooleanField(default=False, editable=False)
    custom_domain_created = models.BooleanField(default=False, editable=False)
    created_on = models.DateTimeField(auto_now_add=True)
    updated_on = models.DateTimeField(auto_now=True)
    # The columns of attempts.py. Nullable, so that rows and releases without them go on working.
    creation_token = models.CharField(max_length=32, null=True, editable=False)  # noqa: DJ001
    provisioning_since = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(null=True, editable=False)  # noqa: DJ001
    #: The fingerprint of the secret that every integration sends us; None for those of older
    #: releases, which send none.
    source_proof = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001

    class Meta:
        verbose_name = "API Gateway"
        indexes = [
            models.Index(fields=["api_id"]),
            models.Index(fields=["domain_name"]),
            models.Index(fields=["custom_domain_created"]),
            models.Index(fields=["api_created"]),
            models.Index(fields=["created_on"]),
        ]

    def __str__(self) -> str:
        return self.api_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.target_base_endpoint and not self.target_base_endpoint.endswith("/"):
            self.target_base_endpoint += "/"
        super().save(*args, **kwargs)

    @property
    def stage(self) -> str:
        """The stage's name; a blank one means "production"."""
        return self.stage_name or "production"

    @property
    def must_prove_source(self) -> bool:
        """True if each of its events has to bring the source proof."""
        if self.api_created:
            return self.source_proof is not None
        # Integrations that a run of ours is still making have the proof from the first. Those of
        # an API that is somebody's own work may have a secret of their own.
        return self.creation_token is not None or proof.is_own()

    @property
    def socket_url(self) -> str:
        """The URL that a page opens, or an empty string before the gateway is created."""
        if self.custom_domain_created:
            return f"wss://{self.domain_name}"
        return f"{self.api_endpoint}/{self.stage}" if self.api_endpoint else ""

    @property
    def status(self) -> str:
        """Where provisioning stands, in a word or two."""
        if is_claimed(self):
            return "in progress"
        if self.last_error:
            return "failed"
        if not self.api_created:
            return "not created"
        return "created, with custom domain" if self.custom_domain_created else "created"

    def create_gateway(self) -> None:
        """Make the API, its routes and its stage in AWS, and deploy them.

        Returns at once if that is done. Each step is kept as it succeeds, so that after a failure
        a second call goes on where the first one stopped. Raises ProvisioningError.
        """
        if self.api_created:
            return
        if not self.target_base_endpoint:
            raise GatewayNotReady("The target base endpoint is required: https://example.com/ws/")
        with attempt(self):
            if not self.api_created:
                self._bring_into_service(self._create_api)

    create_gateway.alters_data = True  # type: ignore[attr-defined]

    def upgrade_gateway(self) -> None:
        """Bring a created API in AWS to what this version of the package makes of it.

        That is the mapped headers, the source proof among them, and the throttles. The row is
        marked when all are deployed, so that events are accepted all the while. It can be
        repeated, and must be after a change of the secret. Raises ProvisioningError.
        """
        self._must_be_upgradable()
        with attempt(self):
            self._bring_into_service()

    upgrade_gateway.alters_data = True  # type: ignore[attr-defined]

    def rehearse_upgrade(self) -> list[str]:
        """Return what ``upgrade_gateway`` would change in AWS, one call each, and change nothing.

        It reads from AWS. Raises ProvisioningError.
        """
        self._must_be_upgradable()
        with translated_errors():
            rehearsal = Rehearsal(get_boto3_client())
            self._create_routes(rehearsal)
            provisioning.ensure_stage(self, rehearsal)  # type: ignore[arg-type]
            rehearsal.create_deployment(StageName=self.stage)
        return rehearsal.calls

    def create_custom_domain(self) -> None:
        """Make the custom domain in AWS and map it to the stage. Goes on after a failure, too.

        Raises GatewayNotReady (a ValueError) without an API, domain or certificate.
        """
        if not self.api_created:
            raise GatewayNotReady("The API needs to be created before calling this method")
        if not self.certificate_arn:
            raise GatewayNotReady("A Certificate ARN is required")
        if not self.domain_name:
            raise GatewayNotReady("A domain name is required")
        with attempt(self):
            if not self.custom_domain_created:
                self._take(self._create_domain_name, self._create_api_mapping)
                keep(self, custom_domain_created=True)

    create_custom_domain.alters_data = True  # type: ignore[attr-defined]

    def deploy_api(self, client: Any) -> None:
        """Put the API's routes as they are now into service."""
        keep(self, deployment_id=provisioning.deploy(self, client))

    def _create_api(self, client: Any) -> None:
        self.api_id, self.api_endpoint = provisioning.ensure_api(self, client)

    def _create_routes(self, client: Any) -> None:
        provisioning.ensure_routes(self, client)

    def _create_stage_and_deploy(self, client: Any) -> None:
        provisioning.ensure_stage(self, client)
        self.deploy_api(client)

    def _create_domain_name(self, client: Any) -> None:
        self.api_gateway_domain_name = provisioning.ensure_domain_name(self, client)

    def _create_api_mapping(self, client: Any) -> None:
        self.api_mapping_id = provisioning.ensure_api_mapping(self, client)

    def _must_be_upgradable(self) -> None:
        if not (self.api_created and self.target_base_endpoint):
            raise GatewayNotReady("The API needs to be created before it can be upgraded")

    def _bring_into_service(self, *first_steps: Callable[[Any], None]) -> None:
        """Take these steps, make or mend all routes and the stage, deploy; then say so."""
        routes = list(self.additional_routes.values_list("pk", flat=True))
        self._take(*first_steps, self._create_routes, self._create_stage_and_deploy)
        self.additional_routes.filter(pk__in=routes).update(deployed=True)
        mark = proof.fingerprint(proof.value_for(self.pk))
        keep(self, api_created=True, source_proof=mark)

    def _take(self, *steps: Callable[[Any], None]) -> None:
        client = get_boto3_client()
        for step in steps:
            step(client)
            keep(self, **{name: getattr(self, name) for name in FACTS})


class ApiGatewayAdditionalRoute(models.Model):
    """A route of its own for one value of the route selection expression."""

    api_gateway = models.ForeignKey(
        ApiGateway, on_delete=models.CASCADE, related_name="additional_routes"
    )
    name = models.CharField(max_length=63)
    route_key = models.CharField(
        max_length=64, db_index=True, help_text="The action that this route takes."
    )
    integration_url = EndpointField(help_text="The full URL: https://www.example.com/ws/chat")
    deployed = models.BooleanField(default=False, editable=False)
    created_on = models.DateTimeField(auto_now_add=True)
    updated_on = models.DateTimeField(auto_now=True)

    #: The columns that AWS has a copy of, as they were when the row was read.
    _stored: Mapping[str, Any] = {}

    class Meta:
        verbose_name = "additional route"
        unique_together = [("api_gateway", "route_key")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and deploy the route once the transaction has committed if its gateway is live.

        A failure to deploy is logged and shown on the gateway; ``deployed`` then stays False, and
        saving again tries again.
        """
        changed = any(getattr(self, name) != value for name, value in self._stored.items())
        self.deployed = self.deployed and not changed
        if changed and kwargs.get("update_fields"):
            kwargs["update_fields"] = {*kwargs["update_fields"], "deployed"}
        super().save(*args, **kwargs)
        if self._stored.get("api_gateway_id", self.api_gateway_id) != self.api_gateway_id:
            self._undeploy_on_commit()
        if self.api_gateway.api_created and not self.deployed:
            transaction.on_commit(self._deploy)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> ApiGatewayAdditionalRoute:
        route = super().from_db(*args, **kwargs)
        route._stored = {name: route.__dict__[name] for name in AWS_KNOWS & route.__dict__.keys()}
        return route

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete the row, and the live gateway's route once the transaction has committed."""
        deleted = super().delete(*args, **kwargs)
        self._undeploy_on_commit()
        return deleted

    def create_route(self, client: Any, deploy: bool = True) -> None:
        """Make the route in AWS, or mend it, and deploy the gateway unless told not to."""
        former = self._stored.get("route_key", self.route_key)
        route = Route(self.route_key, self.integration_url)
        provisioning.put_route(self.api_gateway, client, route, former)
        if deploy:
            self.api_gateway.deploy_api(client)
            self.deployed = True
            type(self)._base_manager.filter(pk=self.pk).update(deployed=True)
        self._stored = {name: getattr(self, name) for name in AWS_KNOWS}

    def _deploy(self) -> None:
        failure = f"Route not deployed route_key={self.route_key}"
        attempt_or_log(self.api_gateway, failure, lambda: self.create_route(get_boto3_client()))

    def _undeploy_on_commit(self) -> None:
        """Remove the route from the gateway, and by the key, that AWS knows."""
        known = {name: self._stored.get(name, getattr(self, name)) for name in AWS_KNOWS}
        self._stored = {}
        gateways = ApiGateway._base_manager.filter(pk=known["api_gateway_id"], api_created=True)
        for gateway in gateways:
            transaction.on_commit(partial(self._undeploy, gateway, known["route_key"]))

    @staticmethod
    def _undeploy(gateway: ApiGateway, route_key: str) -> None:
        def remove() -> None:
            client = get_boto3_client()
            provisioning.remove_route(gateway, client, route_key)
            gateway.deploy_api(client)

        attempt_or_log(gateway, f"Route not removed route_key={route_key}", remove)
