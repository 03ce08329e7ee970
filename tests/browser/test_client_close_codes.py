"""Close codes as a real browser sees them: what the client says of each, and how long it waits."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from tests.browser.tabs import Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

#: Seconds: a connection is stable after a quarter of the lifetime.
LIFETIME = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from django_aws_api_gateway_websockets.local.limits import Limits

    folder = tmp_path_factory.mktemp("world")
    with World(folder, Limits(), {"lifetime": LIFETIME}) as world:
        yield world


def waits_of(tab: Tab) -> list[float]:
    """The seconds that the client has waited after each end."""
    return [(end["retryAt"] - end["at"]) / 1000 for end in tab.ends]


def wait_until_stable(tab: Tab) -> None:
    (opened,) = tab.wait_for("open")
    tab.wait("(at) => Date.now() > at", opened["at"] + LIFETIME * 250 + 100)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, "The site has closed the connection."),
        (1001, "The gateway's limit is reached, or it stops."),
        (1005, "The connection ended without a code."),
        (1006, "The connection was lost or refused."),
        (1009, "A frame was too large."),
        (1011, "The gateway has failed."),
        (1012, "The gateway restarts."),
        (4000, "The connection ended with the code 4000."),
    ],
)
def test_after_a_young_connection_the_page_is_back_within_a_second(
    tab: Tab, closing_server: Any, code: int, reason: str
) -> None:
    tab.show("codes", url=closing_server.url).wait_for_state("open")
    tab.send({"code": code})
    (end,) = tab.wait_for_ends()
    assert (end["state"], end["code"], end["reason"]) == ("waiting", code, reason)
    assert 0.4 < waits_of(tab)[0] <= 1
    tab.wait_for("open", 2)
    assert tab.opens == [False, False]
    assert tab.do("() => [socket.state, socket.reason, socket.retryAt]") == ["open", "", None]
    assert len(tab.ticket_requests) == 2


def test_after_an_end_of_many_pages_at_once_a_stable_one_waits_a_random_part_of_a_second(
    new_tab: Callable[[], Tab], closing_server: Any
) -> None:
    codes = [1001, 1001, 1012, 1012]
    tabs = [new_tab().show("codes", url=closing_server.url) for _ in codes]
    for tab, code in zip(tabs, codes):
        wait_until_stable(tab)
        tab.send({"code": code})
    waits = [waits_of(tab)[0] for tab in tabs if tab.wait_for_ends()]
    assert max(waits) <= 1
    assert len(set(waits)) == len(waits)
    for tab in tabs:
        tab.wait_for("open", 2)
    assert [tab.ends[0]["code"] for tab in tabs] == codes


def test_after_1008_the_page_waits_long_and_comes_back_when_asked_to(
    tab: Tab, closing_server: Any
) -> None:
    tab.show("codes", url=closing_server.url).wait_for_state("open")
    tab.send({"code": 1008})
    (end,) = tab.wait_for_ends()
    assert (end["code"], end["reason"]) == (1008, "The gateway refuses this client for now.")
    assert 14.9 < waits_of(tab)[0] <= 30
    tab.do("() => socket.retry()")
    tab.wait_for("open", 2)


def test_a_refused_handshake_is_tried_again_with_a_new_ticket(
    tab: Tab, closing_server: Any
) -> None:
    closing_server.refusal = 403
    tab.show("codes", url=closing_server.url)
    ends = tab.wait_for_ends(2)
    closing_server.refusal = None
    tab.wait_for_state("open")
    assert {(end["code"], end["reason"]) for end in ends} == {
        (1006, "The connection was lost or refused.")
    }
    assert len(tab.ticket_requests) == len(tab.sockets) == len(tab.ends) + 1
    urls = {socket.url for socket in tab.sockets}
    assert len(urls) == len(tab.sockets)


@pytest.mark.parametrize("kind", ["refusal", "at_once"])
def test_whoever_lets_nobody_stay_is_asked_less_and_less(
    tab: Tab, closing_server: Any, kind: str
) -> None:
    setattr(closing_server, kind, {"refusal": 503, "at_once": 1001}[kind])
    tab.show("codes", url=closing_server.url)
    tab.wait_for_ends(3)
    first, second, third = waits_of(tab)[:3]
    assert 0.4 < first <= 1 < second + 0.1 <= 2.1
    assert 1.9 < third <= 4
