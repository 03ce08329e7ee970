"""The signatures that we make, against botocore's, and at a server that verifies them."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode
from hypothesis import assume, given
from hypothesis import strategies as st

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient
from django_aws_api_gateway_websockets.sending.addresses import address_of
from django_aws_api_gateway_websockets.sending.signing import Keys, Signer, signing_key
from tests.fuzz import fuzzed
from tests.wire import Server

KEY, SECRET = "only-for-tests", "only-for-tests"

#: What some HTTP library, or the signature, reads in its own way.
UNUSUAL = (
    *("https://UPPER.example.com/prod", "HTTPS://a.example.com/prod", "https://under_score/prod"),
    *("https://user@a.example.com/prod", "https://user:pass@a.example.com/prod"),
    *("https://a.example.com/prod?x=y", "https://a.example.com/prod#x", "https://a.example.com?x"),
    *("https://a.example.com/prod/", "https://a.example.com//prod", "https://a.example.com/a//b"),
    *("https://a.example.com/%70rod", "https://a.example.com/a b", "https://a.example.com/~x"),
    *("https://a.example.com/..", "https://a.example.com/./prod", "https://a.example.com/a/../b"),
    *("https://a.example.com:x/prod", "https://a.example.com:/prod", "https://:1/prod"),
    *("https://a..example.com/prod", "https://.example.com/prod", "https://a.example.com./prod"),
    *("https://[::1/prod", "https://::1/prod", "https://[fe80::1%25eth0]/prod"),
    *("ftp://a.example.com/prod", "a.example.com/prod", "//a.example.com/prod", "", "https://"),
    *("https://ä.example.com/prod", "https://a.example.com/prö", "https://a.example.com/prod\n"),
    *("https://localhost:0/prod", "https://localhost:99999/prod", "https://localhost:0443/prod"),
)

hosts = st.one_of(
    st.from_regex(r"\A[a-z0-9-]{1,9}(\.[a-z0-9-]{1,9}){0,3}\Z"),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map("[{}]".format),
)
ports = st.none() | st.sampled_from([80, 443, 8080]) | st.integers(1, 65535)
paths = st.lists(st.from_regex(r"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}\Z"), max_size=3)
connection_ids = st.one_of(
    st.from_regex(r"\A[A-Za-z0-9_-]{1,20}={0,2}\Z"),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
)
#: Until the year 2100.
moments = st.integers(0, 4_102_444_800).map(time.gmtime)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


TIMESTAMP = "%Y%m%dT%H%M%SZ"


class SignedThen(SigV4Auth):
    """botocore's signature of another moment than this."""

    def headers(self, timestamp, method, url, body):
        request = AWSRequest(method, url, data=body)
        request.context["timestamp"] = timestamp
        # The steps of add_auth(), without its first: to look at the clock.
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))
        return dict(request.headers.items())


def of_botocore(keys, region, *request):
    return SignedThen(Credentials(*keys), "execute-api", region).headers(*request)


@pytest.mark.no_cover
@fuzzed
@given(
    place=st.tuples(st.sampled_from(["http", "https"]), hosts, ports, paths),
    connection_id=connection_ids,
    region=st.from_regex(r"\A[a-z]{2}-[a-z]{4,9}-[0-9]\Z"),
    keys=st.tuples(words, words, st.none() | words),
    method=st.sampled_from(["POST", "DELETE"]),
    body=st.binary(max_size=300),
    moment=moments,
)
def test_our_signature_is_that_of_botocore(
    place, connection_id, region, keys, method, body, moment
):
    scheme, host, port, path = place
    url = "/".join([f"{scheme}://{host}" + (f":{port}" if port else ""), *path])
    endpoint = Endpoint(url, region)
    assume(connection_id not in {".", ".."})
    timestamp = time.strftime(TIMESTAMP, moment)
    signer = Signer(Keys(*keys), address_of(endpoint), method, body, timestamp)
    head, _, sent_body = signer.request(connection_id).partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    ours = dict(line.split(": ", 1) for line in lines)
    path = "/".join(["", *path, "@connections", percent_encode(connection_id)])
    assert (line, sent_body) == (f"{method} {path} HTTP/1.1", body)
    has_own_port = port and (scheme, port) not in {("http", 80), ("https", 443)}
    assert ours.pop("Host") == (f"{host}:{port}" if has_own_port else host)
    assert ours.pop("Content-Length") == str(len(body))
    posted_to = f"{scheme}://{host}{f':{port}' if port else ''}{path}"
    assert ours == of_botocore(keys, region, timestamp, method, posted_to, body)


def test_the_key_of_aws_documentation_is_derived():
    """From "Examples of how to derive a signing key", with the service that we sign for."""
    keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signer = SigV4Auth(keys, "execute-api", "us-east-1")
    request = AWSRequest("GET", "https://a.example.com/")
    request.context["timestamp"] = "20150830T123600Z"
    key = signing_key(keys.secret_key, "20150830", "us-east-1")
    assert signer.signature("text", request) == hmac.new(key, b"text", sha256).hexdigest()


@pytest.mark.parametrize("url", UNUSUAL)
def test_what_is_out_of_the_ordinary_is_left_to_boto3(url):
    assert address_of(Endpoint(url, "eu-west-1")) is None


