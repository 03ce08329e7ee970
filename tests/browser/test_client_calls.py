"""Calls: what a page gets for a message to a handler."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.tabs import Tab
from tests.browser.world import World

pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(tab: Tab) -> Tab:
    return tab.show("calls").wait_for_state("open")


def failed(name: str, message: str, status: int, sent: bool = True) -> Any:
    return {"name": name, "message": message, "status": status, "sent": sent}


def test_a_call_returns_what_its_handler_returns(opened: Tab) -> None:
    called = opened.call("echo", {"text": "Grüße, ✓"})
    assert called == {"reply": {"said": "Grüße, ✓", "by": "alice"}, "error": None}
    assert opened.messages == []


def test_calls_at_the_same_time_get_each_its_own_reply(opened: Tab) -> None:
    script = "(texts) => Promise.all(texts.map((text) => attempt('echo', { text })))"
    replies = opened.do(script, ["one", "two", "three"])
    assert [called["reply"]["said"] for called in replies] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("action", "message", "status"),
    [
        ("refuse", "Only on Sundays", 403),
        ("fail", "Internal server error", 500),
        ("no_such_handler", "Unknown action", 400),
    ],
)
def test_a_call_fails_with_the_status_and_the_text_of_the_answer(
    opened: Tab, action: str, message: str, status: int
) -> None:
    assert opened.call(action)["error"] == failed("CallError", message, status)
    assert opened.call("echo", {"text": "still"})["reply"]["said"] == "still"
    assert opened.opens == [False]


def test_the_gateways_word_on_a_500_is_not_taken_for_one_on_the_next_call(
    tab: Tab, closing_server: Any
) -> None:
    tab.show("calls", url=closing_server.url).wait_for_state("open")
    connection = closing_server.connection(0)
    tab.do("() => { window.first = attempt('first') }")
    connection.send('{"ref": "1", "error": {"status": 500, "text": "Internal server error"}}')
    assert tab.do("() => window.first")["error"]["status"] == 500
    tab.do("() => { window.second = attempt('second') }")
    word = {"message": "Internal server error", "connectionId": "a=", "requestId": "of the first"}
    connection.send(json.dumps(word))
    assert tab.wait_for("fault")[0]["requestId"] == "of the first"
    connection.send('{"ref": "2", "reply": {"said": "second"}}')
    assert tab.do("() => window.second")["reply"] == {"said": "second"}


def test_what_is_over_32_kib_raises_a_range_error_and_is_not_sent(opened: Tab) -> None:
    sent = opened.frames_sent()
    # 16,384 characters of two bytes each are too much with the JSON around them.
    call = "() => attempt('echo', { text: 'é'.repeat(16384) })"
    error = opened.do(call)["error"]
    assert error["name"] == "RangeError"
    assert "may have 32768" in error["message"]
    send = "() => { try { socket.send('x'.repeat(32769)) } catch ({ name }) { return name } }"
    assert opened.do(send) == "RangeError"
    assert opened.do("() => socket.send('x'.repeat(32768))")
    opened.until(lambda: sent)
    assert [len(text) for text in sent] == [32768]


def test_a_reply_that_comes_too_late_is_nothing_more(opened: Tab, world: World) -> None:
    late = {"text": "late", "seconds": 0.5}
    assert opened.call("echo", late, timeout=0.1)["error"] == failed(
        "CallError", "No reply within 0.1 s.", 0
    )
    # Messages are handled one after the other, so the late reply comes before this one.
    assert opened.call("echo", {"text": "next"})["reply"]["said"] == "next"
    assert opened.messages == []


def test_a_call_of_a_closed_socket_was_not_sent(opened: Tab) -> None:
    opened.do("() => socket.close('Enough.')")
    assert opened.call("echo")["error"] == failed("CallError", "Enough.", 0, sent=False)
