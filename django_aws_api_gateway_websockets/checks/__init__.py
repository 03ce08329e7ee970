"""Checks that find a wrong configuration before a request does. The docs explain each."""

from __future__ import annotations

from django.core import checks

from .databases import check_databases
from .gateways import check_gateways
from .settings import check_deployed_settings, check_settings
from .surroundings import check_deployed_surroundings, check_surroundings
from .views import check_deployed_views, check_url_patterns, check_views

__all__ = [
    "check_databases",
    "check_deployed_settings",
    "check_deployed_surroundings",
    "check_deployed_views",
    "check_gateways",
    "check_settings",
    "check_surroundings",
    "check_url_patterns",
    "check_views",
    "register_all",
]


def register_all() -> None:
    """Register the checks. It is called once, when the apps are ready."""
    checks.register(check_settings)
    checks.register(check_databases, checks.Tags.database)
    checks.register(check_url_patterns, checks.Tags.urls)
    checks.register(check_views, checks.Tags.urls)
    checks.register(check_surroundings, checks.Tags.urls)
    deployed = (check_deployed_settings, check_deployed_surroundings, check_deployed_views)
    for check in (*deployed, check_gateways):
        checks.register(check, checks.Tags.security, deploy=True)
