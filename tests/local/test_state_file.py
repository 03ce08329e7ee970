"""What the local gateway keeps from one run to the next."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError

from django_aws_api_gateway_websockets.local.errors import StateFileInvalid
from django_aws_api_gateway_websockets.local.gateway import LocalGateway

from .backend import PATIENCE, Reply


def test_the_control_planes_documents_outlive_the_process(world, tmp_path):
    file = tmp_path / "state.json"
    world.start(state_file=file)
    api = world.api(replies=True)
    world.gateway.stop()
    world.start(state_file=str(file))
    world.backend.answer("default", Reply(200, b"still here"))
    client = world.connect(f"{world.gateway.socket_endpoint}/{api.id}/production")
    client.send("hello")
    assert client.recv(PATIENCE) == "still here"
    world.gateway.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', "{}", '{"version": 1}', '{"version": 1, "documents": []}']
    + ['{"version": 1, "documents": {"a": 1}}', '{"version": 2, "documents": {}}', "\ufffe"],
)
def test_a_state_file_that_is_not_ours_is_refused_and_left_alone(tmp_path, text):
    file = tmp_path / "state.json"
    file.write_text(text, encoding="utf-16" if text == "\ufffe" else "utf-8")
    before = file.read_bytes()
    with pytest.raises(StateFileInvalid, match=r"state\.json"):
        LocalGateway(state_file=file)
    assert file.read_bytes() == before


def test_a_state_file_needs_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        LocalGateway(state_file=tmp_path / "missing" / "state.json")


def test_what_cannot_be_kept_has_not_happened(world, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    world.start(state_file=folder / "state.json")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ClientError, match=r"folder/state\.json cannot be written") as error:
        world.api()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert world.control.get_apis()["Items"] == []


def test_a_crash_while_writing_leaves_the_old_state(world, tmp_path):
    file = tmp_path / "state.json"
    world.start(state_file=file)
    world.api()
    before = file.read_text(encoding="utf-8")
    file.unlink()
    file.mkdir()  # nothing can be renamed to it
    with pytest.raises(ClientError):
        world.api()
    world.gateway.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert json.loads(before)["documents"]
