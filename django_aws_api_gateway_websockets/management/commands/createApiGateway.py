"""createApiGateway makes a gateway's API in AWS."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from django_aws_api_gateway_websockets.management.base import ProvisioningCommand
from django_aws_api_gateway_websockets.models import ApiGateway

# With the imported names of 1.1.1's module, which projects import from here.
__all__ = ["ApiGateway", "BaseCommand", "Command"]


class Command(ProvisioningCommand):
    help = "Make the API of a gateway in AWS, with its routes and stage, or finish making it."
    verb = "create_gateway"
    success = "API Gateway endpoint created for {0.api_name}: {0.socket_url}"
    refusal = "creation_refusal"
