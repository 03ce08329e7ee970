from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.sending import reports
from tests.factories import fresh, make_route


@pytest.fixture
def talkative(monkeypatch):
    """Progress is told of each recipient."""
    monkeypatch.setattr(reports, "PROGRESS_EVERY", 0)


@pytest.fixture
def route(request, gateway, commit):
    """The deployed route "join" to the module's URL, as another process reads it."""
    with commit():
        made = make_route(gateway, route_key="join", integration_url=request.module.URL)
    return fresh(made)
