"""The how-to on lost connections, in the quickstart's page and a real browser."""

from __future__ import annotations

import re

import pytest

from tests.howto.project import BLOCKS
from tests.quickstart import DEADLINE, make_project, running_chat

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

TEMPLATE = "chat/templates/chat/room.html"
OWN_WAY = re.compile(r"function connect\(\) \{.*?\n  \}\n", re.DOTALL)


def test_a_page_comes_back_with_each_lost_connection(browser, tmp_path):
    project = make_project(tmp_path)
    page = (project.directory / TEMPLATE).read_text(encoding="utf-8")
    (script,) = [b.code for b in BLOCKS["reconnect"] if b.caption.endswith("connection.js")]
    keep = """
        const open = () => { socket = new WebSocket(url); return socket };
        const connect = () => keepConnected(open, (m) => show(`${m.from}: ${m.text}`));
    """
    page, count = OWN_WAY.subn(lambda _: script + keep, page)
    assert count == 1
    (project.directory / TEMPLATE).write_text(page, encoding="utf-8")
    with running_chat(project) as url:
        window = browser.new_page()
        with window.expect_event("websocket"):
            window.goto(url)
        for text in ("one", "two"):
            window.wait_for_function("socket.readyState === WebSocket.OPEN")
            with window.expect_event("websocket", timeout=DEADLINE * 1000):
                window.evaluate("socket.close()")
            window.wait_for_function("socket.readyState === WebSocket.OPEN")
            window.locator("#text").fill(text)
            window.get_by_role("button", name="Send").click()
            playwright.expect(window.get_by_text(f"guest: {text}")).to_be_visible()
        window.close()
