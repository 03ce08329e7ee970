"""Whom TLS trusts and by which proxy the way goes: with each transport as with boto3."""

from __future__ import annotations

import datetime
import gc
import ssl
import subprocess
from itertools import count

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import SENT, Recipient, failed
from tests.factories import make_created_gateway, make_session
from tests.wire import Authority, Proxy, Server, free_port

numbers = count()
YESTERDAY = datetime.datetime(2020, 1, 1)  # noqa: DTZ001


@pytest.fixture(params=["boto3", "sockets"])
def way(request, settings):
    """The name of a transport, boto3's own among them."""
    settings.WEBSOCKETS = {"transport": request.param}
    return request.param


def send(url, number=1):
    recipients = [Recipient(f"c{n}", Endpoint(url, "eu-west-1")) for n in range(number)]
    return [outcome for _, outcome in sending.fan_out(b"x", recipients)]


# TLS


@pytest.fixture
def untrusted(authority):
    with Server(authority.server_side("localhost")) as server:
        server.url = f"https://localhost:{server.port}/prod"
        yield server


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_the_environment_is_trusted(untrusted, authority, way, monkeypatch, name):
    monkeypatch.setenv(name, str(authority.file))
    assert send(untrusted.url, 3) == [SENT] * 3


def test_an_authority_of_the_profile_is_trusted(
    untrusted, authority, way, monkeypatch, settings, tmp_path
):
    config = tmp_path / "config"
    config.write_text(f"[profile own]\nca_bundle = {authority.file}\n")
    keys = tmp_path / "credentials"
    keys.write_text("[own]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    settings.AWS_IAM_PROFILE = "own"
    assert send(untrusted.url) == [SENT]


def test_a_directory_of_authorities_is_trusted(untrusted, authority, transport, monkeypatch):
    found = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(authority.file)],
        capture_output=True,
        text=True,
        check=True,
    )
    folder = authority.directory(f"{found.stdout.strip()}.0")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(folder))
    assert send(untrusted.url) == [SENT]


def test_an_unknown_authority_is_refused_at_the_first_try(untrusted, transport):
    assert send(untrusted.url) == [failed("SSLError")]
    assert untrusted.requests == []
    assert untrusted.accepted == 1


def test_another_authority_is_refused(untrusted, way, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path).file))
    assert send(untrusted.url) == [failed("SSLError")]
    assert untrusted.requests == []


@pytest.mark.parametrize(
    ("names", "options"),
    [(["elsewhere.example.com"], {}), (["localhost"], {"not_after": YESTERDAY})],
    ids=["wrong-name", "expired"],
)
def test_a_wrong_certificate_is_refused_at_the_first_try(
    authority, transport, monkeypatch, names, options
):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.file))
    with Server(authority.server_side(*names, **options)) as server:
        assert send(f"https://localhost:{server.port}/prod") == [failed("SSLError")]
        assert server.requests == []
        assert server.accepted == 1


def tls_1_2(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def without_tickets(context):
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET


@pytest.mark.parametrize("tickets", [without_tickets, None], ids=["no-tickets", "tickets"])
@pytest.mark.parametrize("version", [tls_1_2, None], ids=["tls-1.2", "newest"])
def test_sessions_of_tls_may_be_taken_up_again_or_not(
    authority, way, monkeypatch, tickets, version
):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.file))
    context = authority.server_side("localhost")
    for change in filter(None, [tickets, version]):
        change(context)
    with Server(context) as server:
        url = f"https://localhost:{server.port}/prod"
        for _ in range(2):
            assert send(url, 20) == [SENT] * 20
            server.hang_up()
        assert server.broken == []


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_that_cannot_be_read_is_an_outcome(
    untrusted, way, monkeypatch, tmp_path, content
):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    ((status, reason),) = send(untrusted.url)
    assert status == "failed"
    if way != "boto3":
        assert reason == "SSLError"
    assert untrusted.requests == []


