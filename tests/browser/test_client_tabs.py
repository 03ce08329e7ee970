"""Tabs: several of one user, and those that nobody sees."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.browser.tabs import BackgroundTab, Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser


def test_each_of_five_tabs_gets_each_message_once_also_after_the_gateways_restart(
    new_tab: Callable[[], Tab], world: World
) -> None:
    tabs = [new_tab().show("five") for _ in range(5)]
    for tab in tabs:
        tab.wait_for_state("open")
    for number in range(10):
        assert world.do("publish", channel="five", data={"n": number}) == 5
    world.stop_gateway()
    for tab in tabs:
        tab.wait_for_ends()
    world.start_gateway()
    for tab in tabs:
        tab.wait_for("open", 2)
    for number in range(10, 20):
        assert world.do("publish", channel="five", data={"n": number}) == 5
    for tab in tabs:
        tab.wait_for("message", 20)
        assert tab.messages == [{"n": number} for number in range(20)]


def test_a_hidden_tab_hangs_up_after_its_time_and_comes_back_when_it_is_seen(
    background_tab: BackgroundTab, world: World
) -> None:
    tab = background_tab
    tab.show("hidden", hideTimeout=0.5).wait_for_state("open")
    tab.hide()
    tab.wait_for_state("paused")
    assert tab.do("() => [socket.reason, socket.retryAt]") == ["The page is hidden.", None]
    tab.until(lambda: world.do("connected", channel="hidden") == 0)
    assert tab.send({"action": "note", "text": "written while hidden"})
    tab.bring_to_front()
    tab.wait_for("open", 2)
    assert tab.ends == []
    tab.until(lambda: "written while hidden" in world.do("notes"))


def test_a_hidden_tab_stays_open_unless_it_is_told_otherwise(
    background_tab: BackgroundTab, world: World
) -> None:
    tab = background_tab
    tab.show("hidden").wait_for_state("open")
    tab.hide()
    at = tab.do("() => Date.now()")
    tab.wait("(at) => Date.now() > at", at + 1500)
    assert world.do("publish", channel="hidden", data={"to": "a hidden tab"}) == 1
    tab.wait_for("message")
    tab.bring_to_front()
    assert (tab.state, tab.opens, tab.ends) == ("open", [False], [])
