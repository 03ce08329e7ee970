"""Regions, endpoints and credentials: what the settings say, and what boto3 makes of it."""

from __future__ import annotations

import socket

import botocore.configprovider
import pytest
from botocore.config import Config
from django.test import override_settings

from django_aws_api_gateway_websockets import aws
from django_aws_api_gateway_websockets.exceptions import ConfigurationError, RegionMissing
from django_aws_api_gateway_websockets.models import get_boto3_client

pytestmark = pytest.mark.usefixtures("outside_of_tests")

AWS_SETTINGS = (
    "AWS_GATEWAY_REGION_NAME",
    "AWS_REGION_NAME",
    "AWS_IAM_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_GATEWAY_ENDPOINT_URL",
)


@pytest.fixture
def only():
    """``only(AWS_REGION_NAME="eu-west-1")``: these settings of the package and no other."""
    opened = []

    def choose(**chosen):
        override = override_settings(**{**dict.fromkeys(AWS_SETTINGS), **chosen})
        override.enable()
        opened.append(override)

    yield choose
    for override in reversed(opened):
        override.disable()


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    """Two profiles of the shared AWS configuration."""
    config = tmp_path / "config"
    config.write_text("[profile chat]\nregion = ap-south-1\n")
    keys = tmp_path / "credentials"
    keys.write_text("[chat]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))


def post(endpoint_url, **kwargs):
    """Post a message by a client of its own."""
    client = get_boto3_client("apigatewaymanagementapi", endpoint_url=endpoint_url, **kwargs)
    client.post_to_connection(ConnectionId="a", Data=b"{}")


def scope(request):
    """The access key, region and service that a request is signed for."""
    credential = request.headers["Authorization"].partition("Credential=")[2].partition(",")[0]
    access_key, _, region, service, _ = credential.split("/")
    return access_key, region, service


# Regions


def test_the_gateways_own_region_setting_wins(only):
    only(AWS_GATEWAY_REGION_NAME="eu-north-1", AWS_REGION_NAME="us-west-2")
    assert aws.default_region() == "eu-north-1"


def test_the_older_region_setting_is_enough(only):
    only(AWS_REGION_NAME="us-west-2")
    assert get_boto3_client().meta.region_name == "us-west-2"


def test_without_a_setting_the_region_is_that_of_boto3s_chain(only, monkeypatch):
    only()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert get_boto3_client().meta.region_name == "sa-east-1"


def test_without_a_setting_the_region_is_that_of_the_profile(only, profiles):
    only(AWS_IAM_PROFILE="chat")
    assert get_boto3_client().meta.region_name == "ap-south-1"


def test_a_region_that_is_passed_wins_over_the_settings(only):
    only(AWS_REGION_NAME="us-west-2")
    assert get_boto3_client(region_name="eu-west-3").meta.region_name == "eu-west-3"


def test_no_region_anywhere_is_an_error_that_names_both_settings(only):
    only()
    with pytest.raises(RegionMissing, match="AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME") as e:
        get_boto3_client()
    assert isinstance(e.value, RuntimeError)


def test_no_region_is_needed_for_a_local_gateway(only):
    only(AWS_GATEWAY_ENDPOINT_URL="http://127.0.0.1:9001")
    assert get_boto3_client().meta.region_name == aws.LOCAL_REGION


def test_a_region_is_needed_for_an_endpoint_elsewhere(only):
    only(AWS_GATEWAY_ENDPOINT_URL="https://vpce-1.example.com")
    with pytest.raises(RegionMissing):
        get_boto3_client()


# Endpoints


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "x.execute-api.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "x.execute-api.us-gov-west-1.amazonaws.com"),
        ("cn-northwest-1", "x.execute-api.cn-northwest-1.amazonaws.com.cn"),
    ],
)
def test_the_host_of_an_endpoint_has_the_suffix_of_its_partition(only, region, host):
    only(AWS_REGION_NAME="eu-west-1")
    endpoint = aws.connections_endpoint("x", "production", f"wss://{host}")
    assert endpoint == (f"https://{host}/production", region)
    only(AWS_REGION_NAME=region)
    assert aws.connections_endpoint("x", "production") == endpoint


def test_the_region_of_the_api_endpoint_wins_over_the_settings(only):
    only(AWS_REGION_NAME="eu-west-1")
    wss = "wss://x.execute-api.us-east-2.amazonaws.com"
    assert aws.connections_endpoint("x", "beta", wss).region == "us-east-2"