@pytest.mark.no_cover
@fuzzed
@given(url=st.text(max_size=60).map("https://{}".format) | st.text(max_size=60))
def test_an_ordinary_endpoint_can_be_taken_apart(url):
    address = address_of(Endpoint(url, "eu-west-1"))
    if address:
        scheme, hostname, port, proxy = address.place
        assert 0 < port < 65536
        assert url.startswith(f"{scheme}://{hostname}") or f"[{hostname}]" in url
        assert proxy is None


# At a server


@pytest.fixture
def plain():
    with Server() as server:
        server.url = f"http://127.0.0.1:{server.port}"
        yield server


@pytest.fixture(params=["boto3", "sockets"])
def any_transport(request, settings):
    settings.WEBSOCKETS = {"transport": request.param}


def verify(request, token=None):
    """Compute the signature of a request as it arrived, which is what AWS does."""
    url = f"http://{request.headers['host']}{request.target}"
    moment = request.headers["x-amz-date"]
    expected = of_botocore(
        (KEY, SECRET, token), "eu-west-1", moment, request.method, url, request.body
    )
    signed = request.headers["authorization"]
    # boto3 signs a content type as well, and says so.
    if "content-type" not in signed:
        assert signed == expected["Authorization"]
    assert request.headers.get("x-amz-security-token") == token


IDS = [
    "JC1dgf9yoAMCK-g=",
    "a==",
    "_-",
    "with/slash",
    "%3D",
    "ä☃",
    "a b+c",
    "~",
    "...",
    "?x=y#z",
    "@",
]


@pytest.mark.parametrize("token", [None, "IQoJb3JpZ2luX2VjE+/w=="])
@pytest.mark.parametrize("stage", ["prod", "v1.2", "a/b"])
def test_what_arrives_verifies(plain, any_transport, settings, stage, token):
    settings.AWS_SESSION_TOKEN = token
    endpoint = Endpoint(f"{plain.url}/{stage}", "eu-west-1")
    recipients = [Recipient(name, endpoint) for name in IDS]
    for _, outcome in sending.fan_out(b'{"text": "\xc3\xa4"}', recipients):
        assert outcome == sending.SENT
    for _, outcome in sending.close(recipients):
        assert outcome == sending.CLOSED
    for request in plain.requests:
        verify(request, token)
    paths = [f"/{stage}/@connections/{percent_encode(name)}" for name in IDS]
    arrived = [(request.method, request.target) for request in plain.requests]
    assert sorted(arrived) == sorted((m, p) for p in paths for m in ("POST", "DELETE"))


def test_only_what_is_needed_is_sent(plain, transport):
    """Each header costs 10,000 times a second."""
    list(sending.fan_out(b"x" * 5000, [Recipient("a", Endpoint(plain.url, "eu-west-1"))]))
    (request,) = plain.requests
    usual = {"host", "authorization", "x-amz-date", "content-length"}
    assert set(request.headers) - {"accept", "accept-encoding", "user-agent"} == usual
    assert request.headers["content-length"] == "5000"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_no_request_is_made_for_what_is_no_connection_id(plain, transport, name):
    recipient = Recipient(name, Endpoint(f"{plain.url}/prod", "eu-west-1"))
    ((_, outcome),) = sending.fan_out(b"x", [recipient])
    assert outcome == sending.failed("Not a connection id")
    assert plain.requests == []


@pytest.mark.parametrize("url", [*UNUSUAL, "https://[:::1]/prod", "https://[1]/prod"])
def test_an_endpoint_out_of_the_ordinary_costs_no_traceback(transport, url, settings, monkeypatch):
    """No name is looked up, and nothing is sent: the proxy is not there."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    url = url.replace("a.example.com", "localhost:9")
    recipient = Recipient("a", Endpoint(url, "eu-west-1"))
    ((found, outcome),) = sending.fan_out(b"x", [recipient])
    assert found == recipient
    assert outcome.status == "failed"
    assert outcome.reason


@pytest.mark.parametrize(
    ("path", "arrives_as"),
    [("/prod/", "/prod"), ("//prod", "//prod"), ("/a%2Fb", "/a%2Fb"), ("/a/~b", "/a/~b")],
)
def test_an_unusual_path_arrives_and_verifies(plain, transport, path, arrives_as):
    recipient = Recipient("a=", Endpoint(f"{plain.url}{path}", "eu-west-1"))
    ((_, outcome),) = sending.fan_out(b"x", [recipient])
    assert outcome == sending.SENT
    (request,) = plain.requests
    assert request.target == f"{arrives_as}/@connections/a%3D"


def test_the_ordinary_go_our_way_and_the_unusual_that_of_boto3(plain, transport):
    ordinary = Endpoint(f"{plain.url}/prod", "eu-west-1")
    unusual = Endpoint(f"{plain.url.replace('127.0.0.1', 'LOCALHOST')}/prod", "eu-west-1")
    recipients = [Recipient("a", ordinary), Recipient("b", unusual), Recipient("c", ordinary)]
    results = list(sending.fan_out(b"x", recipients))
    assert sorted(results) == [(recipient, sending.SENT) for recipient in recipients]
    by_boto3 = {r.target[-1] for r in plain.requests if "Boto3" in r.headers.get("user-agent", "")}
    assert by_boto3 == {"b"}
