"""The how-to on htmx: its page with the real libraries, in two windows of a real browser."""

from __future__ import annotations

import re

import pytest

from tests.howto.project import BLOCKS, TEXTS

pytest.importorskip("websockets", minversion="16")

from tests.browser.howto_site import expect_message, running_howto, say, wait_for_sockets

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

ADD = """(html) => {
  const main = document.querySelector("main");
  main.insertAdjacentHTML("beforeend", html);
  htmx.process(main.lastElementChild);
}"""
LISTEN = """() => {
  window.told = [];
  addEventListener("htmx:wsOpen", ({ type }) => told.push(type));
  addEventListener("htmx:wsClose", ({ detail }) => told.push(detail.event.reason));
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_howto("htmx", tmp_path_factory.mktemp("htmx")) as site:
        yield site


def test_a_fragment_appears_in_two_windows(site, alice, bob):
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
        say(bob, "I have waited")
    expect_message(bob, "bob: I have waited")
    wait_for_sockets(alice, 2)
    say(bob, "welcome back")
    expect_message(alice, "bob: welcome back")


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


def test_a_form_is_emptied_when_it_is_sent_and_what_is_written_later_stays(site, alice):
    alice.goto(site.url)
    wait_for_sockets(alice, 1)
    text = alice.get_by_role("textbox")
    with site.stopped_gateway():
        alice.wait_for_function("codes[0] === 1001")
        say(alice, "I wait")
        playwright.expect(text).to_have_value("")
        text.fill("not yet")
    expect_message(alice, "alice: I wait")
    playwright.expect(text).to_have_value("not yet")


def test_a_button_without_a_form_says_its_action_by_hx_vals(site, alice):
    errors = []

    def note(error):
        errors.append(error)

    alice.on("pageerror", note)
    (attribute,) = re.findall("``(hx-vals='.*?')``", TEXTS["htmx"])
    alice.goto(site.url)
    wait_for_sockets(alice, 1)
    alice.evaluate(ADD, f"<button ws-send {attribute}>Press</button>")
    alice.get_by_role("button", name="Press").click()
    expect_message(alice, "alice:")
    assert errors == []


def test_the_last_end_alone_is_told_with_its_reason(site, alice):
    alice.goto(site.url)
    wait_for_sockets(alice, 1)
    alice.evaluate(LISTEN)
    with site.stopped_gateway():
        alice.wait_for_function("codes[0] === 1001")
    alice.wait_for_function("told.length === 1")
    other = alice.context.new_page()
    other.goto(f"{site.url}admin/")
    other.get_by_role("button", name="Log out").click()
    alice.wait_for_function("told.length === 2")
    assert alice.evaluate("told") == ["htmx:wsOpen", "Log in first"]


def test_the_page_keeps_a_strict_policy_with_the_configuration_that_is_shown(site, alice):
    (configuration,) = [block.code for block in BLOCKS["htmx"] if block.name == "htmx-csp"]
    complaints = site.enforce_policy(alice, configuration)
    alice.goto(site.url)
    say(alice, "by the rules")
    expect_message(alice, "alice: by the rules")
    assert complaints == []
