"""App configuration: what takes effect when the apps are ready."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext as _

# With the imported names of 1.1.1's module.
__all__ = ["AppConfig", "DjangoAwsApiGatewayWebsocketsConfig", "_"]


class DjangoAwsApiGatewayWebsocketsConfig(AppConfig):
    name = "django_aws_api_gateway_websockets"
    verbose_name = "Django AWS ApiGateway Websockets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .checks import register_all
        from .receivers import connect_signals
        from .security.applications import hide_proof_in_applications

        register_all()
        connect_signals()
        hide_proof_in_applications()
