"""The quickstart's page as two people see it, each in a window of a real browser."""

from __future__ import annotations

import pytest

from tests.quickstart import DEADLINE, make_project, running_chat

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser


def test_two_windows_chat_and_come_back_after_a_lost_connection(browser, tmp_path):
    with running_chat(make_project(tmp_path)) as url:
        windows = [browser.new_context() for _ in range(2)]
        one, other = pages = [window.new_page() for window in windows]
        for page in pages:
            with page.expect_event("websocket"):
                page.goto(url)
        say(one, other, "hello")
        with one.expect_event("websocket", timeout=DEADLINE * 1000):
            one.evaluate("socket.close()")
        say(other, one, "welcome back")
        for window in windows:
            window.close()


def say(speaker, listener, text):
    speaker.locator("#text").fill(text)
    # A page does not tell when its socket is open, so it is asked.
    speaker.wait_for_function("socket.readyState === WebSocket.OPEN")
    listener.wait_for_function("socket.readyState === WebSocket.OPEN")
    speaker.get_by_role("button", name="Send").click()
    playwright.expect(listener.get_by_text(f"guest: {text}")).to_be_visible()
