"""The how-to on lost connections, in the quickstart's project and a real browser."""

from __future__ import annotations

import sys

import pytest

from tests.howto.project import BLOCKS
from tests.quickstart import DEADLINE, make_project, running_chat

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("websockets", minversion="16")

pytestmark = pytest.mark.browser

PAGE = """
{% load aws_websockets static %}<!doctype html><title>Chat</title>
<button id="badge"></button><pre id="log"></pre>
{% websocket channel="lobby" %}
<script type="module" src="{% static 'chat/chat.js' %}"></script>
"""

SEND, CLOSE = (
    "from django_aws_api_gateway_websockets.models import WebSocketSession\n"
    f"WebSocketSession.objects.all().{verb}\n"
    for verb in ('send_message({"text": "and more"})', "close()")
)


def test_a_page_loads_anew_what_it_may_have_missed(browser, tmp_path):
    project = make_project(tmp_path)
    for block in BLOCKS["reconnect"]:
        file = project.directory / block.caption
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.code, encoding="utf-8")
    template = project.directory / "chat/templates/chat/room.html"
    template.write_text(PAGE, encoding="utf-8")
    with running_chat(project) as url:
        page = browser.new_page()
        page.goto(url)
        log = page.locator("#log")
        playwright.expect(log).to_have_text("what\nwas\nsaid")
        project.run(sys.executable, "manage.py", "shell", given=SEND)
        playwright.expect(log).to_have_text("what\nwas\nsaid\nand more")
        with page.expect_websocket(timeout=DEADLINE * 1000):
            project.run(sys.executable, "manage.py", "shell", given=CLOSE)
        playwright.expect(log).to_have_text("what\nwas\nsaid")
        playwright.expect(page.locator("#badge")).to_have_text("open ")
        page.close()
