"""The exact calls of each step, every parameter compared by botocore's Stubber."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.exceptions import GatewayNotReady
from django_aws_api_gateway_websockets.provisioning.routes import Route
from django_aws_api_gateway_websockets.security import proof
from tests.factories import make_gateway, make_route
from tests.stubbed import StubbedAws

pytestmark = pytest.mark.django_db

BASE = "https://www.example.com/ws/"

HEADERS_OF_EVERY_EVENT = {
    "integration.request.header.connectionId": "context.connectionId",
    "integration.request.header.eventType": "context.eventType",
    "integration.request.header.routeKey": "context.routeKey",
    "integration.request.header.stage": "context.stage",
    "integration.request.header.connectedAt": "context.connectedAt",
    "integration.request.header.requestId": "context.requestId",
    "integration.request.header.sourceIp": "context.identity.sourceIp",
}
HEADERS_OF_A_MESSAGE = {
    **HEADERS_OF_EVERY_EVENT,
    "integration.request.header.messageId": "context.messageId",
}


@pytest.fixture
def aws():
    expected = StubbedAws()
    yield expected
    expected.expect_nothing_more()


# The API


def test_create_api_says_what_the_row_says_and_no_route_key_or_target(aws):
    gateway = make_gateway(
        api_name="Chat",
        api_description="Talks",
        api_key_selection_expression="$context.authorizer.usageIdentifierKey",
        route_selection_expression="$request.body.kind",
        creation_token="token",
        tags={"team": "web", "size": 3},
    )
    aws.expect("get_apis", {"Items": []})
    aws.expect(
        "create_api",
        {"ApiId": "api1", "ApiEndpoint": "wss://api1.execute-api.eu-west-1.amazonaws.com"},
        ApiKeySelectionExpression="$context.authorizer.usageIdentifierKey",
        Description="Talks",
        DisableSchemaValidation=True,
        Name="Chat",
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.kind",
        Tags={"team": "web", "size": "3"},
        Version="token",
    )
    gateway._create_api(aws.client)
    assert gateway.api_id == "api1"
    assert gateway.api_endpoint == "wss://api1.execute-api.eu-west-1.amazonaws.com"


def test_an_api_that_an_earlier_run_made_unheard_is_taken_page_after_page(aws):
    gateway = make_gateway(creation_token="token")
    other = {"ApiId": "other", "ApiEndpoint": "wss://other", "Version": "another"}
    bare = {"ApiId": "bare", "ApiEndpoint": "wss://bare"}
    ours = {"ApiId": "ours", "ApiEndpoint": "wss://ours", "Version": "token"}
    rest = {"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$x"}
    first = [{**other, **rest}, {**bare, **rest}]
    aws.expect("get_apis", {"Items": first, "NextToken": "2"})
    aws.expect("get_apis", {"Items": [{**ours, **rest}]}, NextToken="2")
    gateway._create_api(aws.client)
    assert (gateway.api_id, gateway.api_endpoint) == ("ours", "wss://ours")


def test_no_token_of_its_own_makes_no_api_the_gateways(aws):
    rest = {"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$x"}
    blank = {"ApiId": "old", "ApiEndpoint": "wss://old", "Version": "", **rest}
    aws.expect("get_apis", {"Items": [blank]})
    aws.refuse("create_api", "NotTaken")
    with pytest.raises(aws.client.exceptions.ClientError, match="NotTaken"):
        make_gateway()._create_api(aws.client)


def test_a_known_api_is_not_made_again(aws):
    gateway = make_gateway(api_id="api1", api_endpoint="wss://api1")
    gateway._create_api(aws.client)
    assert (gateway.api_id, gateway.api_endpoint) == ("api1", "wss://api1")


@pytest.mark.parametrize("tags", [["team"], "team", 7])
def test_tags_that_are_no_object_are_refused_with_an_example(aws, tags):
    with pytest.raises(GatewayNotReady, match=r"The tags must be an object of names and values"):
        make_gateway(tags=tags)._create_api(aws.client)


# Routes


def test_the_routes_are_those_of_1_1_1_with_the_mapped_headers_and_one_for_pings(aws):
    gateway = make_gateway(api_id="api1", route_key="$default")
    make_route(gateway, route_key="join", integration_url="https://chat.example.com/join")
    aws.expect_listings()
    expect_integration(aws, gateway, "i1", f"{BASE}connect", HEADERS_OF_EVERY_EVENT)
    aws.expect_route("$connect", "i1")
    expect_integration(aws, gateway, "i2", f"{BASE}disconnect", HEADERS_OF_EVERY_EVENT)
    aws.expect_route("$disconnect", "i2")
    expect_integration(aws, gateway, "i3", f"{BASE}default", HEADERS_OF_A_MESSAGE)
    aws.expect_route("$default", "i3", RouteResponseSelectionExpression="$default")
    expect_integration(aws, gateway, "i4", "https://chat.example.com/join", HEADERS_OF_A_MESSAGE)
    aws.expect_route("join", "i4", RouteResponseSelectionExpression="$default")
    aws.expect_ping("i5")
    gateway._create_routes(aws.client)


def test_what_an_earlier_run_made_is_not_made_again(aws):
    gateway = make_gateway(api_id="api1")
    aws.expect_listings(
        routes=[{"RouteKey": "$connect", "RouteId": "r1", "Target": "integrations/i1"}],
        integrations=[
            integration("i1", f"{BASE}connect", with_proof(gateway, HEADERS_OF_EVERY_EVENT)),
            integration("i2", f"{BASE}disconnect", with_proof(gateway, HEADERS_OF_EVERY_EVENT)),
        ],
    )
    aws.expect_route("$disconnect", "i2")
    expect_integration(aws, gateway, "i3", f"{BASE}default", HEADERS_OF_A_MESSAGE)
    aws.expect_route("$default", "i3", RouteResponseSelectionExpression="$default")
    aws.expect_ping("i4")
    gateway._create_routes(aws.client)


def test_a_route_with_another_url_is_pointed_to_a_new_integration(aws):
    gateway = make_gateway(api_id="api1")
    aws.expect_listings(
        routes=[{"RouteKey": "join", "RouteId": "r1", "Target": "integrations/i1"}],
        integrations=[integration("i1", "https://old.example.com/", HEADERS_OF_A_MESSAGE)],
    )
    expect_integration(aws, gateway, "i2", "https://new.example.com/", HEADERS_OF_A_MESSAGE)
    aws.expect("update_route", {}, ApiId="api1", RouteId="r1", Target="integrations/i2")
    aws.expect("delete_integration", {}, ApiId="api1", IntegrationId="i1")
    table = gateway.route_table(aws.client)
    table.ensure(Route("join", "https://new.example.com/"))
    table.remove_unused_integrations()


def test_a_route_of_1_1_1_gets_the_headers_that_it_lacks(aws):
    gateway = make_gateway(api_id="api1")
    aws.expect_listings(
        routes=[{"RouteKey": "$connect", "RouteId": "r1", "Target": "integrations/i1"}],
        integrations=[integration("i1", f"{BASE}connect", OLD_HEADERS)],
    )
    expect_integration(aws, gateway, "i2", f"{BASE}connect", HEADERS_OF_EVERY_EVENT)
    aws.expect("update_route", {}, ApiId="api1", RouteId="r1", Target="integrations/i2")
    aws.expect("delete_integration", {}, ApiId="api1", IntegrationId="i1")
    table = gateway.route_table(aws.client)
    table.ensure(Route("$connect", f"{BASE}connect"))
    table.remove_unused_integrations()


def test_an_integration_that_is_not_ours_is_left_alone(aws):
    """Somebody may be building a route by hand."""
    aws.expect_listings(integrations=[integration("i1", "https://elsewhere.example.com/", {})])
    make_gateway(api_id="api1").route_table(aws.client).remove_unused_integrations()


def test_an_integration_that_another_route_uses_is_kept(aws):
    url = "https://www.example.com/ws/chat"
    aws.expect_listings(
        routes=[
            {"RouteKey": "join", "RouteId": "r1", "Target": "integrations/i1"},
            {"RouteKey": "leave", "RouteId": "r2", "Target": "integrations/i1"},
        ],
        integrations=[integration("i1", url, HEADERS_OF_A_MESSAGE)],
    )
    aws.expect("delete_route", {}, ApiId="api1", RouteId="r2")
    table = make_gateway(api_id="api1").route_table(aws.client)
    table.remove("leave")
    table.remove("never was")
    table.remove_unused_integrations()


# Stage, deployment, domain


@pytest.mark.parametrize(
    ("stage_name", "stage"), [("beta", "beta"), ("", "production"), ("production", "production")]
)
def test_the_stage_is_made_and_the_routes_deployed_to_it(aws, stage_name, stage):
    gateway = make_gateway(api_id="api1", stage_name=stage_name, stage_description="For all")
    aws.expect("get_stages", {"Items": [{"StageName": "another"}]}, ApiId="api1")
    aws.expect("create_stage", {}, ApiId="api1", StageName=stage)
    expect_frozen(aws)
    aws.expect(
        "create_deployment",
        {"DeploymentId": "d1"},
        ApiId="api1",
        Description="For all",
        StageName=stage,
    )
    gateway._create_stage_and_deploy(aws.client)
    gateway.refresh_from_db()
    assert gateway.deployment_id == "d1"


def test_a_stage_that_exists_is_not_made_again(aws):
    gateway = make_gateway(api_id="api1")
    aws.expect("get_stages", {"Items": [{"StageName": "production"}]}, ApiId="api1")
    expect_frozen(aws)
    aws.expect(
        "create_deployment",
        {"DeploymentId": "d1"},
        ApiId="api1",
        Description="",
        StageName="production",
    )
    gateway._create_stage_and_deploy(aws.client)


@pytest.mark.parametrize("hosted_zone_id", ["", "Z123"])
def test_the_domain_is_made_without_a_hosted_zone(aws, hosted_zone_id):
    gateway = make_gateway(
        domain_name="ws.example.com",
        certificate_arn="arn:aws:acm:x",
        hosted_zone_id=hosted_zone_id,
        tags={"team": "web"},
    )
    aws.refuse("get_domain_name", "NotFoundException", DomainName="ws.example.com")
    aws.expect(
        "create_domain_name",
        domain("d-1.execute-api.eu-west-1.amazonaws.com"),
        DomainName="ws.example.com",
        DomainNameConfigurations=[
            {
                "CertificateArn": "arn:aws:acm:x",
                "DomainNameStatus": "AVAILABLE",
                "EndpointType": "REGIONAL",
                "SecurityPolicy": "TLS_1_2",
            }
        ],
        Tags={"team": "web"},
    )
    answer = gateway._create_domain_name(aws.client)
    assert answer == domain("d-1.execute-api.eu-west-1.amazonaws.com")


def test_a_domain_that_exists_is_taken(aws):
    gateway = make_gateway(domain_name="ws.example.com")
    aws.expect("get_domain_name", domain("d-1.example.com"), DomainName="ws.example.com")
    aws.expect("get_api_mappings", {"Items": []}, DomainName="ws.example.com")
    assert gateway._create_domain_name(aws.client) == domain("d-1.example.com")


def test_the_stage_is_mapped_to_the_domain(aws):
    gateway = make_gateway(domain_name="ws.example.com", api_id="api1", stage_name="beta")
    other = {"ApiId": "api1", "Stage": "alpha", "ApiMappingKey": "a", "ApiMappingId": "m0"}
    aws.expect("get_api_mappings", {"Items": [other]}, DomainName="ws.example.com")
    aws.expect(
        "create_api_mapping",
        {"ApiMappingId": "m1"},
        ApiId="api1",
        DomainName="ws.example.com",
        Stage="beta",
    )
    assert gateway._create_api_mapping(aws.client) == "m1"


def test_a_mapping_that_exists_is_taken(aws):
    gateway = make_gateway(domain_name="ws.example.com", api_id="api1")
    ours = {"ApiId": "api1", "Stage": "production", "ApiMappingKey": "", "ApiMappingId": "m0"}
    aws.expect("get_api_mappings", {"Items": [ours]}, DomainName="ws.example.com")
    assert gateway._create_api_mapping(aws.client) == "m0"


def expect_integration(aws, gateway, integration_id, url, headers):
    aws.expect_integration(integration_id, url, with_proof(gateway, headers))


def expect_frozen(aws):
    """What the hash of a deployment is made of: here of nothing, so that there is none."""
    aws.expect_listings()
    api = {"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$x"}
    aws.expect("get_api", api, ApiId="api1")


def with_proof(gateway, headers):
    """What an integration maps: the facts of an event, and as a static value the secret."""
    value = f"'{proof.value_for(gateway)}'"
    return {**headers, "integration.request.header.X-Websocket-Secret": value}


OLD_HEADERS = {"integration.request.header.connectionId": "context.connectionId"}


def integration(integration_id, url, headers):
    """One of GetIntegrations' items."""
    return {"IntegrationId": integration_id, "IntegrationUri": url, "RequestParameters": headers}


def domain(target):
    return {"DomainNameConfigurations": [{"ApiGatewayDomainName": target}]}
