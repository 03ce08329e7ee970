from __future__ import annotations

from tests.howto.window import data_of

LINE = '<ul id="log" hx-swap-oob="beforeend"><li>alice: &lt;b&gt;hello&lt;/b&gt;</li></ul>'


def test_a_form_is_answered_with_a_fragment_that_escapes_what_a_user_wrote(
    project, connect, alice, bob, client
):
    windows = [connect(bob, channel="lobby", ticket=ticket_of(client, bob)) for _ in range(2)]
    form = {"action": "chat", "text": "<b>hello</b>", "HEADERS": {"HX-Request": "true"}}
    connect(channel="lobby", ticket=ticket_of(client, alice)).send(form)
    received = [[text.strip() for text in window.received_texts] for window in windows]
    assert received == [[LINE], [LINE]]


def test_the_page_of_a_user_has_what_the_client_needs(project, connect, client, alice):
    gateway = connect(ticket=ticket_of(client, alice)).gateway
    data = data_of(client.get("/").content.decode())
    assert data["url"] == f"{gateway.socket_url}?channel=lobby"
    assert data["ticketUrl"] == "/ticket/"


def ticket_of(client, user):
    client.force_login(user)
    return client.post("/ticket/").json()["ws_token"]
