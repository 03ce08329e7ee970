from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.sending import reports


@pytest.fixture
def talkative(monkeypatch):
    """Progress is told of each recipient."""
    monkeypatch.setattr(reports, "PROGRESS_EVERY", 0)
