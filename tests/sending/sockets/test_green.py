"""gevent and eventlet, which put their own sockets and selectors in the place of Python's."""

from __future__ import annotations

import pytest

from tests.sending.sockets import programs

#: Each begins with these lines. Then a greenlet counts while the message is sent.
PATCHES = {
    "gevent": "from gevent import monkey, sleep, spawn; monkey.patch_all()",
    # It warns that it is at its end, and of locks that were made before it.
    "eventlet": (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import eventlet; eventlet.monkey_patch(); from eventlet import sleep, spawn"
    ),
}

PROGRAM = """
counted = []

def count():
    while not is_over:
        counted.append(1)
        sleep(0.001)

is_over = []
spawn(count)
send("by-name", 300)
send("warm", 300)
is_over.append(1)
assert len(counted) > 20, len(counted)
"""


@pytest.mark.parametrize("library", PATCHES)
def test_others_go_on_while_greenlets_send(transport, server, library):
    pytest.importorskip(library)
    programs.run(PROGRAM, transport, server.url, first=PATCHES[library])
    assert len(server.requests) == 600
