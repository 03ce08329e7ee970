"""Messages of `check` about this package."""

from __future__ import annotations

from django.core.checks import run_checks

ROOM = "django_aws_api_gateway_websockets"


def problems(deploy=False):
    """Our problems by their number, {"E001": message}: those of `check`, or `check --deploy`."""
    every = run_checks(include_deployment_checks=deploy)
    return {m.id.partition(".")[2]: m for m in every if m.id.startswith(ROOM)}
