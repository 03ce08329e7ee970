from __future__ import annotations

import re

from tests.howto.test_htmx import ticket_of
from tests.howto.window import data_of


def test_a_message_is_answered_with_a_stream_that_escapes_what_a_user_wrote(
    project, connect, alice, bob, client
):
    window = connect(channel="lobby", ticket=ticket_of(client, bob))
    message = {"action": "chat", "text": "<b>hello</b>"}
    connect(channel="lobby", ticket=ticket_of(client, alice)).send(message)
    (stream,) = window.received_texts
    assert stream.startswith('<turbo-stream action="append" target="log">')
    assert re.findall("<li>.*</li>", stream) == ["<li>alice: &lt;b&gt;hello&lt;/b&gt;</li>"]


def test_the_page_of_a_user_has_what_the_client_needs(project, client, alice):
    client.force_login(alice)
    html = client.get("/").content.decode()
    assert data_of(html)["ticketUrl"] == "/ticket/"
    assert 'src="/static/chat/turbo.es2017-esm.js"' in html
