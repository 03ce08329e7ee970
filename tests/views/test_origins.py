"""Which pages may open a socket: those of the site, whatever ALLOWED_HOSTS lets through."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.factories import make_created_gateway

pytestmark = pytest.mark.django_db


def connect(origin, host="example.com", proto="https", gateway=None):
    """The answer to a $connect that a page of ``origin`` causes on the site ``host``."""
    headers = {"Origin": origin, "Host": host, "X-Forwarded-Proto": proto}
    ws = WebSocketClient("/ws/", gateway=gateway, headers=headers)
    response = ws.connect()
    assert (ws.session is not None) == (response.status_code == 200)
    return response.status_code, response.content


WELCOME = (200, b"{}")
REFUSED = (400, b"Host is not in Origin")

FOREIGN = {
    "another site": "https://evil.net",
    "our name in front of theirs": "https://example.com.evil.net",
    "our name at the end of theirs": "https://evilexample.com",
    "a subdomain that is not ours": "https://evil.example.com",
    "our parent": "https://com",
    "our name in the query": "https://evil.net/?example.com",
    "our name in the query without path": "https://evil.net?example.com",
    "our name in the fragment": "https://evil.net#example.com",
    "our name in the path": "https://evil.net/example.com",
    "our name as user information": "https://example.com@evil.net",
    "our name as password": "https://x:example.com@evil.net",
    "a backslash": "https://evil.net\\.example.com",
    "user information": "https://user@example.com",
    "empty user information": "https://@example.com",
    "a path": "https://example.com/",
    "a query": "https://example.com?",
    "a fragment": "https://example.com#",
    "an opaque page": "null",
    "a word": "none",
    "a host without scheme": "example.com",
    "only slashes": "//example.com",
    "only a scheme": "https://",
    "http": "http://example.com",
    "a socket's scheme": "wss://example.com",
    "a file": "file://",
    "a file of our name": "file://example.com",
    "an extension": "chrome-extension://example.com",
    "another port": "https://example.com:8443",
    "the port of http": "https://example.com:80",
    "port 0": "https://example.com:0",
    "no port after the colon": "https://example.com:",
    "a port that is none": "https://example.com:port",
    "a port beyond all": "https://example.com:65979",
    "a trailing dot": "https://example.com.",
    "a leading dot": "https://.example.com",
    "two origins": "https://example.com https://evil.net",
    "two origins with a comma": "https://example.com, https://example.com",
    "a blank before": " https://example.com",
    "a tab inside": "https://exam\tple.com",
    "NUL": "https://example.com\0",
    "IPv6": "https://[::1]",
    "IPv6 before our name": "https://[::1]example.com",
    "IPv6 without its end": "https://[::1",
    "no address in brackets": "https://[example.com]",
    "IPv4": "https://127.0.0.1",
    "a look-alike": "https://xn--exmple-4nf.com",
    "a look-alike in UTF-8": "https://ex\u0430mple.com".encode().decode("latin-1"),
    "a sign that normalises to a dot": "https://example\uff0ecom".encode().decode("latin-1"),
    "percent signs": "https://example%2Ecom",
    "a wildcard": "https://*",
    "a pattern": "https://*.example.com",
}


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("allowed_hosts", [["example.com"], ["*"]], ids=["named", "any host"])
def test_a_page_of_another_site_is_refused(settings, allowed_hosts, origin):
    settings.ALLOWED_HOSTS = allowed_hosts
    assert connect(origin) == REFUSED


def debugged(settings, origin):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = []
    return connect(origin, host="localhost")


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1", "[::1]"])
def test_while_debugging_the_usual_names_of_this_machine_are_the_site(settings, host):
    assert debugged(settings, f"https://{host}") == WELCOME


@pytest.mark.parametrize("host", ["evil.net", "localhost.evil.net", "127.0.0.1.evil.net"])
def test_while_debugging_another_site_is_refused(settings, host):
    assert debugged(settings, f"https://{host}") == REFUSED


OWN = ["https://example.com", "https://EXAMPLE.com", "HTTPS://example.com"]


@pytest.mark.parametrize("origin", [*OWN, "https://example.com:443"])
def test_a_page_of_the_site_is_welcome(settings, origin):
    settings.ALLOWED_HOSTS = ["example.com"]
    assert connect(origin) == WELCOME


@pytest.mark.parametrize("origin", OWN)
def test_while_any_host_is_allowed_the_requests_own_host_is_the_site(settings, origin):
    settings.ALLOWED_HOSTS = ["*"]
    assert connect(origin, host="Example.com") == WELCOME


def test_a_page_of_another_allowed_host_is_welcome(settings):
    settings.ALLOWED_HOSTS = ["example.com", "backend.internal"]
    assert connect("https://example.com", host="backend.internal") == WELCOME


@pytest.mark.parametrize("host", ["example.com", "www.example.com", "a.b.example.com"])
def test_a_page_of_an_allowed_subdomain_is_welcome(settings, host):
    settings.ALLOWED_HOSTS = [".example.com"]
    assert connect(f"https://{host}", host="example.com") == WELCOME


@pytest.mark.parametrize("host", ["evilexample.com", "example.com.evil.net", "com", "example.org"])
def test_a_page_outside_the_allowed_subdomains_is_refused(settings, host):
    settings.ALLOWED_HOSTS = [".example.com"]
    assert connect(f"https://{host}", host="example.com") == REFUSED


def test_a_page_of_a_site_with_an_international_name_is_welcome(settings):
    settings.ALLOWED_HOSTS = ["xn--bcher-kva.example"]
    host = "xn--bcher-kva.example"
    assert connect(f"https://{host}", host=host) == WELCOME
    assert connect("https://xn--bcher-lva.example", host=host) == REFUSED


def test_a_page_of_a_site_with_an_ipv6_address_is_welcome(settings):
    settings.ALLOWED_HOSTS = ["[::1]"]
    assert connect("http://[::1]:8000", host="[::1]:8000", proto="http") == WELCOME
    assert connect("http://[::2]:8000", host="[::1]:8000", proto="http") == REFUSED


def test_a_page_on_the_port_of_the_site_is_welcome(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    assert connect("http://localhost:8000", host="localhost:8000", proto="http") == WELCOME
    assert connect("http://localhost:8001", host="localhost:8000", proto="http") == REFUSED


@pytest.mark.parametrize("proto", ["http", "HTTP", "http, https", " http ,https"])
def test_a_page_over_http_is_welcome_where_the_client_came_over_http(settings, proto):
    settings.ALLOWED_HOSTS = ["example.com"]
    assert connect("http://example.com", proto=proto) == WELCOME


@pytest.mark.parametrize("proto", ["https", "https, http", "httpx"])
def test_a_page_over_http_is_refused_where_the_client_came_over_https(settings, proto):
    settings.ALLOWED_HOSTS = ["example.com"]
    assert connect("http://example.com", proto=proto) == REFUSED


def test_a_page_of_the_gateways_own_domain_is_welcome(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    gateway = make_created_gateway(
        domain_name="WS.example.org",
        custom_domain_created=True,
        api_endpoint="wss://abc.execute-api.eu-west-1.amazonaws.com",
    )
    assert connect("https://ws.example.org", gateway=gateway) == WELCOME
    assert connect("https://abc.execute-api.eu-west-1.amazonaws.com", gateway=gateway) == WELCOME
    assert connect("https://ws.example.org") == REFUSED


def test_a_trusted_origin_is_welcome_by_the_rules_of_djangos_csrf_protection(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CSRF_TRUSTED_ORIGINS = [
        "https://app.example.net",
        "https://app.example.net:8443",
        "https://*.example.org",
        "http://plain.example.net",
    ]
    welcome = [
        "https://app.example.net",
        "https://app.example.net:8443",
        "https://example.org",
        "https://a.b.example.org",
        "http://plain.example.net",
    ]
    assert [connect(origin) for origin in welcome] == [WELCOME] * len(welcome)


@pytest.mark.parametrize(
    "origin",
    [
        "http://app.example.net",
        "https://app.example.net:9443",
        "https://www.app.example.net",
        "https://evilexample.org",
        "http://www.example.org",
        "https://www.example.org:8443",
        "https://plain.example.net",
    ],
)
def test_an_origin_that_is_like_a_trusted_one_is_refused(settings, origin):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CSRF_TRUSTED_ORIGINS = [
        "https://app.example.net",
        "https://*.example.org",
        "http://plain.example.net",
    ]
    assert connect(origin) == REFUSED


def test_a_connect_without_origin_is_refused(settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert connect("") == (400, b"Missing 1 headers")
