from __future__ import annotations

import pytest

FAKES = """
    const sockets = [], waits = [], received = [];
    let now = 0, next = null, online, isSiteUp = true;
    Date.now = () => now;
    Math.random = () => 0.5;
    globalThis.setTimeout = (call, pause) => { waits.push(pause); next = call; return 1 };
    globalThis.clearTimeout = () => { next = null };
    globalThis.addEventListener = (name, call) => { if (name === "online") online = call };
    globalThis.WebSocket = class {
      static OPEN = 1;
      constructor() { this.sent = []; this.readyState = 0; sockets.push(this) }
      send(text) { this.sent.push(text) }
    };
    const open = () => { if (!isSiteUp) throw new Error("down"); return new WebSocket() };
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    const latest = () => sockets[sockets.length - 1];
    const lose = async (after) => { now += after; latest().onclose(); await settled() };
    const wake = async () => { next(); await settled() };
    const connection = keepConnected(open, (message) => received.push(message));
"""


@pytest.fixture
def page(project, node):
    """Run a page with this script; return what the expression gives."""

    def page(script, result):
        story = f"(async () => {{ await settled(); {script}"
        return node(
            f"{story} console.log(JSON.stringify({result})) }})();",
            project.files["chat/static/chat/connection.js"],
            FAKES,
        )

    return page


def test_a_page_comes_back_and_waits_longer_each_time(page):
    script = "for (let i = 0; i < 8; i++) { await lose(10); await wake() }"
    waits, count = page(script, "[waits, sockets.length]")
    assert waits == [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]
    assert count == 9


def test_after_a_good_connection_the_pauses_begin_anew(page):
    script = "await lose(10); await wake(); await lose(10); await wake(); await lose(600000);"
    assert page(script, "waits") == [500, 1000, 500]


def test_a_page_that_cannot_open_a_socket_tries_again(page):
    script = "isSiteUp = false; await lose(10); await wake(); isSiteUp = true; await wake();"
    assert page(script, "[waits, sockets.length]") == [[500, 1000], 2]


def test_a_page_comes_back_at_once_when_the_network_does(page):
    script = "online(); await lose(10); online(); await settled(); online(); await settled();"
    assert page(script, "[sockets.length, next]") == [2, None]


def test_a_page_receives_and_sends_by_the_socket_that_is_open(page):
    script = """
        const before = connection.send({action: "ping"});
        await lose(10); await wake();
        latest().readyState = WebSocket.OPEN;
        const after = connection.send({action: "ping"});
        latest().onmessage({data: '{"text": "hello"}'});
    """
    result = page(script, "[before, after, sockets.map((s) => s.sent), received]")
    assert result == [False, True, [[], ['{"action":"ping"}']], [{"text": "hello"}]]


def test_a_ping_is_answered_with_nothing(project, mount, connect):
    mount(project.chat.views.ChatView)
    ws = connect()
    assert ws.send({"action": "ping"}).json() == {}
    assert ws.received == []


@pytest.mark.django_db(transaction=True)
def test_an_idle_connection_ends_with_1001(project, mount, live_server):
    pytest.importorskip("websockets")
    from websockets.exceptions import ConnectionClosed

    from django_aws_api_gateway_websockets.local.limits import Limits
    from django_aws_api_gateway_websockets.local.testing import (
        open_socket,
        provision,
        running_local_gateway,
    )

    mount(project.chat.views.ChatView)
    with running_local_gateway(Limits(idle_timeout=0.2)) as local:
        socket = open_socket(provision(live_server.url))
        with pytest.raises(ConnectionClosed) as closed:
            socket.receive()
        local.wait_until_quiet()
    assert closed.value.rcvd.code == 1001
