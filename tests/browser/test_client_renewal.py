"""Renewal: before the gateway's lifetime is over another connection takes over, unnoticed."""

from __future__ import annotations

from typing import Any, Iterator

import pytest

from tests.browser.tabs import Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

#: Seconds. The page is told less, because 4 % of so little are less than a busy machine may take.
#: In the overlap everything must have arrived that was sent before the newer connection was known.
LIFETIME, TOLD, OVERLAP = 3.5, 2.2, 1.0

#: Limits that a test does not reach.
CALM = {"idle": 600, "lifetime": 7200, "overlap": 10}

#: How often a connection is replaced, at least, and the seconds in which that happens.
RENEWALS, DURATION = 12, 33


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from django_aws_api_gateway_websockets.local.limits import Limits

    limits = Limits(idle_timeout=2, lifetime=LIFETIME)
    told = {"idle": 2, "lifetime": TOLD, "overlap": OVERLAP}
    with World(tmp_path_factory.mktemp("world"), limits, told) as world:
        yield world


def renew(tab: Tab) -> None:
    """Let the page make a second connection."""
    tab.do("() => { dispatchEvent(new Event('online')) }")


def begin_renewal(tab: Tab, server: Any) -> None:
    """Show a page whose second connection waits at the server's gate."""
    tab.show("twins", url=server.url, limits=CALM).wait_for_state("open")
    server.gate.clear()
    renew(tab)
    tab.until(lambda: server.handshakes == 2)


def test_over_twelve_renewals_each_message_comes_once_and_in_order_and_no_gap_is_seen(
    tab: Tab, world: World
) -> None:
    tab.show("numbers").wait_for_state("open")
    world.do("start_publishing", channel="numbers", interval=0.02)
    start = tab.logged("open")[0]["at"]
    end = start + DURATION * 1000
    tab.page.wait_for_function("(end) => Date.now() > end", arg=end, polling=50, timeout=60_000)
    sent = world.do("stop_publishing")
    tab.wait("(sent) => log.some(({ json }) => json?.n === sent)", sent)

    assert sent > DURATION * 10
    assert [message["n"] for message in tab.messages] == list(range(1, sent + 1))
    # "open", and never anything else.
    assert [entry["state"] for entry in tab.logged("state")] == ["open"]
    assert len(tab.opens) > RENEWALS
    assert tab.opens == [False] + [True] * (len(tab.opens) - 1)
    assert tab.logged("fault") == tab.logged("dropped") == []
    tab.wait_for_state("open")


def test_a_message_that_comes_before_the_newer_connection_is_open_is_not_taken_for_another(
    tab: Tab, closing_server: Any
) -> None:
    server = closing_server
    begin_renewal(tab, server)
    server.connection(0).send('{"n": 1}')
    tab.wait_for("message")
    server.gate.set()
    tab.wait_for("open", 2)
    for text in ('{"n": 1}', '{"n": 2}'):
        server.connection(1).send(text)
    tab.wait("() => log.some(({ json }) => json?.n === 2)")
    assert tab.messages == [{"n": 1}, {"n": 2}]


def test_a_text_that_comes_again_after_a_failed_renewal_is_another_message(
    tab: Tab, closing_server: Any
) -> None:
    server = closing_server
    begin_renewal(tab, server)
    server.connection(0).send("tick")
    tab.wait_for("message")
    server.refusal = 503
    server.gate.set()
    (end,) = tab.wait_for_ends()
    assert (end["state"], end["code"]) == ("open", 1006)
    server.connection(0).send("tick")
    assert [frame["data"] for frame in tab.wait_for("message", 2)] == ["tick", "tick"]


def test_a_replaced_connection_stays_until_its_last_reply_has_come(tab: Tab, world: World) -> None:
    tab.show("late", limits={"lifetime": 1, "overlap": 0.1}).wait_for_state("open")
    tab.do("() => { window.late = attempt('echo', { text: 'late', seconds: 1.4 }) }")
    tab.wait_for("open", 2)
    assert tab.do("() => Promise.race([window.late, 'pending'])") == "pending"
    assert tab.do("() => window.late")["reply"] == {"said": "late", "by": "alice"}
