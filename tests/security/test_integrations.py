"""Hosts that integrations may post to: which URLs the setting allows."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.security.integrations import (
    integration_refusal,
    is_host_pattern,
)

HOSTS = ["www.example.com", ".example.org", "[::1]", "web"]

ALLOWED = [
    "https://www.example.com/ws/",
    "https://WWW.Example.com/ws/",
    "https://www.example.com:8443/ws/",
    "https://www.example.com./ws/",
    "https://example.org/ws/",
    "https://ws.example.org/ws/",
    "http://[::1]:8000/ws/",
    "http://web:8000/ws/",
]

REFUSED = [
    "https://evil.example.net/ws/",
    "https://sub.www.example.com/",
    "https://www.example.com.evil.example.net/",
    "https://notexample.org/",
    "https://evil.example.net/www.example.com/",
    "https://evil.example.net?www.example.com",
    "https://evil.example.net#www.example.com",
    "https://www.example.com@evil.example.net/",
    "https://evil.example.net@www.example.com/",
    "https://evil.example.net\\@www.example.com/",
    "https://evil.example.net\\.example.org/",
    "https://${stageVariables.host}.example.org/",
    "https://www.exam\tple.com/",
    "https://www.example.com\n/",
    "https://www.example.com:port/",
    "https://[::1/",
    "https:///ws/",
    "/ws/",
    "",
]


@pytest.fixture
def _hosts(settings):
    settings.WEBSOCKETS = {"allowed_integration_hosts": HOSTS}


@pytest.mark.usefixtures("_hosts")
@pytest.mark.parametrize("url", ALLOWED)
def test_a_host_of_the_list_is_allowed(url):
    assert integration_refusal(url) == ""


@pytest.mark.usefixtures("_hosts")
@pytest.mark.parametrize("url", REFUSED)
def test_another_host_is_refused_and_so_is_what_hides_one(url):
    text = f'The host of {url} is not in WEBSOCKETS["allowed_integration_hosts"].'
    assert integration_refusal(url) == text


@pytest.mark.parametrize("hosts", [None, [], (), ["*"]])
@pytest.mark.parametrize("url", ["https://anything.example.net/", "http://web/"])
def test_no_list_and_a_star_allow_every_host(settings, hosts, url):
    settings.WEBSOCKETS = {"allowed_integration_hosts": hosts}
    assert integration_refusal(url) == ""


@pytest.mark.parametrize("pattern", ["*", "web", "www.example.com", ".example.com", "[::1]"])
def test_a_pattern_is_that_of_allowed_hosts(pattern):
    assert is_host_pattern(pattern)


@pytest.mark.parametrize(
    "text",
    ["", ".", "*.example.com", "https://www.example.com", "www.example.com/", "a:8000", "a b"],
)
def test_what_could_never_match_is_no_pattern(text):
    assert not is_host_pattern(text)
