"""A real Chromium, and the sites that it looks at."""

from __future__ import annotations

import shutil
from typing import Any, Callable, Iterator

import pytest

from tests.browser.tabs import BackgroundTab, Tab
from tests.browser.world import World
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


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which no limit is reached. A module that wants another one makes its own."""
    from django_aws_api_gateway_websockets.local.limits import Limits

    # The client looks every second, and no timer of a hidden page runs more often.
    with World(tmp_path_factory.mktemp("world"), Limits(), {"idle": 40}) as world:
        yield world


@pytest.fixture
def new_tab(browser: Any, world: World) -> Iterator[Callable[[], Tab]]:
    """A function that opens a tab, all of them in one window."""
    window, tabs = browser.new_context(), []

    def open_tab() -> Tab:
        tabs.append(Tab(window.new_page(), world))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        assert tab.errors == []
    window.close()


@pytest.fixture
def tab(new_tab: Callable[[], Tab]) -> Tab:
    return new_tab()


@pytest.fixture
def background_tab(browser: Any, world: World) -> Iterator[BackgroundTab]:
    tab = BackgroundTab(browser, world)
    yield tab
    tab.close()


@pytest.fixture
def alice(site: Any, browser: Any) -> Iterator[Any]:
    """Her window on a how-to's site, which is the module's own fixture."""
    with site.window_of(browser, "alice") as page:
        yield page


@pytest.fixture
def bob(site: Any, browser: Any) -> Iterator[Any]:
    with site.window_of(browser, "bob") as page:
        yield page


@pytest.fixture
def closing_server() -> Iterator[Any]:
    from tests.browser.closing_server import ClosingServer

    with ClosingServer() as server:
        yield server
