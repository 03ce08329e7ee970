"""DisableExecuteApiEndpoint, and the custom domains that clients then come by."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from .backend import PATIENCE
from .refusals import CERTIFICATE, SIGNED, refusal
from .world import Api

FORBIDDEN = ("ForbiddenException", 403)


def mapped(api, name="ws.example.com"):
    """The API with a custom domain."""
    api.control.create_domain_name(
        DomainName=name, DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}]
    )
    api.control.create_api_mapping(DomainName=name, ApiId=api.id, Stage="production")
    return api


def connect_by_domain(world, host="ws.example.com"):
    port = int(world.gateway.socket_endpoint.rpartition(":")[2])
    return world.connect(f"ws://{host}:{port}/", address=("127.0.0.1", port))


def is_refused(world, api):
    with pytest.raises(InvalidStatus) as error:
        world.connect(api.url)
    return error.value.response.status_code == 403


def test_a_disabled_endpoint_refuses_sockets_and_the_custom_domain_does_not(world):
    api = mapped(world.api())
    api.control.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    api.deploy()
    assert is_refused(world, api)
    client = connect_by_domain(world)
    client.send("hello")
    world.backend.one("default")
    client.close()
    world.backend.one("disconnect")


def test_a_disabled_endpoint_refuses_sends_and_the_custom_domain_does_not(world, raw):
    api = mapped(world.api())
    api.control.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    api.deploy()
    client = connect_by_domain(world)
    where = {"ConnectionId": world.connection_id}
    for path in ("/production", ""):
        connections_api = world.connections_api(path)
        for operation in ("get_connection", "delete_connection"):
            assert refusal(getattr(connections_api, operation), **where) == FORBIDDEN
        assert refusal(connections_api.post_to_connection, **where, Data=b"x") == FORBIDDEN
    headers = {**SIGNED, "Host": "ws.example.com"}
    path = f"/@connections/{world.connection_id}"
    assert raw("POST", path, b"hello", headers=headers).status == 200
    assert client.recv(PATIENCE) == "hello"


def test_an_api_may_be_made_without_the_endpoint_and_get_it_later(world):
    api = Api(world)
    api.control.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    api.add_route("$default")
    api.deploy()
    assert is_refused(world, api)
    api.control.update_api(ApiId=api.id, DisableExecuteApiEndpoint=False)
    assert is_refused(world, api)  # It is live with the next deployment, as the guide says.
    api.deploy()
    world.connect(api.url)


def test_a_stage_of_an_api_that_has_the_endpoint_is_still_found(world):
    disabled, api = world.api(), world.api()
    disabled.control.update_api(ApiId=disabled.id, DisableExecuteApiEndpoint=True)
    disabled.deploy()
    client = world.connect(api.url)
    world.connections_api().post_to_connection(ConnectionId=world.connection_id, Data=b"x")
    assert client.recv(PATIENCE) == "x"


def test_a_custom_domain_may_have_a_wildcard_and_its_case_does_not_matter(world):
    mapped(world.api(), "*.Example.com")
    connect_by_domain(world, "anything.example.com")
    with pytest.raises(InvalidStatus):
        connect_by_domain(world, "a.b.example.com")


def test_a_custom_domain_comes_before_a_wildcard(world):
    mapped(world.api("$default", name="wide"), "*.example.com")
    mapped(world.api("$default", name="narrow"), "ws.example.com")
    connect_by_domain(world).send("hello")
    world.backend.one("narrow")
