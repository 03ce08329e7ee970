"""A real Chromium, and the demo that it looks at."""

from __future__ import annotations

import shutil
from typing import Any, Iterator

import pytest

from tests.example.conftest import demo, own_demo  # noqa: F401 - the same fixtures

#: What keeps Chromium from talking to anybody but the demo, and lets it run in a container.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Not for the session: while Playwright runs, no other test can have an event loop or use the ORM.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not on PATH")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()
