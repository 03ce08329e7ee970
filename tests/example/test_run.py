"""`python example/run.py`: it starts, reloads, holds many sockets, and ends."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.example.demo import PATIENCE, Demo
from tests.example.visitors import Guest

pytest.importorskip("websockets", minversion="16")

from websockets.asyncio.client import connect as connect_later
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

MANY = 200

#: What a WebSocket is closed with when the other end goes away.
GOING_AWAY = 1001

NEW_HANDLER = """
    def shout(self, request, *args, **kwargs):
        self.websocket_session.send_message({"type": "echo"})
"""


def send(page: ClientConnection, action: str, **content: Any) -> None:
    page.send(json.dumps({"action": action, **content}))


def receive(page: ClientConnection, *wanted: str) -> dict[str, Any]:
    """Return the next frame of one of these types; the gateway's own are of the type "error"."""
    while True:
        frame: dict[str, Any] = json.loads(page.recv(PATIENCE))
        if frame.setdefault("type", "reply" if "reply" in frame else "error") in wanted:
            return frame


def say_hello(page: ClientConnection) -> dict[str, Any]:
    """Return the room's people, and its messages."""
    send(page, "hello", ref="1")
    people = receive(page, "people")
    return {**people, **receive(page, "reply")["reply"]}


def close_code(page: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        while True:
            page.recv(PATIENCE)
    return page.close_code


@pytest.mark.once
def test_it_holds_many_simultaneous_connects(demo: Demo) -> None:
    guest = Guest(demo.url, "Carol", "Garden")
    start = len(demo.lines)

    async def open_all_at_once() -> list[str]:
        opening = [
            connect_later(guest.socket_url, open_timeout=PATIENCE, **guest.handshake)
            for _ in range(MANY)
        ]
        pages = await asyncio.gather(*opening)
        states = [page.state.name for page in pages]
        await asyncio.gather(*[page.close() for page in pages])
        return states

    assert asyncio.run(open_all_at_once()) == ["OPEN"] * MANY
    demo.wait_for('"POST /ws/disconnect HTTP/1.1" 200', MANY)
    assert demo.complaints(start) == []


def test_a_code_change_reloads_django_and_leaves_open_sockets_open(demo: Demo) -> None:
    guest = Guest(demo.url, "Carol", "Lobby")
    with connect(guest.socket_url, **guest.handshake) as page:
        say_hello(page)
        starts = demo.count("development server at")
        demo.reload_with(demo.sockets_code.read_text() + NEW_HANDLER)
        demo.wait_for("development server at", starts + 1)
        answer = {"type": "error"}
        while answer["type"] == "error":  # Django says that it starts before it listens.
            send(page, "shout")
            answer = receive(page, "echo", "error")
        assert answer == {"type": "echo"}


@pytest.mark.once
def test_one_whose_disconnect_nobody_heard_is_gone_after_the_next_message(demo: Demo) -> None:
    carol, dave = Guest(demo.url, "Carol", "Tea kitchen"), Guest(demo.url, "Dave", "Tea kitchen")
    with connect(carol.socket_url, **carol.handshake) as page:
        with connect(dave.socket_url, **dave.handshake) as other_page:
            say_hello(other_page)
            assert say_hello(page)["people"] == ["Carol (guest)", "Dave (guest)"]
            code = demo.sockets_code.read_text()
            demo.reload_with("This is no Python.")
            demo.wait_for("SyntaxError")
        demo.wait_for("disconnect not heard")
        starts = demo.count("development server at")
        demo.reload_with(code)
        demo.wait_for("development server at", starts + 1)
        answer = {"type": "error"}
        while answer["type"] == "error":  # Django says that it starts before it listens.
            send(page, "say", text="Are you still there, Dave?")
            answer = receive(page, "message", "error")
        assert receive(page, "people")["people"] == ["Carol (guest)"]


def test_each_connection_is_one_line_when_it_opens_and_one_when_it_closes(demo: Demo) -> None:
    guest = Guest(demo.url, "Carol", "Lobby")
    start, closed = len(demo.lines), demo.count("connection closed connection_id=")
    with connect(guest.socket_url, **guest.handshake):
        pass
    demo.wait_for("connection closed connection_id=", closed + 1)
    told = [line for line in demo.lines[start:] if "INFO connection" in line]
    assert len(told) == 2, told


def test_a_stranger_is_not_let_in(demo: Demo) -> None:
    guest = Guest(demo.url, "Carol")
    with pytest.raises(InvalidStatus) as refusal:
        connect(guest.socket_url, origin=demo.url, proxy=None)
    assert refusal.value.response.status_code == 400


def test_sigterm_and_ctrl_c_close_the_sockets_with_1001_and_leave_no_process(
    own_demo: Demo,
) -> None:
    """The second run has a gateway of its own, and the last messages."""
    guest = Guest(own_demo.url, "Carol")
    with connect(guest.socket_url, **guest.handshake) as page:
        send(page, "say", text="See you later")
        receive(page, "message")
        own_demo.process.terminate()
        assert close_code(page) == GOING_AWAY
    assert own_demo.wait() == 0
    assert own_demo.complaints() == []
    own_demo.start()
    back = Guest(own_demo.url, "Carol")
    assert back.socket_url != guest.socket_url
    with connect(back.socket_url, **back.handshake) as page:
        assert [message["text"] for message in say_hello(page)["messages"]] == ["See you later"]
        own_demo.press_ctrl_c()
        assert close_code(page) == GOING_AWAY
    assert own_demo.wait() == 0
    assert own_demo.complaints() == []


def test_its_migrations_are_what_its_models_say(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    check = [sys.executable, "manage.py", "makemigrations", "chat", "--check", "--dry-run"]
    environment = {**demo.environment, "DJANGO_SETTINGS_MODULE": "chat.settings"}
    checked = subprocess.run(
        check, cwd=demo.directory, env=environment, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout.decode()


@pytest.mark.once
@pytest.mark.parametrize("offset", [0, 1000, 1001], ids=["site", "sockets", "control"])
def test_a_port_in_use_is_one_clear_line_and_leaves_no_process(
    tmp_path: Path, offset: int
) -> None:
    demo = Demo(tmp_path)
    with socket.create_server(("127.0.0.1", demo.port + offset)):
        demo.launch()
        assert demo.wait() == 1
    assert f"Port {demo.port + offset} cannot be had" in demo.output
    assert (f"The process {os.getpid()} has it." in demo.output) == Path("/proc/net/tcp").exists()
    assert len(demo.output.splitlines()) == 1
