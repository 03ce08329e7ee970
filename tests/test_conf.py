"""The settings object: defaults, and what each setting does."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_aws_api_gateway_websockets.conf import DEFAULTS, conf
from django_aws_api_gateway_websockets.exceptions import ConfigurationError

PLAIN_SETTINGS = {
    "iam_profile": "AWS_IAM_PROFILE",
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
    "endpoint_url": "AWS_GATEWAY_ENDPOINT_URL",
}


@pytest.mark.parametrize(("name", "setting"), PLAIN_SETTINGS.items(), ids=PLAIN_SETTINGS)
def test_a_setting_is_read_when_asked(settings, name, setting):
    setattr(settings, setting, "first")
    assert getattr(conf, name) == "first"
    setattr(settings, setting, "second")
    assert getattr(conf, name) == "second"


@pytest.mark.parametrize(("name", "setting"), PLAIN_SETTINGS.items(), ids=PLAIN_SETTINGS)
def test_an_absent_setting_and_an_empty_one_are_none(settings, name, setting):
    setattr(settings, setting, "")
    assert getattr(conf, name) is None
    delattr(settings, setting)
    assert getattr(conf, name) is None


def test_the_region_is_the_gateways_own_setting_else_the_older_one(settings):
    settings.AWS_REGION_NAME = "us-west-2"
    assert conf.region_name == "us-west-2"
    settings.AWS_GATEWAY_REGION_NAME = "eu-north-1"
    assert conf.region_name == "eu-north-1"
    del settings.AWS_GATEWAY_REGION_NAME, settings.AWS_REGION_NAME
    assert conf.region_name is None


def test_the_endpoint_url_loses_its_slash(settings):
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://127.0.0.1:9001/"
    assert conf.endpoint_url == "http://127.0.0.1:9001"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9001", True),
        ("http://127.8.8.8:9001", True),
        ("http://localhost:9001", True),
        ("http://LOCALHOST:9001", True),
        ("http://[::1]:9001", True),
        ("http://10.0.0.1:9001", False),
        ("http://127.example.com", False),
        ("http://localhost.example.com", False),
        ("http://[::1", False),
        ("", False),
        (None, False),
    ],
)
def test_a_loopback_endpoint_is_told_from_another(settings, url, expected):
    settings.AWS_GATEWAY_ENDPOINT_URL = url
    assert conf.endpoint_is_loopback is expected


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_key_of_websockets_has_a_property_and_a_default(settings, name):
    settings.WEBSOCKETS = {}
    assert getattr(conf, name) == DEFAULTS[name]
    del settings.WEBSOCKETS
    assert getattr(conf, name) == DEFAULTS[name]


def test_the_keys_of_websockets_are_typed(settings):
    settings.WEBSOCKETS = {"max_in_flight": "7", "transport": "chat.Transport"}
    assert (conf.max_in_flight, conf.transport) == (7, "chat.Transport")


@pytest.mark.parametrize("value", [None, [], "max_in_flight"])
def test_websockets_that_is_no_dict_is_an_error(settings, value):
    settings.WEBSOCKETS = value
    with pytest.raises(ConfigurationError, match="WEBSOCKETS must be a dict") as refusal:
        conf.max_in_flight  # noqa: B018 - reading it is the act
    assert isinstance(refusal.value, ImproperlyConfigured)


def test_trusted_origins_are_those_of_csrf(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://example.com"]
    assert conf.trusted_origins == ["https://example.com"]


@pytest.mark.parametrize(
    ("debug", "hosts", "expected"),
    [
        (False, [], []),
        (True, [], [".localhost", "127.0.0.1", "[::1]"]),
        (True, ["example.com"], ["example.com"]),
        (False, ["example.com"], ["example.com"]),
    ],
)
def test_allowed_hosts_are_djangos_with_its_stand_in_under_debug(settings, debug, hosts, expected):
    settings.DEBUG, settings.ALLOWED_HOSTS = debug, hosts
    assert conf.allowed_hosts == expected


def test_integration_hosts_are_a_tuple_of_texts(settings):
    assert conf.allowed_integration_hosts == ()
    settings.WEBSOCKETS = {"allowed_integration_hosts": ["www.example.com"]}
    assert conf.allowed_integration_hosts == ("www.example.com",)
    for wrong in ("www.example.com", [7]):
        settings.WEBSOCKETS = {"allowed_integration_hosts": wrong}
        with pytest.raises(ConfigurationError, match="must be a list of texts"):
            conf.allowed_integration_hosts  # noqa: B018


def test_endpoints_are_urls_without_a_slash_at_their_end(settings):
    settings.WEBSOCKETS = {"endpoints": {"a1": "https://ws.example.com/chat/"}}
    assert conf.endpoints == {"a1": "https://ws.example.com/chat"}
    for wrong in ("https://ws.example.com", {"a1": None}, {7: "https://ws.example.com"}):
        settings.WEBSOCKETS = {"endpoints": wrong}
        with pytest.raises(ConfigurationError, match="must be a dict of texts"):
            conf.endpoints  # noqa: B018
