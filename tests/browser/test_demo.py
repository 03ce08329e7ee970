"""The demo as two people see it, each in a window of a real browser."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from tests.example.demo import Demo

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")
expect = playwright.expect

pytestmark = pytest.mark.browser

#: Milliseconds that the page has for whatever is expected of it.
expect.set_options(timeout=15_000)

Open = Callable[[str], Any]


@pytest.fixture
def window(browser: Any) -> Iterator[Open]:
    """A function that opens a page in a window of its own: no cookie is shared."""
    contexts = []

    def open_page(url: str) -> Any:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def log_in(page: Any, name: str) -> Any:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("local-demo")
    page.get_by_role("button", name="Log in").click()
    return opened(page)


def join(page: Any, name: str) -> Any:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join as a guest").click()
    return opened(page)


def enter_room(page: Any, room: str) -> Any:
    page.get_by_role("link", name=room).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(room)
    return opened(page)


def opened(page: Any) -> Any:
    expect(page.locator("#badge")).to_have_text("open")
    return page


def say(page: Any, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def people(page: Any) -> Any:
    return page.get_by_role("list", name="Who is here").get_by_role("listitem")


def messages(page: Any) -> Any:
    return page.get_by_role("log").get_by_role("listitem")


def traffic(page: Any, *parts: str) -> Any:
    """The entries of the side panel that hold all of these texts."""
    entries = page.get_by_role("list", name="Frames, the latest first").get_by_role("listitem")
    for part in parts:
        entries = entries.filter(has_text=part)
    return entries


def test_a_user_and_a_guest_chat_and_see_who_is_here(demo: Demo, window: Open) -> None:
    alice = log_in(window(demo.url), "alice")
    expect(people(alice)).to_have_text(["alice"])
    carol = join(window(demo.url), "Carol")
    expect(people(alice)).to_have_text(["Carol (guest)", "alice"])
    expect(people(carol)).to_have_text(["Carol (guest)", "alice"])
    say(alice, "Good morning, <i>Carol</i>")
    expect(messages(carol)).to_contain_text(["alice"])
    expect(messages(carol).last).to_contain_text("Good morning, <i>Carol</i>")
    say(carol, "Good morning, alice")
    expect(messages(alice).last).to_contain_text("Good morning, alice")
    enter_room(carol, "Garden")
    expect(people(alice)).to_have_text(["alice"])
    expect(messages(carol)).to_have_count(0)


def test_the_panel_states_the_route_the_handler_and_the_frame(demo: Demo, window: Open) -> None:
    carol = join(window(demo.url), "Carol")
    expect(traffic(carol, "sent handshake")).to_have_count(1)
    say(carol, "What became of it?")
    replied = traffic(carol, "sent say", "$default → say(), which has replied", '"action":"say"')
    expect(replied).to_have_count(1)
    came_back = traffic(carol, "received message", "from say()", "$default", '"type": "message"')
    expect(came_back).to_have_count(1)
    expect(came_back).to_contain_text("bytes")


def test_a_users_socket_opens_with_a_ticket_and_a_guests_without(demo: Demo, window: Open) -> None:
    alice, carol = window(demo.url), window(demo.url)
    with alice.expect_websocket() as of_alice:
        log_in(alice, "alice")
    with carol.expect_websocket() as of_carol:
        join(carol, "Carol")
    assert "ws_token=" in of_alice.value.url
    assert "ws_token=" not in of_carol.value.url


def test_who_logs_out_in_one_tab_is_out_in_all(demo: Demo, window: Open) -> None:
    carol = join(window(demo.url), "Carol")
    one = log_in(window(demo.url), "bob")
    other = one.context.new_page()
    other.goto(demo.url)
    opened(other).get_by_role("button", name="Leave").click()
    expect(traffic(one, "closed 1000")).to_have_count(1)
    expect(one.get_by_role("alert")).to_contain_text("Log in first")
    expect(people(carol)).to_have_text(["Carol (guest)"])


def test_disconnect_me_closes_the_socket_and_the_page_comes_back(demo: Demo, window: Open) -> None:
    bob = log_in(window(demo.url), "bob")
    bob.get_by_role("button", name="Disconnect me").click()
    expect(traffic(bob, "sent hang_up")).to_have_count(1)
    expect(traffic(bob, "closed 1000")).to_have_count(1)
    expect(traffic(bob, "sent handshake")).to_have_count(2)
    opened(bob)
    say(bob, "I am back")
    expect(messages(bob).last).to_contain_text("I am back")


def test_a_killed_window_is_gone_after_the_next_message(demo: Demo, window: Open) -> None:
    alice = enter_room(log_in(window(demo.url), "alice"), "Tea kitchen")
    carol = enter_room(join(window(demo.url), "Carol"), "Tea kitchen")
    expect(people(alice)).to_have_text(["Carol (guest)", "alice"])
    with carol.expect_event("crash"), pytest.raises(playwright.Error):
        carol.goto("chrome://crash")
    say(alice, "Are you still there?")
    expect(people(alice)).to_have_text(["alice"])


def test_the_page_tells_when_django_and_when_all_of_it_has_ended(
    own_demo: Demo, window: Open
) -> None:
    carol = join(window(own_demo.url), "Carol")
    own_demo.reload_with("This is no Python.")
    own_demo.wait_for("SyntaxError")
    say(carol, "Is anybody there?")
    expect(carol.get_by_role("alert")).to_contain_text("Internal server error")
    opened(carol)
    own_demo.press_ctrl_c()
    expect(traffic(carol, "closed 1001")).to_have_count(1)
    expect(carol.locator("#badge")).to_contain_text("waiting")
    assert own_demo.wait() == 0