def test_an_api_endpoint_that_tells_its_region_needs_no_setting(only):
    only()
    wss = "wss://x.execute-api.us-east-2.amazonaws.com"
    assert aws.connections_endpoint("x", "beta", wss).region == "us-east-2"


def test_a_region_of_no_partition_is_an_error_that_names_it(only):
    only(AWS_REGION_NAME="europe")
    with pytest.raises(ConfigurationError, match="europe is not an AWS region"):
        aws.connections_endpoint("x", "production")


@pytest.mark.parametrize(
    "host",
    [
        "x.execute-api.mx-central-1.amazonaws.com",
        "x.execute-api.eusc-de-east-1.amazonaws.eu",
        "x.execute-api.zz-newland-7.amazonaws.example",
        "x.execute-api.us-east-1.api.aws",
        "x.execute-api.eu-central-1.api.aws:8443",
    ],
)
def test_an_api_endpoint_tells_its_region_and_suffix_even_to_an_old_botocore(only, host):
    only()
    region = host.split(".")[2]
    found = aws.connections_endpoint("x", "beta", f"wss://{host}")
    assert found == (f"https://{host}/beta", region)
    assert aws.connections_endpoint("x", "beta", f"wss://{host.upper()}/") == found


CHOSEN = {"x": "https://ws.example.com/chat/"}


def test_an_api_may_have_an_endpoint_of_its_own_without_a_stage(only, settings):
    only()
    settings.WEBSOCKETS = {"endpoints": CHOSEN}
    wss = "wss://{}.execute-api.us-east-2.amazonaws.com"
    assert aws.connections_endpoint("x", "beta", wss.format("x")) == (
        "https://ws.example.com/chat",
        "us-east-2",
    )
    assert "//y.execute-api" in aws.connections_endpoint("y", "beta", wss.format("y")).url


def test_the_endpoint_setting_is_above_that_of_one_api(only, settings):
    only(AWS_GATEWAY_ENDPOINT_URL="http://127.0.0.1:9001")
    settings.WEBSOCKETS = {"endpoints": CHOSEN}
    assert aws.connections_endpoint("x", "beta").url == "http://127.0.0.1:9001/beta"


def knows_configured_endpoints():
    return hasattr(botocore.configprovider, "ConfiguredEndpointProvider")


configured = pytest.mark.skipif(
    not knows_configured_endpoints(), reason="This botocore goes to AWS in any case"
)
OF_MESSAGES = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"


