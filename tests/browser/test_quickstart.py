"""The quickstart's page as two people see it, each in a window of a real browser."""

from __future__ import annotations

import sys

import pytest

from tests.quickstart import DEADLINE, make_project, running_chat

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

CLOSE_ALL = """
from django_aws_api_gateway_websockets.models import WebSocketSession
WebSocketSession.objects.all().close()
"""


def test_two_windows_chat_and_come_back_after_a_lost_connection(browser, tmp_path):
    project = make_project(tmp_path)
    with running_chat(project) as url:
        windows = [browser.new_context() for _ in range(2)]
        one, other = pages = [window.new_page() for window in windows]
        for page in pages:
            page.goto(url)
        say(other, "I am here", other)
        say(one, "hello", other)
        options = {"timeout": DEADLINE * 1000}
        with one.expect_websocket(**options), other.expect_websocket(**options):
            project.run(sys.executable, "manage.py", "shell", given=CLOSE_ALL)
        say(one, "I am back", one)
        say(other, "welcome", one)
        for window in windows:
            window.close()


def say(speaker, text, listener):
    speaker.get_by_role("textbox").fill(text)
    speaker.get_by_role("button", name="Send").click()
    playwright.expect(listener.get_by_text(f"guest: {text}")).to_be_visible()
