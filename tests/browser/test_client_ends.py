"""Ends that the local gateway and the site bring about, and that the client outlives."""

from __future__ import annotations

from typing import Iterator

import pytest

from tests.browser.tabs import Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

#: Seconds, in the place of API Gateway's 10 minutes and 2 hours.
IDLE, LIFETIME = 1.5, 4

#: Seconds that are never over, so that the client does nothing to keep a limit.
NEVER = 3600


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from django_aws_api_gateway_websockets.local.limits import Limits

    limits = Limits(idle_timeout=IDLE, lifetime=LIFETIME)
    # The page does not know of the lifetime.
    with World(tmp_path_factory.mktemp("world"), limits, {"idle": IDLE}) as world:
        yield world


def test_the_page_needs_nothing_that_a_strict_policy_forbids(tab: Tab) -> None:
    tab.show("policy").wait_for_state("open")
    assert tab.call("echo", {"text": "hello"})["reply"] == {"said": "hello", "by": "alice"}
    assert tab.logged("violation") == []
    # And the policy is one.
    tab.do("""() => {
        const script = document.createElement("script");
        script.text = "socket.close()";
        document.body.append(script);
    }""")
    assert tab.state == "open"
    assert tab.wait_for("violation")[0]["violatedDirective"] == "script-src-elem"


def test_a_silent_page_pings_and_stays_open_beyond_the_idle_limit(tab: Tab) -> None:
    tab.show("pings").wait_for_state("open")
    (opened,) = tab.logged("open")
    tab.wait("(at) => Date.now() > at", opened["at"] + 1.5 * IDLE * 1000)
    # A slow machine may miss the pong, for which it waits 25 ms here, and replace the connection.
    assert (tab.state, tab.ends, tab.messages) == ("open", [], [])


def test_without_pings_the_idle_limit_ends_the_connection_and_the_page_comes_back(
    tab: Tab,
) -> None:
    tab.show("idle", limits={"idle": NEVER}).wait_for_state("open")
    (end,) = tab.wait_for_ends()
    assert (end["code"], end["state"]) == (1001, "waiting")
    assert end["at"] - tab.logged("open")[0]["at"] < LIFETIME * 900
    tab.wait_for("open", 2)
    assert tab.opens[:2] == [False, False]


def test_the_lifetime_ends_a_connection_that_is_not_renewed_and_the_page_comes_back(
    tab: Tab,
) -> None:
    tab.show("old").wait_for_state("open")
    (end,) = tab.wait_for_ends()
    assert (end["code"], end["state"]) == (1001, "waiting")
    assert end["retryAt"] - end["at"] <= 1000
    assert end["at"] - tab.logged("open")[0]["at"] > LIFETIME * 900
    tab.wait_for("open", 2)


def test_after_the_site_has_closed_the_connection_the_page_comes_back_with_a_new_ticket(
    tab: Tab, world: World
) -> None:
    tab.show("closed").wait_for_state("open")
    assert world.do("close", channel="closed") == 1
    (end,) = tab.wait_for_ends()
    assert (end["code"], end["reason"]) == (1000, "The site has closed the connection.")
    tab.wait_for("open", 2)
    assert len(tab.ticket_requests) == 2
    assert world.do("publish", channel="closed", data={"welcome": "back"}) == 1
    tab.wait_for("message")
    assert tab.messages == [{"welcome": "back"}]


def test_a_frame_that_is_too_large_for_the_gateway_ends_the_connection_with_1009(
    tab: Tab,
) -> None:
    tab.show("large", limits={"frame": 10**6}).wait_for_state("open")
    large = "([action]) => { window.large = attempt(action, { text: 'x'.repeat(33000) }) }"
    tab.do(large, ["echo"])
    error = tab.do("() => window.large")["error"]
    assert (error["status"], error["sent"]) == (0, True)
    assert error["message"] == "The connection was lost before the reply."
    (end,) = tab.wait_for_ends()
    assert (end["code"], end["reason"]) == (1009, "A frame was too large.")
    tab.wait_for("open", 2)


def test_a_page_that_closes_for_good_leaves_no_session_and_opens_again_when_asked_to(
    tab: Tab, world: World
) -> None:
    tab.show("bye").wait_for_state("open")
    tab.do("() => socket.close('Enough.')")
    assert [(end["code"], end["reason"]) for end in tab.logged("close")] == [(1000, "Enough.")]
    assert tab.state == "closed"
    tab.until(lambda: world.do("connected", channel="bye") == 0)
    tab.do("() => socket.retry()")
    tab.wait_for("open", 2)
    assert world.do("connected", channel="bye") == 1
