"""Provisioning with the mocks that tests for 1.1.1 put in the place of boto3's client."""

from __future__ import annotations

from unittest import mock

import pytest

from django_aws_api_gateway_websockets import aws, models
from django_aws_api_gateway_websockets.exceptions import ProvisioningError
from tests.factories import fresh, make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db

DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}

ANSWERS = {
    "create_api": {"ApiId": "api1", "ApiEndpoint": "wss://api1"},
    "create_integration": {"IntegrationId": "i1"},
    "create_route": {"RouteId": "r1"},
    "create_deployment": {"DeploymentId": "d1"},
    "create_domain_name": {"DomainNameConfigurations": [{"ApiGatewayDomainName": "d-1.x"}]},
    "create_api_mapping": {"ApiMappingId": "m1"},
}


CALLS_OF_1_1_1 = [*ANSWERS, "create_stage"]


@pytest.fixture(
    params=[mock.MagicMock, mock.Mock, lambda: mock.Mock(spec_set=CALLS_OF_1_1_1)],
    ids=["MagicMock", "Mock", "a fake of the calls of 1.1.1"],
)
def client(request):
    """A client that answers what 1.1.1 read of AWS's answers, and is a mock for the rest."""
    client = request.param()
    for operation, answer in ANSWERS.items():
        getattr(client, operation).return_value = answer
    with mock.patch.object(models, "get_boto3_client", return_value=client):
        yield client


@pytest.fixture
def clueless():
    """A mock that was told nothing: each of its answers is a mock."""
    client = mock.MagicMock()
    with mock.patch.object(models, "get_boto3_client", return_value=client):
        yield client


def test_a_mock_that_answers_as_for_1_1_1_makes_a_gateway(client):
    gateway = make_gateway(**DOMAIN)
    make_route(gateway, route_key="join")
    gateway.create_gateway()
    gateway.create_custom_domain()
    gateway = fresh(gateway)
    assert (gateway.api_id, gateway.api_endpoint) == ("api1", "wss://api1")
    assert gateway.deployment_id == "d1"
    assert (gateway.api_gateway_domain_name, gateway.api_mapping_id) == ("d-1.x", "m1")
    assert (gateway.api_created, gateway.has_custom_domain) == (True, True)
    assert client.create_route.call_count == 4
    client.create_stage.assert_called_once_with(ApiId="api1", StageName="production")
    client.create_domain_name.assert_called_once()
    assert "delete_integration" not in [call[0] for call in client.method_calls]


def test_a_mock_deploys_the_route_of_a_live_gateway(client, commit):
    gateway = make_created_gateway(api_id="api1")
    with commit():
        route = make_route(gateway)
    assert fresh(route).deployed
    client.create_deployment.assert_called_once()


@pytest.mark.parametrize("verb", ["create_gateway", "create_custom_domain", "upgrade_gateway"])
def test_a_mock_that_answers_mocks_fails_and_leaves_the_columns_as_they_were(clueless, verb):
    gateway = (make_gateway if verb == "create_gateway" else make_created_gateway)(**DOMAIN)
    before = fresh(gateway)
    with pytest.raises(ProvisioningError, match="AWS's answer has no "):
        getattr(gateway, verb)()
    gateway = fresh(gateway)
    assert gateway.status == "failed"
    for column in ("api_id", "api_endpoint", "deployment_id", "api_mapping_id"):
        assert getattr(gateway, column) == getattr(before, column)


@pytest.mark.parametrize(
    "pages",
    [
        [{"Items": [1], "NextToken": mock.MagicMock()}],
        [{"Items": [1], "NextToken": 7}],
        [{"Items": [1], "NextToken": ""}],
        [{"Items": [1]}],
        [{"NextToken": "a"}, {"Items": [1], "NextToken": "a"}],
        [{"NextToken": "a"}, {"NextToken": "b"}, {"Items": [1], "NextToken": "a"}],
    ],
)
def test_paging_ends_where_the_token_is_no_text_or_comes_again(pages):
    client = mock.Mock()
    client.get_apis.side_effect = pages
    assert [*aws.paginate(client, "get_apis")] == [1]
    assert client.get_apis.call_count == len(pages)


def test_each_token_is_sent_with_the_next_call():
    client = mock.Mock()
    client.get_routes.side_effect = [{"Items": [1], "NextToken": "2"}, {"Items": [2]}]
    assert [*aws.paginate(client, "get_routes", ApiId="api1")] == [1, 2]
    expected = [mock.call(ApiId="api1"), mock.call(ApiId="api1", NextToken="2")]
    assert client.get_routes.call_args_list == expected


def test_a_mock_that_lacks_a_call_as_moto_does_is_deployed_without_a_hash(client):
    if not hasattr(client, "get_routes"):
        pytest.skip("This fake has no listings either")
    client.get_routes.return_value = {"Items": [{"RouteKey": "x", "RouteId": "r1"}]}
    client.get_api.side_effect = NotImplementedError
    make_created_gateway(api_id="api1", stage_description="For all").upgrade_gateway()
    (call,) = client.create_deployment.call_args_list
    assert call == mock.call(ApiId="api1", Description="For all", StageName="production")


def test_a_mock_takes_any_address_type(client):
    gateway = make_gateway(ip_address_type="dualstack")
    gateway.create_gateway()
    (call,) = client.create_api.call_args_list
    assert call[1]["IpAddressType"] == "dualstack"


def test_a_mock_is_asked_for_the_responses_of_a_gateway_that_has_them(client):
    if not hasattr(client, "create_route_response"):
        pytest.skip("This fake has the calls of 1.1.1 alone")
    make_gateway(route_responses=True).create_gateway()
    expected = mock.call(ApiId="api1", RouteId="r1", RouteResponseKey="$default")
    assert client.create_route_response.call_args_list == [expected]


def test_a_mock_makes_no_route_for_pings_and_a_mock_without_ids_no_response(client):
    client.create_route.return_value = None
    gateway = make_gateway(route_responses=True)
    gateway.create_gateway()
    assert [call[1]["RouteKey"] for call in client.create_route.call_args_list] == [
        route.key for route in gateway.own_routes()
    ]


def test_what_cannot_be_listed_as_with_moto_counts_as_there(local_gateway):
    gateway = make_gateway()
    gateway.create_gateway()
    client = models.get_boto3_client()
    with mock.patch.object(models, "get_boto3_client", return_value=client), mock.patch.object(
        client, "get_route_responses", side_effect=NotImplementedError
    ), mock.patch.object(client, "create_route_response") as create:
        gateway.upgrade_gateway()
    assert not create.called
