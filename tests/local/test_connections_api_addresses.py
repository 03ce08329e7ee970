"""The URLs and frames of @connections: row 21 of the fidelity list."""

from __future__ import annotations

from urllib.parse import quote

import pytest

pytest.importorskip("websockets")

from .backend import PATIENCE
from .refusals import SIGNED, code_and_status
from .world import Api

# Row 21: with and without the stage in the path, %3D ids; outgoing frames of 32 KB.


@pytest.mark.parametrize("path", ["", "/", "/production", "/production/"])
def test_the_stage_may_be_in_the_path_or_not(world, path):
    client = world.connect(world.api().url)
    world.connections_api(path).post_to_connection(ConnectionId=world.connection_id, Data=b"hi")
    assert client.recv(PATIENCE) == "hi"


@pytest.mark.parametrize("encoded", [True, False])
def test_the_equals_sign_of_an_id_may_be_encoded(world, raw, encoded):
    client = world.connect(world.api().url)
    identifier = quote(world.connection_id) if encoded else world.connection_id
    assert raw("POST", f"/production/@connections/{identifier}", b"hi").status == 200
    assert client.recv(PATIENCE) == "hi"


def test_a_connection_of_another_stage_is_gone(world):
    api = world.api()
    api.deploy("beta")
    world.connect(api.url)
    connections_api = world.connections_api("/beta")
    with pytest.raises(connections_api.exceptions.GoneException):
        connections_api.get_connection(ConnectionId=world.connection_id)


@pytest.mark.parametrize("path", ["/elsewhere", "/a/production"])
def test_a_stage_that_nobody_has_is_forbidden(world, path):
    world.connect(world.api().url)
    connections_api = world.connections_api(path)
    with pytest.raises(connections_api.exceptions.ForbiddenException) as error:
        connections_api.get_connection(ConnectionId=world.connection_id)
    assert code_and_status(error) == ("ForbiddenException", 403)


def test_a_custom_domain_has_the_mapping_key_and_never_the_stage(world, raw):
    api = world.api()
    configurations = [{"CertificateArn": "arn:aws:acm:eu-west-1:1:certificate/1"}]
    for domain, key in [("a.example.com", "chat"), ("b.example.com", "")]:
        api.control.create_domain_name(DomainName=domain, DomainNameConfigurations=configurations)
        api.control.create_api_mapping(
            DomainName=domain, ApiId=api.id, Stage="production", ApiMappingKey=key
        )
    world.connect(api.url)

    def status(host, path):
        return raw(
            "GET", f"{path}/@connections/{world.connection_id}", headers={**SIGNED, "Host": host}
        ).status

    assert status("a.example.com", "/chat") == 200
    assert status("a.example.com:9001", "/chat") == 200
    assert status("b.example.com", "") == 200
    assert status("a.example.com", "") == 403
    assert status("a.example.com", "/production") == 403
    assert status("b.example.com", "/production") == 403


def test_a_custom_domain_of_another_api_does_not_reach_the_connection(world, raw):
    api, other = world.api(), world.api()
    configurations = [{"CertificateArn": "arn:aws:acm:eu-west-1:1:certificate/1"}]
    api.control.create_domain_name(
        DomainName="ws.example.com", DomainNameConfigurations=configurations
    )
    api.control.create_api_mapping(DomainName="ws.example.com", ApiId=other.id, Stage="production")
    world.connect(api.url)
    headers = {**SIGNED, "Host": "ws.example.com"}
    assert raw("GET", f"/@connections/{world.connection_id}", headers=headers).status == 410


@pytest.mark.parametrize("size", [32_768, 32_769, 100_000])
def test_outgoing_messages_are_cut_into_frames_of_32_kb(world, size):
    url, data = world.api().url, "é" * (size // 2) + "x" * (size % 2)
    with world.bare(url) as sock, sock.makefile("rb") as stream:
        while stream.readline() != b"\r\n":
            pass
        world.connections_api().post_to_connection(ConnectionId=world.connection_id, Data=data)
        frames = list(frames_of_one_message(stream))
    assert b"".join(frames).decode() == data
    assert [len(frame) for frame in frames if frame] == [32_768] * (size // 32_768) + (
        [size % 32_768] if size % 32_768 else []
    )


def frames_of_one_message(stream):
    """The payloads of its frames, as RFC 6455, 5.2 lays them out."""
    is_last = False
    while not is_last:
        first, length = stream.read(2)
        if length == 126:
            length = int.from_bytes(stream.read(2), "big")
        is_last = bool(first & 0x80)
        yield stream.read(length)


def test_two_apis_with_stages_of_one_name_share_the_endpoint(world):
    first, second = world.api(), Api(world, name="second")
    second.add_route("$default")
    second.deploy()
    one = world.connect(first.url)
    one_id = world.connection_id
    two = world.connect(second.url)
    (two_id,) = set(world.gateway.connections) - {one_id}
    connections_api = world.connections_api()
    connections_api.post_to_connection(ConnectionId=one_id, Data=b"one")
    connections_api.post_to_connection(ConnectionId=two_id, Data=b"two")
    assert (one.recv(PATIENCE), two.recv(PATIENCE)) == ("one", "two")
