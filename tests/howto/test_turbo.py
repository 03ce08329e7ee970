"""The how-to on Turbo, without a browser: test_howto_turbo.py in tests/browser has one."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from django_aws_api_gateway_websockets.testing import WebSocketClient


@pytest.fixture
def say(project, client, alice):
    client.force_login(alice)
    return lambda text: client.post(reverse("say"), {"text": text})


def test_a_form_is_answered_by_a_stream_in_each_window(project, connect, say, alice, bob):
    hers, his = (connect(user, channel="lobby") for user in (alice, bob))
    elsewhere = connect(bob, channel="garden")
    assert say("hello").status_code == 204
    assert hers.received_texts == his.received_texts
    (stream,) = hers.received_texts
    assert stream.startswith('<turbo-stream action="append" target="log">')
    assert "<template><li>alice: hello</li></template>" in stream
    assert elsewhere.received_texts == []


def test_what_a_user_has_written_is_escaped(project, connect, say, alice):
    hers = connect(alice, channel="lobby")
    say("<script>alert(1)</script>")
    assert "alice: &lt;script&gt;alert(1)&lt;/script&gt;" in hers.received_texts[0]


def test_a_guest_gets_neither_the_page_nor_a_connection_and_says_nothing(
    project, connect, client, alice
):
    hers = connect(alice, channel="lobby")
    assert client.get("/").url == f"{reverse('admin:login')}?next=/"
    assert client.post(reverse("say"), {"text": "hello"}).status_code == 302
    assert WebSocketClient("/ws/").connect().status_code == 403
    assert hers.received_texts == []


def test_the_script_is_in_the_head_and_what_it_reads_is_in_the_body(
    project, gateway, client, alice
):
    client.force_login(alice)
    head, body = client.get("/").content.decode().split("</head>")
    assert "connectStreamSource(connect())" in head
    (data,) = re.findall(r'<script id="websocket" type="application/json">(.*?)</script>', body)
    assert json.loads(data)["url"] == f"{gateway.socket_url}?channel=lobby"
    assert json.loads(data)["ticketUrl"] == reverse("ticket")
