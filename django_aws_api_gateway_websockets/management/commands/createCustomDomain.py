"""createCustomDomain makes a gateway's custom domain in AWS."""

from __future__ import annotations

from django_aws_api_gateway_websockets.management.base import ProvisioningCommand


class Command(ProvisioningCommand):
    help = "Make the custom domain of a gateway in AWS and map it to the stage, or finish it."
    verb = "create_custom_domain"
    success = (
        "Custom Domain setup for {0.api_name}. "
        "Next update DNS to point to {0.api_gateway_domain_name}"
    )
    done_flag = "custom_domain_created"
    done_text = "has its custom domain already."
