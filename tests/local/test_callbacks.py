"""The @connections calls: rows 20, 21 and 28 of the fidelity list."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlsplit

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed

from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE
from .world import Api

UNKNOWN = "AAAAAAAAAAAAAAA="
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=x, Signature=y"}


def code_and_status(error):
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def only(world):
    """The id of the only connection."""
    (connection_id,) = world.gateway.connections
    return connection_id


@pytest.fixture
def raw(world):
    """Speak to the HTTP port without boto3, over one connection kept alive."""
    connections = []

    def ask(method, path, body=None, headers=SIGNED):
        if not connections:
            address = urlsplit(world.gateway.endpoint_url)
            connections.append(http.client.HTTPConnection(address.hostname, address.port))
        connections[0].request(method, path, body, headers)
        answer = connections[0].getresponse()
        answer.body = answer.read()
        return answer

    yield ask
    for connection in connections:
        connection.close()


# Row 20: POST, GET and DELETE; 410, 400 malformed id, 413, 403 unsigned, 429 by injection.


def test_a_post_reaches_the_client(world):
    client = world.connect(world.api().url)
    world.callbacks().post_to_connection(ConnectionId=only(world), Data="héllo".encode())
    assert client.recv(PATIENCE) == "héllo"


def test_posts_to_one_connection_keep_their_order(world):
    client, callbacks = world.connect(world.api().url), world.callbacks()
    sent = [str(number) for number in range(50)]
    for text in sent:
        callbacks.post_to_connection(ConnectionId=only(world), Data=text)
    assert [client.recv(PATIENCE) for _ in sent] == sent


def test_what_is_not_utf_8_is_still_a_text_message(world):
    client = world.connect(world.api().url)
    world.callbacks().post_to_connection(ConnectionId=only(world), Data=b"a\xffb")
    assert client.recv(PATIENCE) == "a\ufffdb"


def test_get_tells_who_the_client_is_and_when_it_was_active(world):
    client = world.connect(world.api().url, user_agent_header="Browser/1")
    shown = world.callbacks().get_connection(ConnectionId=only(world))
    assert shown["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "Browser/1"}
    now = datetime.now(timezone.utc)
    assert now - timedelta(minutes=1) < shown["ConnectedAt"] <= shown["LastActiveAt"] <= now
    assert client.ping().wait(PATIENCE)


def test_delete_closes_the_connection_with_1000_and_it_is_gone_at_once(world):
    client, callbacks = world.connect(world.api().url), world.callbacks()
    connection_id = only(world)
    callbacks.delete_connection(ConnectionId=connection_id)
    with pytest.raises(callbacks.exceptions.GoneException):
        callbacks.get_connection(ConnectionId=connection_id)
    with pytest.raises(ConnectionClosed) as error:
        client.recv(PATIENCE)
    assert error.value.rcvd.code == 1000


@pytest.mark.parametrize(
    "operation", ["post_to_connection", "get_connection", "delete_connection"]
)
@pytest.mark.parametrize("known", ["never", "once"])
def test_a_closed_or_unknown_connection_is_gone(world, operation, known):
    api, callbacks, connection_id = world.api(), world.callbacks(), UNKNOWN
    if known == "once":
        client = world.connect(api.url)
        connection_id = only(world)
        client.close()
    arguments = {"Data": b"hi"} if operation == "post_to_connection" else {}
    with pytest.raises(callbacks.exceptions.GoneException) as error:
        getattr(callbacks, operation)(ConnectionId=connection_id, **arguments)
    assert code_and_status(error) == ("GoneException", 410)


@pytest.mark.parametrize(
    "identifier", ["x", "A" * 300, "AAAAAAAAAAAAAAA", "AAAAAAA AAAAAAA=", "\x00"]
)
def test_a_malformed_id_is_a_bad_request(world, identifier):
    world.api()
    with pytest.raises(ClientError) as error:
        world.callbacks().post_to_connection(ConnectionId=identifier, Data=b"hi")
    assert code_and_status(error) == ("BadRequestException", 400)


def test_a_message_of_128_kib_passes_and_one_byte_more_is_too_large(world):
    client, callbacks = world.connect(world.api().url), world.callbacks()
    callbacks.post_to_connection(ConnectionId=only(world), Data="x" * 131_072)
    with pytest.raises(callbacks.exceptions.PayloadTooLargeException) as error:
        callbacks.post_to_connection(ConnectionId=only(world), Data="x" * 131_073)
    assert code_and_status(error) == ("PayloadTooLargeException", 413)
    assert client.recv(PATIENCE) == "x" * 131_072


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize("path", [f"/production/@connections/{UNKNOWN}", "/v2/apis"])
def test_an_unsigned_request_is_forbidden(world, raw, headers, path):
    world.api()
    answer = raw("GET", path, headers=headers)
    assert answer.status == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.loads(answer.body) == {"message": "Missing Authentication Token"}


def test_a_client_can_be_made_slow_by_injection(world):
    api, callbacks = world.api(), world.callbacks()
    slow, fast = world.connect(api.url), None
    slow_id = only(world)
    fast = world.connect(api.url)
    (fast_id,) = set(world.gateway.connections) - {slow_id}
    world.gateway.inject(
        "PostToConnection", 429, "LimitExceededException", times=2, connection_id=slow_id
    )
    callbacks.post_to_connection(ConnectionId=fast_id, Data=b"1")
    for _ in range(2):
        with pytest.raises(callbacks.exceptions.LimitExceededException) as error:
            callbacks.post_to_connection(ConnectionId=slow_id, Data=b"2")
        assert code_and_status(error) == ("LimitExceededException", 429)
    callbacks.post_to_connection(ConnectionId=slow_id, Data=b"3")
    assert fast.recv(PATIENCE) == "1"
    assert slow.recv(PATIENCE) == "3"


def test_a_client_that_does_not_read_is_over_its_limit_in_the_end(world):
    world.start(Limits(client_buffer=100_000))
    url, callbacks = world.api().url, world.callbacks()
    with world.bare(url) as sock:
        assert sock.recv(100).startswith(b"HTTP/1.1 101")
        with pytest.raises(callbacks.exceptions.LimitExceededException):
            for _ in range(1000):
                callbacks.post_to_connection(ConnectionId=only(world), Data="x" * 131_072)


def test_an_injected_delete_after_the_fact_has_closed_the_connection(world):
    client, callbacks = world.connect(world.api().url), world.callbacks()
    world.gateway.inject("DeleteConnection", after=True)
    with pytest.raises(ClientError) as error:
        callbacks.delete_connection(ConnectionId=only(world))
    assert code_and_status(error) == ("InternalServerException", 500)
    with pytest.raises(ConnectionClosed):
        client.recv(PATIENCE)


# Row 21: with and without the stage in the path, %3D ids; outgoing frames of 32 KB.


@pytest.mark.parametrize("path", ["", "/", "/production", "/production/"])
def test_the_stage_may_be_in_the_path_or_not(world, path):
    client = world.connect(world.api().url)
    world.callbacks(path).post_to_connection(ConnectionId=only(world), Data=b"hi")
    assert client.recv(PATIENCE) == "hi"


@pytest.mark.parametrize("encoded", [True, False])
def test_the_equals_sign_of_an_id_may_be_encoded(world, raw, encoded):
    client = world.connect(world.api().url)
    identifier = quote(only(world)) if encoded else only(world)
    assert raw("POST", f"/production/@connections/{identifier}", b"hi").status == 200
    assert client.recv(PATIENCE) == "hi"


def test_a_connection_of_another_stage_is_gone(world):
    api = world.api()
    api.deploy("beta")
    world.connect(api.url)
    callbacks = world.callbacks("/beta")
    with pytest.raises(callbacks.exceptions.GoneException):
        callbacks.get_connection(ConnectionId=only(world))


@pytest.mark.parametrize("path", ["/elsewhere", "/a/production"])
def test_a_stage_that_nobody_has_is_forbidden(world, path):
    world.connect(world.api().url)
    callbacks = world.callbacks(path)
    with pytest.raises(callbacks.exceptions.ForbiddenException) as error:
        callbacks.get_connection(ConnectionId=only(world))
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
            "GET", f"{path}/@connections/{only(world)}", headers={**SIGNED, "Host": host}
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
    assert raw("GET", f"/@connections/{only(world)}", headers=headers).status == 410


@pytest.mark.parametrize("size", [32_768, 32_769, 100_000])
def test_outgoing_messages_are_cut_into_frames_of_32_kb(world, size):
    url, data = world.api().url, "é" * (size // 2) + "x" * (size % 2)
    with world.bare(url) as sock, sock.makefile("rb") as stream:
        while stream.readline() != b"\r\n":
            pass
        world.callbacks().post_to_connection(ConnectionId=only(world), Data=data)
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


# Row 28: errors carry x-amzn-ErrorType.


@pytest.mark.parametrize(
    ("method", "path", "status", "error_type"),
    [
        ("GET", f"/production/@connections/{UNKNOWN}", 410, "GoneException"),
        ("GET", "/production/@connections/x", 400, "BadRequestException"),
        ("GET", f"/elsewhere/@connections/{UNKNOWN}", 403, "ForbiddenException"),
        ("PATCH", f"/production/@connections/{UNKNOWN}", 403, "ForbiddenException"),
        ("GET", "/v2/apis/unknown", 404, "NotFoundException"),
        ("GET", "/v2/nonsense", 404, "NotFoundException"),
        ("GET", "/", 404, "NotFoundException"),
    ],
)
def test_errors_name_their_type_in_a_header(world, raw, method, path, status, error_type):
    world.api()
    answer = raw(method, path)
    assert answer.status == status
    assert answer.headers["x-amzn-ErrorType"] == error_type
    assert json.loads(answer.body)["message"]


# HTTP itself


def test_the_port_keeps_connections_alive_across_answers_and_errors(world, raw):
    client = world.connect(world.api().url)
    path = f"/production/@connections/{only(world)}"
    assert raw("POST", path, b"1").status == 200
    assert raw("POST", f"/production/@connections/{UNKNOWN}", b"unread?").status == 410
    assert raw("POST", path, b"2").status == 200
    assert raw("DELETE", path).status == 204
    answer = raw("GET", path)
    assert answer.status == 410
    assert answer.headers.get("Connection") is None
    assert [client.recv(PATIENCE) for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": "many"}, {"Content-Length": "10485761"}, {"Transfer-Encoding": "chunked"}],
)
def test_a_body_of_unknown_or_absurd_length_is_refused(world, raw, headers):
    world.api()
    answer = raw("POST", "/v2/apis", headers={**SIGNED, **headers})
    assert answer.status == 400
    assert answer.headers["Connection"] == "close"


def test_a_body_that_is_cut_off_is_no_message(world):
    client, address = world.connect(world.api().url), urlsplit(world.gateway.endpoint_url)
    path = f"/production/@connections/{quote(only(world))}"
    head = f"POST {path} HTTP/1.1\r\nAuthorization: {SIGNED['Authorization']}\r\n"
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        sock.sendall(f"{head}Content-Length: 5\r\n\r\nhel".encode())
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
    world.callbacks().post_to_connection(ConnectionId=only(world), Data=b"whole")
    assert client.recv(PATIENCE) == "whole"


def test_a_client_that_hangs_up_on_its_answer_harms_nobody(world):
    api, address = world.api(), urlsplit(world.gateway.endpoint_url)
    reset = struct.pack("ii", 1, 0)
    head = f"GET /v2/apis HTTP/1.1\r\nAuthorization: {SIGNED['Authorization']}\r\n\r\n"
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            sock.sendall(head.encode() * 50)
    assert api.control.get_api(ApiId=api.id)["ApiId"] == api.id


def test_a_web_page_of_another_site_may_not_even_ask(world, raw):
    answer = raw("OPTIONS", "/v2/apis", headers={"Origin": "https://evil.example"})
    assert answer.status == 501
    assert answer.headers.get("Access-Control-Allow-Origin") is None


def test_two_apis_with_stages_of_one_name_share_the_endpoint(world):
    first, second = world.api(), Api(world, name="second")
    second.add_route("$default")
    second.deploy()
    one = world.connect(first.url)
    one_id = only(world)
    two = world.connect(second.url)
    (two_id,) = set(world.gateway.connections) - {one_id}
    callbacks = world.callbacks()
    callbacks.post_to_connection(ConnectionId=one_id, Data=b"one")
    callbacks.post_to_connection(ConnectionId=two_id, Data=b"two")
    assert (one.recv(PATIENCE), two.recv(PATIENCE)) == ("one", "two")