def test_the_bundle_is_read_once(untrusted, authority, transport, monkeypatch, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(authority.file.read_bytes())
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    assert send(untrusted.url) == [SENT]
    bundle.unlink()
    untrusted.hang_up()
    assert send(untrusted.url, 5) == [SENT] * 5
    assert untrusted.connections > 1


# Proxies


@pytest.fixture
def target(authority, monkeypatch):
    """A server whose name only a proxy knows."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.file))
    with Server(authority.server_side("gateway.example.com")) as server:
        # boto3 clients are kept, with the proxy of the moment when they were made.
        server.url = f"https://gateway.example.com/prod{next(numbers)}"
        yield server


@pytest.fixture
def proxy(target):
    with Proxy(target) as proxy:
        proxy.url = f"http://127.0.0.1:{proxy.port}"
        yield proxy


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_tls_goes_through_a_tunnel(target, proxy, way, monkeypatch, name):
    monkeypatch.setenv(name, proxy.url)
    assert send(target.url, 3) == [SENT] * 3
    assert {(r.method, r.target) for r in proxy.requests} == {
        ("CONNECT", "gateway.example.com:443")
    }
    assert {r.headers["host"] for r in target.requests} == {"gateway.example.com"}
    assert not any("proxy-authorization" in r.headers for r in [*proxy.requests, *target.requests])


def test_a_proxy_may_be_named_without_a_scheme(target, proxy, way, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    assert send(target.url) == [SENT]


def test_the_password_of_a_proxy_is_for_the_proxy_alone(target, proxy, way, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
    assert send(target.url, 2) == [SENT] * 2
    told = {r.headers.get("proxy-authorization") for r in proxy.requests}
    assert told == {"Basic bWU6cEBzcw=="}
    assert not any("proxy-authorization" in r.headers for r in target.requests)


def test_tunnels_are_kept(target, proxy, transport, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    send(target.url)
    assert send(target.url) == send(target.url) == [SENT]
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_plain_http_asks_the_proxy_for_the_whole_url(proxy, way, monkeypatch, name):
    monkeypatch.setenv(name, proxy.url)
    url = f"http://gateway.example.com/prod{next(numbers)}"
    assert send(url) == [SENT]
    (request,) = proxy.requests
    assert request.target == f"{url}/@connections/c0"
    assert request.headers["host"] == "gateway.example.com"


def test_the_password_is_told_without_a_tunnel_too(proxy, way, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
    assert send(f"http://gateway.example.com/prod{next(numbers)}") == [SENT]
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize(
    "value", ["localhost", "other, localhost", "LOCALHOST", "*", ".localhost"]
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_for_the_hosts_that_are_named(server, proxy, way, monkeypatch, name, value):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv(name, value)
    assert send(server.url) == [SENT]
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


@pytest.mark.parametrize("value", ["example.com", ".example.com"])
def test_no_proxy_is_for_the_names_below_one(target, proxy, way, monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", value)
    send("http://gateway.example.com:9/prod")
    send("https://gateway.example.com:9/prod")
    assert proxy.requests == []


@pytest.mark.parametrize("value", ["another.example.com", "way.example.com", "gateway"])
def test_no_proxy_is_for_no_others(target, proxy, way, monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", value)
    assert send(target.url) == [SENT]
    assert len(proxy.requests) == 1


@pytest.fixture
def sweeping():
    """Collect the garbage of a test within the test.

    Old Pythons leave the socket of a refused tunnel to the garbage collector, who warns. While it
    is at work in another thread, gc.collect() returns at once, and a later test would be warned.
    """
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("sweeping")
@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_refuses_is_said(target, proxy, way, monkeypatch, status):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    proxy.refusal = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    assert send(target.url) == [failed("ProxyConnectionError")]
    assert target.requests == []


def test_a_proxy_that_is_down_is_said(target, way, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    assert send(target.url) == [failed("ProxyConnectionError")]


@pytest.mark.parametrize(
    "value", ["socks5://127.0.0.1:9", "http://127.0.0.1:99999", "http://[::1", "?", "ftp://a:1"]
)
def test_a_proxy_that_cannot_be_is_an_outcome(target, way, monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", value)
    ((status, reason),) = send(target.url)
    assert (status, bool(reason)) == ("failed", True)


# Credentials that no header can hold


@pytest.mark.parametrize("token", ["line\nbreak", "trailing\n", "sn☃w", "nul\0"])
def test_a_token_that_is_no_header_is_an_outcome(server, transport, settings, token):
    settings.AWS_SESSION_TOKEN = token
    assert send(server.url) == [failed("CredentialRetrievalError")]
    assert server.requests == []


# Endpoints


@pytest.mark.django_db
def test_a_custom_domain_is_posted_to_without_the_stage(target, proxy, way, settings, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    gateway = make_created_gateway()
    make_session(gateway, connection_id="c0")
    url = f"https://gateway.example.com/key{next(numbers)}"
    settings.WEBSOCKETS = {"transport": way, "endpoints": {gateway.api_id: url}}
    assert gateway.sessions.send_message("x").sent == 1
    (request,) = target.requests
    assert f"https://gateway.example.com{request.target}" == f"{url}/@connections/c0"
    assert "/eu-west-1/execute-api/" in request.headers["authorization"]
