"""createCustomDomain makes a gateway's custom domain in AWS."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from django_aws_api_gateway_websockets.management.base import ProvisioningCommand
from django_aws_api_gateway_websockets.models import ApiGateway

# With the imported names of 1.1.1's module, which projects import from here.
__all__ = ["ApiGateway", "BaseCommand", "Command"]


class Command(ProvisioningCommand):
    help = "Make the custom domain of a gateway in AWS and map it to the stage, or finish it."
    verb = "create_custom_domain"
    success = (
        "Custom Domain setup for {0.api_name}. "
        "Next update DNS to point to {0.api_gateway_domain_name}"
    )
    refusal = "domain_refusal"
