"""testing.py as fixtures; ``websocket`` and ``websocket_outbox`` are what the whole suite uses."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from django_aws_api_gateway_websockets import testing
from django_aws_api_gateway_websockets.conf import conf
from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession

ROOT = Path(__file__).resolve().parent.parent


def test_the_websocket_fixture_makes_a_connected_client(websocket):
    ws = websocket("/ws/", channel="lobby")
    assert (ws.session.connected, ws.session.channel_name) == (True, "lobby")


def test_the_websocket_fixture_fails_a_test_whose_client_is_refused(websocket):
    with pytest.raises(AssertionError, match=r"\$connect: 400 Invalid channel name"):
        websocket("/ws/", channel="\0")


def test_the_websocket_fixture_sends_to_the_outbox(websocket, websocket_outbox):
    ws = websocket("/ws/")
    assert WebSocketSession.objects.send_message({"text": "hello"}).sent == 1
    assert ws.received == [{"text": "hello"}]
    assert websocket_outbox is testing.outbox


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_has_an_empty_outbox(websocket, websocket_outbox, run):
    assert (websocket_outbox, websocket_outbox.gone) == ([], set())
    websocket("/ws/").session.send_message({"run": run})
    websocket("/ws/").disconnect()


@pytest.mark.skipif(find_spec("websockets") is None, reason="Needs the extra [local]")
def test_live_sockets_at_one_url_share_a_gateway(live_websocket):
    alice, guest = live_websocket("/ws/", channel="lobby"), live_websocket("/ws/", channel="lobby")
    alice.send({"action": "chat", "text": "hello"})
    assert guest.receive() == {"text": "hello"}
    assert ApiGateway.objects.count() == 1


@pytest.fixture
def settings_put_back():
    """What this test checks when all of its other fixtures are done."""
    before = conf.transport
    yield
    assert conf.transport == before


def test_the_outbox_ends_with_its_test_whatever_settings_it_changes(
    settings_put_back, settings, websocket
):
    settings.ALLOWED_HOSTS = ["testserver", "example.com"]
    assert websocket("/ws/", headers={"Host": "example.com"}).session


def test_a_conftest_may_name_the_plugin_before_django_is_set_up():
    program = (
        "import sys, django_aws_api_gateway_websockets.pytest_plugin\n"
        "assert not [name for name in sys.modules if name.startswith('django.')]"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
