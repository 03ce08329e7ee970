"""Restarts of Django and of the gateway under an open page."""

from __future__ import annotations

import json

import pytest

from tests.browser.tabs import Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser


def test_while_django_is_down_a_call_fails_with_502_and_works_again_on_the_same_connection(
    tab: Tab, world: World
) -> None:
    tab.show("django").wait_for_state("open")
    connections = world.gateway.connections
    assert tab.call("echo", {"text": "before"})["reply"]["said"] == "before"
    world.stop_site()
    error = tab.call("echo", {"text": "meanwhile"})["error"]
    world.start_site()

    assert error == {
        "name": "CallError",
        "message": "Internal server error",
        "status": 502,
        "sent": True,
    }
    # There may be one more: a reply comes before the site's answer, and the site may end then.
    assert {fault["message"] for fault in tab.logged("fault")} == {"Internal server error"}
    assert tab.call("echo", {"text": "after"})["reply"]["said"] == "after"
    assert world.do("publish", channel="django", data={"still": "there"}) == 1
    assert tab.wait_for("message")[0]["json"] == {"still": "there"}
    assert world.gateway.connections == connections
    assert (tab.opens, tab.ends) == ([False], [])


def test_what_is_sent_while_the_gateway_restarts_leaves_once_and_in_order_when_it_is_back(
    tab: Tab, world: World
) -> None:
    tab.show("gateway").wait_for_state("open")
    sent = tab.frames_sent()
    world.stop_gateway()
    (end, *_) = tab.wait_for_ends()
    assert (end["code"], end["state"]) == (1001, "waiting")
    assert all(tab.send({"action": "note", "text": number}) for number in range(5))
    tab.do("() => { window.late = attempt('echo', { text: 'late' }) }")
    assert sent == []
    world.start_gateway()
    tab.wait_for("open", 2)

    assert tab.do("() => window.late")["reply"]["said"] == "late"
    world.do("close", channel="gateway")
    tab.wait_for("open", 3)
    assert [json.loads(text)["text"] for text in sent] == [0, 1, 2, 3, 4, "late"]
    assert world.do("notes")[-5:] == [0, 1, 2, 3, 4]
    assert tab.opens == [False, False, False]
    assert tab.logged("dropped") == []


def test_what_waits_too_long_is_dropped_and_the_page_is_told(tab: Tab, world: World) -> None:
    tab.show("gateway", queue=2, queueTimeout=0.2).wait_for_state("open")
    world.stop_gateway()
    tab.wait_for_ends()
    assert [tab.send({"text": number}) for number in range(3)] == [True, True, False]
    dropped = [(json.loads(e["frame"])["text"], e["reason"]) for e in tab.wait_for("dropped", 3)]
    world.start_gateway()
    tab.wait_for("open", 2)
    late = "No connection was open in time."
    assert dropped == [(2, "The queue is full."), (0, late), (1, late)]
