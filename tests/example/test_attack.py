"""The demo stands the attacks of attack.py, and chats on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

from tests.example.conftest import running
from tests.example.demo import Demo

pytest.importorskip("websockets", minversion="16")

from tests.example.attack import MANY_CONNECTS, MANY_MESSAGES, run

#: By how much the door is narrower than the demo's: the attempts before the flood, seventy or so,
#: still come through.
NARROWER = 3

#: What each attempt gets, in the order of attack.py. N stands for a number that time decides.
EXPECTED = {
    "post a $connect with forged headers": "400: Some of the required headers are missing",
    "post a message with alice's connection id": "400: Some of the required headers are missing",
    "guess the proof": "400: Some of the required headers are missing",
    "post alice's $disconnect": "400: Some of the required headers are missing",
    "ask whether a connection exists": "400: Some of the required headers are missing",
    "lure alice to a page of Mallory's, which opens a socket with her cookies": "refused, 400",
    "name that page almost like the site": "refused, 400",
    "have it send the Origin null, from a sandboxed frame": "refused, 400",
    "send no Origin, with a cookie of alice's": "refused, 400",
    "come in without a name": "refused, 400",
    "ask for a ticket from another site's page, which has no CSRF token": "refused, 403",
    "ask for a ticket as a guest": "refused, 403",
    "make up a ticket": "refused, 403",
    "use a ticket of alice's that she has used": "alice: open; Mallory: refused, 403",
    "use one ticket fifty times at once": "1 open, 49 refused, 403",
    "use a ticket of a login that has ended since": "refused, 403",
    "go on in a socket whose login has ended": "closed, 1000",
    "call what is no handler: dispatch, _tell_room, __class__ ...": "then reply",
    "send what is no message": "then reply",
    "send more than a frame may hold": "closed, 1009",
    "flood the room": f"N of {MANY_MESSAGES} are heard",
    "flood the door": "refused, 400 and refused, 429",
    "alice, all the while": "in her socket, where she hears: Good night",
}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The demo, whose door is sooner full."""
    demo = Demo(tmp_path)
    code = demo.sockets_code.read_text()
    assert code.count('"300/m"') == 1
    demo.sockets_code.write_text(code.replace('"300/m"', f'"{300 // NARROWER}/m"'))
    with running(demo):
        yield demo


@pytest.mark.once
def test_no_attack_on_the_demo_gets_anywhere_and_it_chats_on(demo: Demo) -> None:
    got = dict(run(demo.url, MANY_CONNECTS // NARROWER))
    heard = int(got["flood the room"].split()[0])
    assert 0 < heard <= MANY_MESSAGES / 2
    got["flood the room"] = re.sub(r"^\d+", "N", got["flood the room"])
    assert got == EXPECTED
    assert demo.complaints() == []
    assert re.findall(r"[0-9a-f]{64}", demo.output) == [], "The proof is in the log"
