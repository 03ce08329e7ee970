"""The how-to on htmx, without a browser: test_howto_htmx.py in tests/browser has one."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.pages import ROOT


def fragment(text):
    return f'<ul id="log" hx-swap-oob="beforeend"><li>{text}</li></ul>'


def shown_to(window):
    return [text.strip() for text in window.received_texts]


def test_a_message_is_a_fragment_in_each_window_of_the_channel(project, connect, alice, bob):
    hers, his = (connect(user, channel="lobby") for user in (alice, bob))
    elsewhere = connect(bob, channel="garden")
    hers.send({"action": "say", "text": "hello"})
    assert shown_to(hers) == shown_to(his) == [fragment("alice: hello")]
    assert shown_to(elsewhere) == []


def test_what_a_user_has_written_is_escaped(project, connect, alice):
    hers = connect(alice, channel="lobby")
    hers.send({"action": "say", "text": "<script>alert(1)</script>"})
    assert shown_to(hers) == [fragment("alice: &lt;script&gt;alert(1)&lt;/script&gt;")]


def test_a_form_without_an_action_is_refused_and_the_page_hears_nothing(project, connect, alice):
    hers = connect(alice, channel="lobby")
    refused = hers.send({"text": "hello", "HEADERS": {"HX-Request": "true"}})
    assert (refused.status_code, shown_to(hers)) == (400, [])


def test_a_guest_gets_neither_the_page_nor_a_connection(project, gateway, outbox, client):
    assert client.get("/").url == f"{reverse('admin:login')}?next=/"
    assert WebSocketClient("/ws/").connect().status_code == 403


def test_the_page_connects_the_element_that_the_tag_leaves(project, gateway, client, alice):
    client.force_login(alice)
    html = client.get("/").content.decode()
    (element,) = re.findall(r'ws-connect="(\w+)"', html)
    (data,) = re.findall(rf'<script id="{element}" type="application/json">(.*?)</script>', html)
    data = json.loads(data)
    assert data["url"] == f"{gateway.socket_url}?channel=lobby"
    assert data["ticketUrl"] == reverse("ticket")


def test_the_configuration_for_a_policy_is_json(project):
    (content,) = re.findall("content='(.*?)'", project.block("htmx-csp").code)
    assert json.loads(content) == {"includeIndicatorStyles": False, "allowEval": False}


def test_the_extension_itself_does_not_come_back_from_1001():
    source = ROOT / "node_modules/htmx-ext-ws/ws.js"
    if not source.exists():
        pytest.skip("node_modules is missing: npm ci")
    (codes,) = re.findall(r"\[([\d, ]+)\]\.indexOf\(e\.code\)", source.read_text(encoding="utf-8"))
    assert "1006" in codes
    assert "1001" not in codes
