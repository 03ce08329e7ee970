"""The how-to on lost connections: its page in a real browser, on the quickstart's site."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import pytest

from tests.howto.project import BLOCKS
from tests.quickstart import DEADLINE, make_project, running_chat

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

CLOSE_ALL = """
from django_aws_api_gateway_websockets.models import WebSocketSession
WebSocketSession.objects.all().close()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The quickstart's site with the files of the how-to: its project, and its URL."""
    project = make_project(tmp_path_factory.mktemp("site"))
    for block in BLOCKS["reconnect"]:
        (project.directory / block.caption).write_text(block.code, encoding="utf-8")
    with running_chat(project) as url:
        yield project, url


@pytest.fixture
def page(site, browser):
    """The page, with its connection open."""
    page = browser.new_page()
    page.clock.install()
    page.goto(site[1])
    expect_state(page, "open")
    yield page
    page.close()


def test_a_page_tells_that_it_is_away_and_loads_anew_when_it_is_back(site, page):
    expect_lines(page, "Welcome to the lobby.")
    say(page, "one")
    expect_lines(page, "Welcome to the lobby.", "one")
    lose(site, page)
    expect_state(page, "waiting until ")
    expect_state(page, "The site has closed the connection.")
    page.get_by_role("button", name="Try now").click()
    expect_state(page, "open")
    expect_lines(page, "Welcome to the lobby.")
    playwright.expect(page.get_by_role("button", name="Try now")).to_be_disabled()


def test_what_is_sent_meanwhile_waits(site, page):
    expect_lines(page, "Welcome to the lobby.")
    lose(site, page)
    expect_state(page, "waiting")
    say(page, "two")
    with page.expect_websocket():
        page.get_by_role("button", name="Try now").click()
    playwright.expect(page.get_by_text("two")).to_be_visible()


def test_what_has_waited_too_long_is_given_back(site, page):
    page.evaluate("() => { WebSocket = class { close() {} } }")  # the network stays away
    lose(site, page)
    expect_state(page, "waiting")
    say(page, "three")
    page.clock.run_for(31_000)
    playwright.expect(page.locator("#notice")).to_contain_text("Not sent: three (No connection")


def lose(site, page):
    """Close the page's connection. The page's clock stands still from then on."""
    page.clock.pause_at(datetime.now(timezone.utc) + timedelta(minutes=1))
    site[0].run(sys.executable, "manage.py", "shell", given=CLOSE_ALL)


def say(page, text):
    page.get_by_role("textbox").fill(text)
    page.get_by_role("button", name="Send").click()


def expect_state(page, text):
    playwright.expect(page.locator("#badge")).to_contain_text(text, timeout=DEADLINE * 1000)


def expect_lines(page, *lines):
    playwright.expect(page.locator("#log > li")).to_have_text(list(lines))
