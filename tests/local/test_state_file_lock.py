"""One state file has one gateway at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command

from django_aws_api_gateway_websockets.local.errors import StateFileInUse
from django_aws_api_gateway_websockets.local.gateway import LocalGateway
from tests.management.test_run_local_gateway import Console

from .refusals import WEBSOCKET, items

PROGRAM = """
import sys
from django_aws_api_gateway_websockets.local.gateway import LocalGateway
with LocalGateway(state_file=sys.argv[1]):
    print("runs", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path):
    """A gateway in a process of its own, which has the state file."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "state.json")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "runs\n"
        yield process
        process.kill()


def test_a_second_gateway_is_told_which_file_and_whose_it_is(world, tmp_path, other_process):
    with pytest.raises(StateFileInUse) as refusal:
        world.start(state_file=tmp_path / "state.json")
    assert str(tmp_path / "state.json") in str(refusal.value)
    assert f"process {other_process.pid}" in str(refusal.value)


def test_the_command_names_the_file_and_the_way_out(tmp_path, other_process):
    options = {"socket_port": 0, "control_port": 0, "state": str(tmp_path / "state.json")}
    with pytest.raises(CommandError) as refusal:
        # If it starts, the console ends it.
        call_command("runLocalGateway", stdout=Console(), **options)
    assert str(tmp_path / "state.json") in str(refusal.value)
    assert f"process {other_process.pid}" in str(refusal.value)
    assert "--state" in str(refusal.value)


def test_two_gateways_of_one_process_do_not_share_a_file(world, tmp_path):
    first = world.start(state_file=tmp_path / "state.json")
    world.control.create_api(**WEBSOCKET)
    with pytest.raises(StateFileInUse, match=f"process {os.getpid()}"):
        world.start(state_file=str(tmp_path / "state.json"))
    first.stop()
    world.start(state_file=tmp_path / "state.json")
    assert len(items(world.control.get_apis())) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for rights to make links")
def test_two_ways_to_one_file_are_one_file(world, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    world.start(state_file=tmp_path / "folder" / "state.json")
    with pytest.raises(StateFileInUse):
        world.start(state_file=tmp_path / "link" / "state.json")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_gateway_that_was_killed_locks_nobody_out(world, tmp_path, other_process):
    os.kill(other_process.pid, signal.SIGKILL)
    other_process.wait()
    world.start(state_file=tmp_path / "state.json")
    world.control.create_api(**WEBSOCKET)
    world.gateway.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_gateway_that_cannot_listen_leaves_the_file_free(world, tmp_path):
    port = int(world.gateway.endpoint_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        world.start(state_file=tmp_path / "state.json", control_port=port)
    world.start(state_file=tmp_path / "state.json")


def test_what_another_gateway_has_kept_in_the_meantime_is_not_lost(world, tmp_path, session):
    early = LocalGateway(state_file=tmp_path / "state.json")
    world.start(state_file=tmp_path / "state.json")
    world.control.create_api(**WEBSOCKET)
    world.gateway.stop()
    with early:
        control = session.client("apigatewayv2", endpoint_url=early.endpoint_url)
        assert len(items(control.get_apis())) == 1
        control.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves no folder of an open file")
def test_a_gateway_whose_folder_was_moved_does_not_write_into_that_of_another(world, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    world.start(state_file=folder / "state.json")
    moved = world.control
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    world.start(state_file=folder / "state.json")
    with pytest.raises(ClientError, match=r"folder/state\.json is in use by"):
        moved.create_api(**WEBSOCKET)
    world.control.create_api(**{**WEBSOCKET, "Name": "kept"})
    world.gateway.stop()
    world.start(state_file=folder / "state.json")
    assert [api["Name"] for api in items(world.control.get_apis())] == ["kept"]


def test_a_removed_lock_is_made_again_with_the_next_change(world, tmp_path):
    world.start(state_file=tmp_path / "state.json")
    (tmp_path / "state.json.lock").unlink()
    world.control.create_api(**WEBSOCKET)
    with pytest.raises(StateFileInUse):
        world.start(state_file=tmp_path / "state.json")


def test_a_gateway_that_starts_again_serves_what_another_has_changed(world, tmp_path):
    first = world.start(state_file=tmp_path / "state.json")
    api = world.api("$default")
    world.connect(api.url)
    first.stop()
    world.start(state_file=tmp_path / "state.json")
    (integration,) = items(world.control.get_integrations(ApiId=api.id))
    where = {"ApiId": api.id, "IntegrationId": integration["IntegrationId"]}
    world.control.update_integration(**where, IntegrationUri=f"{world.backend.url}/other")
    world.control.create_deployment(ApiId=api.id, StageName="production")
    world.gateway.stop()
    with first:
        world.connect(f"{first.socket_endpoint}/{api.id}/production").send("hello")
        world.backend.one("other")
