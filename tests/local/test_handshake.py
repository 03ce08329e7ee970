"""The opening of a socket: rows 1 to 4, 9, 11, 16, 19 and 29 of the fidelity list."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import Reply


def refused(world, url, **options):
    """The answer to a handshake that must fail."""
    with pytest.raises(InvalidStatus) as error:
        world.connect(url, **options)
    return error.value.response


def plain_get(url, headers=None):
    """What an HTTP client gets from the port of the sockets."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", parts.path, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


# Row 1: $connect is posted before 101; the socket opens only on 2xx.


def test_the_handshake_waits_for_the_answer_to_connect(world):
    api, hold = world.api(), threading.Event()
    world.backend.answer("connect", Reply(hold=hold))
    opened = []
    thread = threading.Thread(target=lambda: opened.append(world.connect(api.url)))
    thread.start()
    world.backend.received("connect")
    assert not opened
    hold.set()
    thread.join()
    assert opened


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_success_opens_the_socket(world, status):
    api = world.api()
    world.backend.answer("connect", Reply(status))
    assert world.connect(api.url).response.status_code == 101


def test_an_api_without_a_connect_route_lets_everybody_in(world):
    api = world.api("$default")
    world.connect(api.url)
    assert world.backend.names == []


# Row 2: another status refuses the handshake with it.


@pytest.mark.parametrize("status", [302, 400, 401, 403, 409, 429, 499, 500, 503])
def test_another_status_is_the_answer_to_the_handshake(world, status):
    api = world.api()
    world.backend.answer("connect", Reply(status, b"the backend's own words"))
    answer = refused(world, api.url)
    assert answer.status_code == status
    assert b"own words" not in answer.body
    assert json.loads(answer.body)["message"]


def test_a_backend_cannot_open_the_socket_by_answering_101(world):
    api = world.api()
    world.backend.answer("connect", Reply(101))
    assert refused(world, api.url).status_code == 502


# Row 3: integration unreachable or over its timeout: refused 5xx.


def test_an_unreachable_backend_refuses_the_handshake(world):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # It is nobody else's, and does not listen.
        port = deaf.getsockname()[1]
        api = world.api(IntegrationUri=f"http://127.0.0.1:{port}/connect")
        assert refused(world, api.url).status_code == 502


@pytest.mark.parametrize(
    ("limits", "timeout"), [(Limits(integration_timeout=0.1), 29000), (Limits(), 100)]
)
def test_a_backend_over_its_timeout_refuses_the_handshake(world, limits, timeout):
    world.start(limits)
    api = world.api(TimeoutInMillis=timeout)
    world.backend.answer("connect", Reply(hold=threading.Event()))
    assert refused(world, api.url).status_code == 504


def test_a_backend_that_hangs_up_refuses_the_handshake(world):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        api = world.api(IntegrationUri=f"http://127.0.0.1:{server.getsockname()[1]}/connect")
        assert refused(world, api.url).status_code == 502
        thread.join()


# Row 4: unknown stage or API 403; plain GET 426.


@pytest.mark.parametrize("path", ["/{api}/elsewhere", "/unknown/production", "/{api}", "/", "//"])
def test_an_unknown_api_or_stage_is_forbidden(world, path):
    api = world.api()
    url = world.gateway.socket_endpoint + path.format(api=api.id)
    answer = refused(world, url)
    assert answer.status_code == 403
    assert answer.headers["x-amzn-ErrorType"] == "ForbiddenException"


def test_a_stage_without_a_deployment_is_forbidden(world):
    api = world.api()
    api.control.create_stage(ApiId=api.id, StageName="bare")
    assert refused(world, f"{api.endpoint}/bare").status_code == 403


def test_a_plain_get_is_told_to_upgrade(world):
    api = world.api()
    assert plain_get(api.url).status == 426
    assert world.backend.names == []


def test_a_handshake_of_another_version_never_reaches_the_backend(world):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "7",
    }
    assert plain_get(world.api().url, headers).status == 400
    assert world.backend.names == []


# Row 9: Content-Length 0 on connect and disconnect.


def test_connect_and_disconnect_have_an_empty_body_and_say_so(world):
    world.connect(world.api().url).close()
    for name in ("connect", "disconnect"):
        request = world.backend.one(name)
        assert request.header("Content-Length") == "0"
        assert request.body == b""
    assert world.backend.one("disconnect").query == ""


# Row 11: ids: 15 characters of [A-Za-z0-9_-] and "=".


def test_connection_ids_look_like_those_of_aws(world):
    api = world.api()
    for _ in range(5):
        world.connect(api.url)
    ids = {request.header("connectionId") for request in world.backend.received("connect", 5)}
    assert len(ids) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{15}=", identifier) for identifier in ids)
    assert ids == set(world.gateway.connections)


# Row 16: subprotocol chosen by the backend's response header.


def test_the_backend_chooses_the_subprotocol(world):
    api = world.api()
    world.backend.answer("connect", Reply(headers={"Sec-WebSocket-Protocol": "two"}))
    assert world.connect(api.url, subprotocols=["one", "two"]).subprotocol == "two"
    assert world.backend.one("connect").header("Sec-WebSocket-Protocol") == "one, two"


def test_without_the_backends_word_there_is_no_subprotocol(world):
    assert world.connect(world.api().url, subprotocols=["one"]).subprotocol is None


# Row 19: post during $connect 410.


def test_a_connection_is_gone_for_posts_until_its_connect_has_returned(world):
    api, connections_api, seen = world.api(), world.connections_api(), []

    def connect(received):
        connection_id = received.header("connectionId")
        for call in (
            lambda: connections_api.post_to_connection(ConnectionId=connection_id, Data=b"hi"),
            lambda: connections_api.get_connection(ConnectionId=connection_id),
            lambda: connections_api.delete_connection(ConnectionId=connection_id),
        ):
            with pytest.raises(connections_api.exceptions.GoneException) as error:
                call()
            seen.append(error.value.response["ResponseMetadata"]["HTTPStatusCode"])
        return Reply()

    world.backend.answer("connect", connect)
    client = world.connect(api.url)
    assert seen == [410, 410, 410]
    connections_api.post_to_connection(ConnectionId=world.gateway.connections[0], Data=b"hi")
    assert client.recv(5) == "hi"


# Row 29: permessage-deflate negotiated.


def test_compression_is_negotiated(world):
    client = world.connect(world.api().url)
    assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]


def test_a_client_without_compression_gets_none(world):
    client = world.connect(world.api().url, compression=None)
    assert "Sec-WebSocket-Extensions" not in client.response.headers


# Custom domains, by the Host header


def test_a_custom_domain_leads_to_what_is_mapped_there(world):
    api = world.api()
    configuration = {"CertificateArn": "arn:aws:acm:eu-west-1:1:certificate/1"}
    api.control.create_domain_name(
        DomainName="ws.example.com", DomainNameConfigurations=[configuration]
    )
    api.control.create_api_mapping(
        DomainName="ws.example.com", ApiId=api.id, Stage="production", ApiMappingKey="chat"
    )
    address = urlsplit(api.url)

    def own():
        """A TCP connection to the gateway, which the WebSocket is then to close."""
        return socket.create_connection((address.hostname, address.port))

    world.connect("ws://ws.example.com/chat?channel=x", sock=own())
    assert world.backend.one("connect").query == "channel=x"
    for path in ("", f"{api.id}/production", "chat/production"):
        assert refused(world, f"ws://ws.example.com/{path}", sock=own()).status_code == 403
