"""The how-tos on htmx and Turbo: their pages, the real libraries, and a real browser."""

from __future__ import annotations

import pytest

from tests.browser.fragments import Site, expire_next_ticket, say

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")
expect = playwright.expect

pytestmark = pytest.mark.browser

LIBRARIES = {
    "htmx": ["htmx.org/dist/htmx.min.js", "htmx-ext-ws/ws.js"],
    "turbo": ["@hotwired/turbo/dist/turbo.es2017-esm.js"],
}


@pytest.fixture(params=LIBRARIES)
def site(request, tmp_path):
    with Site(request.param, LIBRARIES[request.param], tmp_path).running() as site:
        yield site


def lines(page):
    return page.locator("#log li")


def test_a_page_shows_fragments_and_comes_back_after_1001_and_after_an_expired_ticket(
    browser, site
):
    alice, bob = site.open(browser, "alice"), site.open(browser, "bob")
    say(bob, "I am here")
    expect(lines(bob)).to_have_text(["bob: I am here"])
    say(alice, "<i>hello</i>")
    expect(lines(bob)).to_have_text(["bob: I am here", "alice: <i>hello</i>"])

    expire_next_ticket(site, bob)
    with alice.expect_websocket(), bob.expect_websocket():
        site.restart_gateway()
    say(alice, "Are you back?")
    expect(lines(alice).last).to_have_text("alice: Are you back?")
    say(bob, "I am")
    expect(lines(alice).last).to_have_text("bob: I am")
    expect(lines(bob).last).to_have_text("bob: I am")
    assert site.tickets_expired == 1
