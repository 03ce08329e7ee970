"""asend_message under a real ASGI server: it works wherever Django's asynchronous ORM does."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge import Edge

ROOT = Path(__file__).resolve().parents[2]

#: Seconds after which a request hangs.
PATIENCE = 15


@pytest.fixture(scope="module")
def aws():
    with Edge() as server:
        yield server


@pytest.fixture(scope="module")
def site(aws, tmp_path_factory):
    """The port of a site under uvicorn, and the headers of an event for its view."""
    pytest.importorskip("uvicorn")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "tests.asgi_site", str(folder), aws.url]
    program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        headers = json.loads(program.stdout.readline())
        yield int(program.stdout.readline()), headers
    finally:
        program.kill()
        program.communicate()


@pytest.fixture
def ask(site):
    """``ask(path, message)``: the body of the site's answer, by POST if there is a message."""
    port, headers = site
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def answer(path, message=None):
        body = message and json.dumps(message)
        connection.request("POST" if body else "GET", path, body, headers if body else {})
        response = connection.getresponse()
        content = response.read().decode()
        assert response.status == 200, content
        return int(content)

    yield answer
    connection.close()


@pytest.mark.parametrize(
    ("path", "sent"), [("/sync", 3), ("/async", 3), ("/gathering", 15), ("/bounded", 3)]
)
def test_it_sends_from_a_view(aws, ask, path, sent):
    before = len(aws.requests)
    assert ask(path) == sent
    assert len(aws.requests) - before == sent


def test_it_sends_from_an_async_handler(aws, ask):
    before = len(aws.requests)
    assert ask("/ws/default", {"action": "chat"}) == 4
    assert len(aws.requests) - before == 4
