"""The how-to on Turbo: its page with the real library, in two windows of a real browser."""

from __future__ import annotations

import re

import pytest

from tests.howto.project import TEXTS

pytest.importorskip("websockets", minversion="16")

from tests.browser.howto_site import expect_message, running_howto, say, wait_for_sockets

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

TURBO = "/static/chat/turbo.es2017-esm.js"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_howto("turbo", tmp_path_factory.mktemp("turbo")) as site:
        yield site


def test_a_stream_appears_in_two_windows(site, alice, bob):
    for page in (alice, bob):
        page.goto(site.url)
        wait_for_sockets(page, 1)
    say(alice, "<b>hello</b>")
    for page in (alice, bob):
        expect_message(page, "alice: <b>hello</b>")
    playwright.expect(alice.get_by_role("textbox")).to_have_value("")


def test_the_page_comes_back_after_1001_and_shows_a_later_push(site, alice, bob):
    for page in (alice, bob):
        page.goto(site.url)
        wait_for_sockets(page, 1)
    with site.stopped_gateway():
        for page in (alice, bob):
            page.wait_for_function("codes[0] === 1001")
    for page in (alice, bob):
        wait_for_sockets(page, 2)
    say(bob, "welcome back")
    for page in (alice, bob):
        expect_message(page, "bob: welcome back")


def test_the_page_comes_back_after_an_idle_limit_that_it_does_not_know(site, alice):
    with site.limited_gateway(idle_timeout=4):
        alice.goto(site.url)
        wait_for_sockets(alice, 1)
        say(alice, "before")
        expect_message(alice, "alice: before")
        wait_for_sockets(alice, 2)
        assert alice.evaluate("codes") == [1001]
        say(alice, "after")
        expect_message(alice, "alice: after")


def test_the_page_comes_back_when_its_ticket_had_expired(site, alice):
    alice.route("**/ws-token/", site.expire_ticket, times=1)
    alice.goto(site.url)
    wait_for_sockets(alice, 1)
    assert alice.evaluate("codes") == [1006]
    say(alice, "here I am")
    expect_message(alice, "alice: here I am")


def test_one_socket_lasts_for_all_visits(site, alice):
    asked = []
    alice.on("request", lambda request: asked.append(request.url))
    alice.goto(site.url)
    wait_for_sockets(alice, 1)
    say(alice, "before")
    expect_message(alice, "alice: before")
    alice.evaluate("Turbo.visit(location.href + '?page=2')")
    alice.wait_for_function("location.search && !document.querySelector('#log > li')")
    say(alice, "after")
    expect_message(alice, "alice: after")
    assert asked.count(f"{site.url}ws-token/") == 1


def test_a_page_without_the_script_is_loaded_anew_and_so_is_the_one_after_it(site, alice):
    page = (
        f'<!doctype html><head><title>Other</title><script type="module" src="{TURBO}"></script>'
    )
    alice.route("**/other/", lambda route: route.fulfill(body=page, content_type="text/html"))
    alice.goto(site.url)
    for url, title in (("/other/", "Other"), ("/", "Chat")):
        alice.wait_for_function("window.Turbo")
        alice.evaluate("(url) => { window.isOld = true; Turbo.visit(url) }", url)
        alice.wait_for_function("(title) => document.title === title", arg=title)
        assert not alice.evaluate("window.isOld")
    wait_for_sockets(alice, 1)
    say(alice, "here I am")
    expect_message(alice, "alice: here I am")


def test_a_form_that_fails_keeps_what_was_written(site, alice):
    alice.goto(site.url)
    alice.route("**/say/", lambda route: route.fulfill(status=500, body=""))
    with alice.expect_response("**/say/"):
        say(alice, "precious")
    alice.wait_for_function("!document.querySelector('form').hasAttribute('aria-busy')")
    playwright.expect(alice.get_by_role("textbox")).to_have_value("precious")


def test_the_page_keeps_a_strict_policy_with_the_element_that_is_shown(site, alice):
    (element,) = re.findall(r'``(<meta name="csp-nonce".*?>)``', TEXTS["turbo"])
    complaints = site.enforce_policy(alice, element)
    held = []

    def hold(route):
        held.append(route)

    alice.route("**/say/", hold)
    alice.goto(site.url)
    say(alice, "by the rules")
    playwright.expect(alice.locator(".turbo-progress-bar")).to_be_attached()
    held[0].continue_()
    expect_message(alice, "alice: by the rules")
    assert complaints == []
