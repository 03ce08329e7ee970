"""Logins of a page whose client asks for tickets: they expire, end, and change in other tabs."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from tests.browser.tabs import Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from django_aws_api_gateway_websockets.local.limits import Limits

    folder = tmp_path_factory.mktemp("world")
    with World(folder, Limits(), {}, ticket_lifetime=2) as world:
        yield world


def test_a_ticket_that_has_expired_on_its_way_is_replaced_by_a_fresh_one(
    tab: Tab, world: World
) -> None:
    held: list[Any] = []
    tab.page.route("**/ticket", lambda route: held.append((route, route.fetch())), times=1)
    tab.show("expired")
    tab.until(lambda: held)
    tab.until(lambda: world.do("usable_tickets") == 0)
    ((route, answer),) = held
    route.fulfill(response=answer)
    tab.wait_for("open")
    assert [end["code"] for end in tab.ends] == [1006]
    assert len(tab.ticket_requests) == len(tab.sockets) == 2
    assert f"ws_token={answer.json()['ws_token']}" in tab.sockets[0].url
    assert tab.sockets[0].url != tab.sockets[1].url


def test_after_a_logout_in_another_tab_the_page_says_why_and_asks_for_nothing_more(
    new_tab: Callable[[], Tab], world: World
) -> None:
    tab, other = new_tab(), new_tab()
    tab.show("logout").wait_for_state("open")
    other.page.goto(f"{world.url}/logout")
    (closed,) = tab.wait_for("close")
    assert (closed["code"], closed["reason"]) == (1008, "Log in first")
    assert tab.do("() => [socket.state, socket.reason, socket.retryAt]") == [
        "closed",
        "Log in first",
        None,
    ]
    assert [end["code"] for end in tab.ends] == [1000, 1008]
    assert not tab.send({"action": "note", "text": "too late"})
    assert tab.logged("dropped")[0]["reason"] == "Log in first"
    # Nor when it would try again, nor with whatever makes it look.
    tab.do("() => { dispatchEvent(new Event('online')) }")
    tab.do("() => { document.dispatchEvent(new Event('visibilitychange')) }")
    tab.wait("(at) => Date.now() > at", closed["at"] + 2200)
    assert (len(tab.ticket_requests), len(tab.sockets), tab.state) == (2, 1, "closed")


def test_after_the_next_login_the_page_opens_again_when_asked_to(
    new_tab: Callable[[], Tab], world: World
) -> None:
    tab, other = new_tab(), new_tab()
    tab.show("again").wait_for_state("open")
    other.page.goto(f"{world.url}/logout")
    tab.wait_for("close")
    other.page.goto(f"{world.url}/login/alice")
    tab.do("() => socket.retry()")
    tab.wait_for("open", 2)
    assert tab.call("echo", {"text": "again"})["reply"]["by"] == "alice"


def test_after_a_new_login_in_another_tab_the_token_of_the_cookie_is_sent(
    new_tab: Callable[[], Tab], world: World
) -> None:
    tab, other = new_tab(), new_tab()
    tab.show("csrf").wait_for_state("open")
    first = csrf_cookie(tab)
    other.page.goto(f"{world.url}/login/alice")
    assert csrf_cookie(tab) != first
    assert world.do("close", channel="csrf") == 1
    tab.wait_for("open", 2)
    sent = [request.headers["x-csrftoken"] for request in tab.ticket_requests]
    assert sent == [first, csrf_cookie(tab)]
    assert [end["code"] for end in tab.ends] == [1000]


def csrf_cookie(tab: Tab) -> str:
    (value,) = [c["value"] for c in tab.page.context.cookies() if c["name"] == "csrftoken"]
    return str(value)
