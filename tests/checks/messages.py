"""Messages of `check` about this package."""

from __future__ import annotations

from itertools import chain

from django.core.checks.registry import registry

ROOM = "django_aws_api_gateway_websockets"


def problems(deploy=False):
    """Our problems by their number, {"E001": message}: those of `check`, or `check --deploy`.

    Of all checks that Django has been told of, ours alone are run.
    """
    ours = [check for check in registry.get_checks(deploy) if check.__module__.startswith(ROOM)]
    every = chain.from_iterable(check(app_configs=None, databases=None) for check in ours)
    return {m.id.partition(".")[2]: m for m in every if m.id.startswith(ROOM)}
