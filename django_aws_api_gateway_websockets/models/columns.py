"""Columns of a gateway: what it should be, what AWS answered, and what follows from both."""

from __future__ import annotations

import logging
from typing import Any, Callable, Iterable, Mapping, Optional

from django.core.exceptions import ValidationError
from django.db import models

from .. import hosts
from ..provisioning import pings
from ..security import proof
from ..security.origins import host_of
from .attempts import ProvisioningAttempts
from .fields import EndpointField, SwitchField

logger = logging.getLogger(__name__)

#: A throttle above this is a mistake: AWS gives no account so much without asking.
MAX_THROTTLE = 1_000_000

#: The columns that the steps of provisioning learn from AWS.
FIELDS_FROM_AWS = (
    "api_id",
    "api_endpoint",
    "deployment_id",
    "api_gateway_domain_name",
    "api_mapping_id",
)


class GatewayColumns(ProvisioningAttempts):
    """The columns of a gateway, and the questions that they answer."""

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
    hosted_zone_id = models.CharField(
        max_length=32, blank=True, default="", help_text="For your notes: AWS chooses the zone."
    )
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
    tags = models.JSONField(
        blank=True, default=dict, help_text='The API\'s tags in AWS: {"team": "web"}'
    )
    throttling_rate_limit = models.FloatField(
        null=True,
        blank=True,
        help_text="Events a second that AWS lets through on each route; above 0.",
    )
    throttling_burst_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Events that AWS lets through at once on each route; above 0.",
    )
    ip_address_type = models.CharField(  # noqa: DJ001 - nullable, for 1.1.1
        max_length=9,
        null=True,
        blank=True,
        choices=[("ipv4", "IPv4"), ("dualstack", "IPv4 and IPv6")],
        help_text="By which addresses clients may come. AWS takes IPv4 if it is empty.",
    )
    route_responses = SwitchField(
        help_text="AWS sends handlers' answers to their clients, which saves a call for each. "
        "An upgrade of the gateway brings it to AWS."
    )
    api_id = models.CharField(
        max_length=32, blank=True, default="", help_text="What AWS calls the API."
    )
    api_endpoint = models.CharField(
        max_length=255, blank=True, default="", help_text="Where AWS takes the sockets."
    )
    api_gateway_domain_name = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="What the custom domain's DNS record must point to.",
    )
    api_mapping_id = models.CharField(
        max_length=128,
        blank=True,
        default="",
        help_text="What AWS calls the mapping from the custom domain to the API.",
    )
    api_created = models.BooleanField(default=False, editable=False)
    custom_domain_created = models.BooleanField(default=False, editable=False)
    created_on = models.DateTimeField(auto_now_add=True)
    #: The fingerprint of the secret that every integration sends; None for the integrations of
    #: older releases, which send no secret.
    source_proof = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001

    refreshed_fields = (
        *ProvisioningAttempts.refreshed_fields,
        *FIELDS_FROM_AWS,
        "api_created",
        "custom_domain_created",
        "source_proof",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.api_name

    def clean_fields(self, exclude: Optional[Iterable[str]] = None) -> None:
        """Refuse what would lead sockets, messages or Origins to another host, or stop all events.

        ``save()`` takes it as before, so these are asked again where a host is made of them.
        """
        errors: dict[str, Any] = {}
        try:
            super().clean_fields(exclude)  # type: ignore[arg-type]
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        for name, refusal in refusals_of(self).items():
            if refusal and name not in errors and name not in (exclude or ()):
                errors[name] = ValidationError(refusal)
        if errors:
            raise ValidationError(errors)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.target_base_endpoint and not self.target_base_endpoint.endswith("/"):
            self.target_base_endpoint += "/"
        super().save(*args, **kwargs)

    @property
    def stage(self) -> str:
        """The stage's name; a blank one means "production"."""
        return self.stage_name or "production"

    @property
    def is_live(self) -> bool:
        """True if the API has been deployed, by this package or by hand."""
        return bool(self.deployment_id or (self.api_created and self.api_id))

    @property
    def has_custom_domain(self) -> bool:
        """True if nothing is left to do for the custom domain.

        Release 1.1.1 marked a row as done although AWS had refused the mapping.
        """
        made = self.api_gateway_domain_name and self.api_mapping_id
        return bool(self.custom_domain_created and made)

    @property
    def creation_refusal(self) -> str:
        """Why there is no API to create, or an empty string."""
        return f"{self} has been created already." if self.api_created else ""

    @property
    def domain_refusal(self) -> str:
        """Why there is no custom domain to make, or an empty string."""
        return f"{self} has its custom domain already." if self.has_custom_domain else ""

    @property
    def must_prove_source(self) -> bool:
        """True if each of its events has to bring the source proof."""
        if self.api_created:
            return self.source_proof is not None
        # The integrations of an attempt that is not finished send the proof from the start. Those
        # of an API that somebody made by hand may send WEBSOCKETS["source_secret"].
        return self.creation_token is not None or proof.has_custom_secret()

    @property
    def message_key(self) -> str:
        """The key of a message that chooses its route; an empty text if it is not one key."""
        return pings.selecting_key(self.route_selection_expression)

    @property
    def socket_url(self) -> str:
        """The URL that a page opens, or an empty string before the gateway is created.

        It is empty, too, and the log says why, if a column holds what would lead elsewhere.
        """
        if self.custom_domain_created:
            refusal = hosts.domain_name_refusal(self.domain_name.lower())
            url = f"wss://{self.domain_name}"
        else:
            refusal = hosts.address_refusal(self.api_id, self.stage, self.api_endpoint)
            url = f"{self.api_endpoint.rstrip('/')}/{self.stage}" if self.api_endpoint else ""
        if refusal and url:
            logger.error("No socket URL gateway=%s: %s", self, refusal)
        return "" if refusal else url

    @property
    def own_hosts(self) -> tuple[str, ...]:
        """The hosts of its custom domain, once that is made, and of its API."""
        domain = self.domain_name.lower() if self.custom_domain_created else ""
        is_domain = domain and not hosts.domain_name_refusal(domain)
        is_endpoint = not hosts.api_endpoint_refusal(self.api_endpoint)
        found = (domain if is_domain else "", host_of(self.api_endpoint) if is_endpoint else "")
        return tuple(host for host in found if host)

    @property
    def status(self) -> str:
        """The state of provisioning, in a few words."""
        if self.is_being_provisioned:
            return "in progress"
        if self.last_error:
            return "failed"
        if not self.api_created:
            return "not created"
        if self.custom_domain_created and not self.has_custom_domain:
            return "created, custom domain unfinished"
        return "created, with custom domain" if self.custom_domain_created else "created"


def refusals_of(gateway: GatewayColumns) -> Mapping[str, str]:
    """Return why columns hold nothing valid, by their names; empty columns are valid."""
    wanted: dict[str, Callable[[Any], str]] = {
        "domain_name": hosts.domain_name_refusal,
        "stage_name": hosts.stage_name_refusal,
        "api_id": hosts.api_id_refusal,
        "api_endpoint": lambda text: hosts.socket_endpoint_refusal(text, gateway.api_id),
    }
    found = {
        name: refusal(getattr(gateway, name))
        for name, refusal in wanted.items()
        if getattr(gateway, name)
    }
    for name in ("throttling_rate_limit", "throttling_burst_limit"):
        found[name] = throttle_refusal(getattr(gateway, name))
    return found


def throttle_refusal(value: Any) -> str:
    """Why AWS cannot be given this throttle, or an empty string; None leaves AWS's own."""
    if value is None or (isinstance(value, (int, float)) and 0 < value <= MAX_THROTTLE):
        return ""
    return f"It must be above 0, at which AWS refuses every event, and at most {MAX_THROTTLE:,}."
