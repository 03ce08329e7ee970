"""Neither proof nor ticket is in what error trackers and profilers see, by WSGI and by ASGI."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.edge import DEADLINE
from tests.pages import ROOT


def what_it_saw(tool, when, folder):
    """Drive a site that has the tool; return its secrets, and what the tool has seen."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.security.tracked_site", str(folder), tool, when],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout.splitlines()[-1])
    return told["secrets"], told["seen"]


@pytest.mark.parametrize("when", ["early", "late"])
def test_what_wraps_djangos_applications_sees_no_secret(when, tmp_path):
    secrets, seen = what_it_saw("patch", when, tmp_path)
    assert len(seen) == 10
    assert all("/ws/" in request or "/page" in request for request in seen)
    assert len(secrets) == 3  # the proof, and two tickets
    assert [secret for secret in secrets if secret in "".join(seen)] == []


@pytest.mark.parametrize("when", ["early", "late"])
def test_sentry_sees_no_secret(when, tmp_path):
    pytest.importorskip("sentry_sdk")
    secrets, seen = what_it_saw("sentry", when, tmp_path)
    errors = [event for event in seen if '"type":"event"' in event]
    transactions = [event for event in seen if '"type":"transaction"' in event]
    assert len(errors) >= 4  # a handler's and a page's, twice
    assert len(transactions) == 10
    assert all("X-Forwarded-Proto" in e or "x-forwarded-proto" in e for e in transactions)
    assert len(secrets) == 3  # the proof, and two tickets
    assert [secret for secret in secrets if secret in "".join(seen)] == []