@pytest.fixture
def emulator(only, monkeypatch):
    """``emulator(AWS_ENDPOINT_URL="http://a")``: where messages go with these variables."""
    only(AWS_REGION_NAME="eu-west-1")
    aws.forget_session()

    def endpoint(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return aws.connections_endpoint("x", "beta", "wss://x.execute-api.us-east-2.amazonaws.com")

    yield endpoint
    aws.forget_session()


@configured
def test_messages_go_where_botocore_is_told_to_go(emulator, monkeypatch):
    assert emulator(AWS_ENDPOINT_URL="http://a:1/") == ("http://a:1/beta", "us-east-2")
    control_plane = get_boto3_client()
    assert control_plane.meta.endpoint_url == "http://a:1/"
    assert emulator(**{OF_MESSAGES: "http://b:1"}).url == "http://b:1/beta"
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert emulator().url == "http://b:1/beta"


@configured
def test_messages_go_to_aws_where_botocore_is_told_to_ignore_such_urls(emulator):
    found = emulator(AWS_ENDPOINT_URL="http://a:1", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert found.url == "https://x.execute-api.us-east-2.amazonaws.com/beta"


@configured
@pytest.mark.parametrize("section", ["", "services = s\n[services s]\n{} =\n  "])
def test_messages_go_where_the_profile_says(emulator, monkeypatch, tmp_path, section):
    config = tmp_path / "config"
    section = section.format("apigatewaymanagementapi")
    config.write_text(f"[profile chat]\nregion = us-west-2\n{section}endpoint_url = http://c:1\n")
    found = emulator(AWS_CONFIG_FILE=str(config), AWS_PROFILE="chat")
    assert found.url == "http://c:1/beta"


def test_the_settings_are_above_the_environment(emulator, settings):
    settings.WEBSOCKETS = {"endpoints": CHOSEN}
    assert emulator(AWS_ENDPOINT_URL="http://a:1").url == "https://ws.example.com/chat"
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://b:1"
    assert emulator().url == "http://b:1/beta"


def test_a_profile_of_the_environment_that_is_not_there_is_no_matter_of_the_endpoint(emulator):
    assert emulator(AWS_PROFILE="nobody").url.startswith("https://x.execute-api.us-east-2.")


@pytest.mark.parametrize("name", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_a_choice_among_the_hosts_of_aws_hinders_no_message(edge, monkeypatch, name):
    monkeypatch.setenv(name, "true")
    aws.forget_session()
    client = aws.connections_client(aws.connections_endpoint("x", name))
    client.post_to_connection(ConnectionId="a", Data=b"{}")
    assert edge.lines == [f"POST /{name}/@connections/a"]


def test_the_endpoint_setting_is_above_the_api_endpoint(only):
    only(AWS_GATEWAY_ENDPOINT_URL="http://127.0.0.1:9001/", AWS_REGION_NAME="eu-west-1")
    wss = "wss://x.execute-api.us-east-2.amazonaws.com"
    assert aws.connections_endpoint("x", "beta", wss) == (
        "http://127.0.0.1:9001/beta",
        "us-east-2",
    )


def test_both_clients_go_to_the_endpoint_setting(edge):
    get_boto3_client().get_apis()
    post(aws.connections_endpoint("x", "production").url)
    assert edge.lines == ["GET /v2/apis", "POST /production/@connections/a"]


def test_without_the_endpoint_setting_both_clients_go_to_aws(only):
    only(AWS_REGION_NAME="cn-north-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    connections = aws.connections_client(aws.connections_endpoint("x", "beta"))
    host = "x.execute-api.cn-north-1.amazonaws.com.cn"
    assert connections.meta.endpoint_url == f"https://{host}/beta"
    control_plane = get_boto3_client()
    assert control_plane.meta.endpoint_url == "https://apigateway.cn-north-1.amazonaws.com.cn"


def test_a_proxy_of_the_environment_does_not_capture_a_local_gateway(edge, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HTTP_PROXY", nowhere)
        monkeypatch.setenv("http_proxy", nowhere)
        get_boto3_client().get_apis()
        post(edge.url)
    assert len(edge.requests) == 2


# Credentials


def test_keys_sign_for_the_region_of_the_endpoint(edge, settings):
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "SETTINGSKEY", "secret"
    wss = "wss://x.execute-api.us-east-2.amazonaws.com"
    client = aws.connections_client(aws.connections_endpoint("x", "beta", wss))
    client.post_to_connection(ConnectionId="a", Data=b"{}")
    assert scope(edge.requests[0]) == ("SETTINGSKEY", "us-east-2", "execute-api")


def test_a_session_token_goes_with_the_keys(edge, settings):
    settings.AWS_SESSION_TOKEN = "a token"
    post(edge.url)
    assert edge.requests[0].headers["X-Amz-Security-Token"] == "a token"


def test_a_profile_wins_over_keys(edge, settings, profiles):
    settings.AWS_IAM_PROFILE = "chat"
    get_boto3_client().get_apis()
    assert scope(edge.requests[0])[0] == "PROFILEKEY"


@pytest.mark.usefixtures("new_session")
def test_without_settings_the_keys_are_those_of_boto3s_chain(edge, only, monkeypatch):
    # The endpoint is an argument here: a local one of the settings would bring its own keys.
    only(AWS_REGION_NAME="eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENTKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    post(edge.url)
    assert scope(edge.requests[0])[0] == "ENVIRONMENTKEY"


@pytest.mark.usefixtures("new_session")
@pytest.mark.parametrize("half", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_key_pair_counts_as_none(edge, only, monkeypatch, half):
    """As in 1.1.1: a server may have its keys in the environment, and one of them twice."""
    only(AWS_REGION_NAME="eu-west-1", **{half: "x"})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENTKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    post(edge.url)
    assert scope(edge.requests[0])[0] == "ENVIRONMENTKEY"
    get_boto3_client(endpoint_url=edge.url).get_apis()
    assert scope(edge.requests[1])[0] == "ENVIRONMENTKEY"


def test_a_local_gateway_needs_no_keys(edge, only):
    only(AWS_GATEWAY_ENDPOINT_URL=edge.url)
    get_boto3_client().get_apis()
    assert scope(edge.requests[0]) == ("local", "us-east-1", "apigateway")


# Clients


def test_arguments_go_to_boto3_and_win(edge, settings):
    settings.AWS_GATEWAY_ENDPOINT_URL = None
    client = get_boto3_client(
        endpoint_url=edge.url,
        config=Config(user_agent_extra="chat/1"),
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    client.get_apis()
    assert scope(edge.requests[0])[0] == "a"
    assert "chat/1" in edge.requests[0].headers["User-Agent"]
