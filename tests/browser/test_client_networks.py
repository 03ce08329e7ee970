"""Networks that go away, and laptops that sleep, under an open page."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import Iterator

import pytest

from tests.browser.tabs import BackgroundTab, Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

#: Seconds in the place of the gateway's 10 minutes. The page knows of them only if it is told.
IDLE = 2


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from django_aws_api_gateway_websockets.local.limits import Limits

    limits = Limits(idle_timeout=IDLE, close_timeout=0.2)
    with World(tmp_path_factory.mktemp("world"), limits, {"overlap": 0.5}) as world:
        yield world


def test_a_cut_connection_comes_back(tab: Tab, world: World) -> None:
    tab.show("cut").wait_for_state("open")
    world.cable.cut()
    (end, *_) = tab.wait_for_ends()
    assert (end["code"], end["reason"]) == (1006, "The connection was lost or refused.")
    tab.wait_for("open", 2)
    assert tab.opens == [False, False]


# Chromium's emulation ends no open WebSocket: it holds its messages, in both directions, and
# hands them on afterwards. New connections and requests fail at once.
def test_after_a_short_time_offline_a_second_connection_is_made_and_takes_over(
    tab: Tab, world: World
) -> None:
    tab.show("offline").wait_for_state("open")
    tab.page.context.set_offline(True)
    assert world.do("publish", channel="offline", data={"n": 1}) == 1
    assert tab.messages == []
    tab.page.context.set_offline(False)
    tab.wait_for("open", 2)
    world.do("publish", channel="offline", data={"n": 2})
    tab.wait_for("message", 2)
    assert tab.messages == [{"n": 1}, {"n": 2}]
    assert [entry["state"] for entry in tab.logged("state")] == ["open"]


def test_a_page_whose_connection_is_cut_while_it_is_offline_comes_back_with_the_network(
    tab: Tab, world: World
) -> None:
    tab.show("offline").wait_for_state("open")
    tab.page.context.set_offline(True)
    world.cable.cut()
    first, second, *_ = tab.wait_for_ends(2)
    assert (first["code"], second["code"]) == (1006, 1006)
    assert second["reason"] == "The site cannot be reached."
    tab.page.context.set_offline(False)
    tab.wait_for("open", 2)
    # The event "online" does not wait for the next attempt.
    back = tab.logged("open")[-1]
    assert back["at"] < tab.ends[-1]["retryAt"]


def test_a_network_that_falls_silent_is_noticed_by_the_ping_that_nobody_answers(
    tab: Tab, world: World
) -> None:
    tab.show("pongs", limits={"idle": IDLE}).wait_for_state("open")
    # Before a first pong the page cannot know that pings are answered.
    tab.sockets[0].wait_for_event("framereceived", lambda text: "pong" in text)
    world.cable.silence()
    tab.wait_for("open", 2)
    assert lost_in_between(tab)
    world.do("publish", channel="pongs", data={"n": 1})
    assert tab.wait_for("message")[0]["json"] == {"n": 1}


# Chromium ends the WebSocket of a page that it freezes: when the page goes on, it sees a 1006.
def test_a_page_that_was_frozen_until_the_gateway_closed_its_connection_comes_back_by_itself(
    background_tab: BackgroundTab, world: World
) -> None:
    tab = background_tab
    tab.show("frozen").wait_for_state("open")
    tab.hide()
    tab.freeze()
    tab.until(lambda: not world.gateway.connections)
    tab.resume()
    tab.wait_for("open", 2)
    assert [end["code"] for end in tab.ends] == [1006]
    assert tab.call("echo", {"text": "awake"})["reply"]["said"] == "awake"


def test_a_laptop_that_wakes_up_in_another_network_comes_back_by_itself(
    tab: Tab, world: World
) -> None:
    # A fifth of the idle time without a tick is taken for sleep.
    tab.show("laptop", limits={"idle": 7}).wait_for_state("open")
    with suspended(tab):
        world.cable.silence()
        tab.until(lambda: not world.gateway.connections)
    tab.wait_for("open", 2)
    assert lost_in_between(tab)
    assert tab.call("echo", {"text": "awake"})["reply"]["said"] == "awake"


def lost_in_between(tab: Tab) -> bool:
    """True if the page was told so, without that it was ever anything but open."""
    assert [entry["state"] for entry in tab.logged("state")] == ["open"]
    return not any(tab.opens)


@contextmanager
def suspended(tab: Tab) -> Iterator[None]:
    """Stop the processes that run pages, as an operating system does when a laptop is closed."""
    browser = tab.page.context.browser.new_browser_cdp_session()
    processes = browser.send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    try:
        for process in pages:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in pages:
            os.kill(process, signal.SIGCONT)
