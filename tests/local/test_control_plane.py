"""The control plane as boto3 sees it: rows 26 and 28 of the fidelity list, and its rules."""

from __future__ import annotations

import http.client
import json
from datetime import datetime, timezone
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from botocore.exceptions import ClientError
from websockets.exceptions import InvalidStatus

from .backend import PATIENCE, Reply
from .world import Api

CERTIFICATE = "arn:aws:acm:eu-west-1:1:certificate/1"
WEBSOCKET = {
    "Name": "test",
    "ProtocolType": "WEBSOCKET",
    "RouteSelectionExpression": "$request.body.action",
}


def refusal(call, **parameters):
    """The error type and status that a call is answered with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    response = error.value.response
    assert response["Error"]["Message"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


BAD, MISSING, CONFLICT = (
    ("BadRequestException", 400),
    ("NotFoundException", 404),
    ("ConflictException", 409),
)


def raw(world, method, path, body):
    """A call that boto3 would not let anybody make."""
    address = urlsplit(world.gateway.endpoint_url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    try:
        headers = {"Authorization": "AWS4-HMAC-SHA256 x"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def items(page):
    return page["Items"]


# Row 26: changes are live only after a deployment.


def test_a_new_route_is_live_only_after_a_deployment(world):
    api = world.api("$default")
    client = world.connect(api.url)
    api.add_route("join")
    client.send('{"action": "join"}')
    world.backend.one("default")
    api.deploy()
    client.send('{"action": "join"}')
    world.backend.one("join")


def test_changed_and_deleted_resources_are_live_only_after_a_deployment(world):
    api = Api(world, "$request.body.action")
    integration = api.add_integration("before")
    route = api.control.create_route(
        ApiId=api.id, RouteKey="join", Target=f"integrations/{integration}"
    )["RouteId"]
    api.add_route("$default")
    api.deploy()
    client = world.connect(api.url)
    api.control.update_integration(
        ApiId=api.id, IntegrationId=integration, IntegrationUri=f"{world.backend.url}/after"
    )
    client.send('{"action": "join"}')
    world.backend.one("before")
    api.deploy()
    client.send('{"action": "join"}')
    world.backend.one("after")
    api.control.delete_route(ApiId=api.id, RouteId=route)
    api.control.update_api(ApiId=api.id, RouteSelectionExpression="$request.body.other")
    client.send('{"action": "join"}')
    world.backend.received("after", 2)
    api.deploy()
    client.send('{"action": "join"}')
    world.backend.one("default")


def test_a_route_response_is_live_only_after_a_deployment(world):
    api = Api(world)
    route = api.add_route("$default", route={"RouteResponseSelectionExpression": "$default"})
    api.deploy()
    client = world.connect(api.url)
    api.control.create_route_response(ApiId=api.id, RouteId=route, RouteResponseKey="$default")
    world.backend.answer("default", Reply(200, b"too early"))
    client.send("1")
    world.backend.one("default")
    api.deploy()
    world.backend.answer("default", Reply(200, b"heard"))
    client.send("2")
    assert client.recv(PATIENCE) == "heard"


def test_a_stage_can_be_set_back_to_an_earlier_deployment(world):
    api = world.api("$default")
    stages = api.control.get_stage(ApiId=api.id, StageName="production")
    api.add_route("join")
    api.deploy()
    api.control.update_stage(
        ApiId=api.id, StageName="production", DeploymentId=stages["DeploymentId"]
    )
    world.connect(api.url).send('{"action": "join"}')
    world.backend.one("default")


def test_a_deployment_without_a_stage_goes_live_with_the_stage_that_names_it(world):
    api = Api(world)
    api.add_route("$default")
    deployment = api.control.create_deployment(ApiId=api.id, Description="first")
    assert deployment["DeploymentStatus"] == "DEPLOYED"
    with pytest.raises(InvalidStatus):
        world.connect(api.url)
    api.control.create_stage(
        ApiId=api.id, StageName="production", DeploymentId=deployment["DeploymentId"]
    )
    world.connect(api.url)


@pytest.mark.parametrize("incomplete", ["no route", "no integration"])
def test_an_incomplete_api_cannot_be_deployed(world, incomplete):
    api = Api(world)
    if incomplete == "no integration":
        api.control.create_route(ApiId=api.id, RouteKey="$default")
    assert refusal(api.control.create_deployment, ApiId=api.id) == BAD


def test_a_deployment_to_an_unknown_stage_makes_none(world):
    api = world.api()
    assert refusal(api.control.create_deployment, ApiId=api.id, StageName="x") == MISSING
    assert len(items(api.control.get_deployments(ApiId=api.id))) == 1


# Every resource: create, get, list, update, delete

CREATED = {
    "api": {},
    "integration": {
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "POST",
        "IntegrationUri": "https://example.com/ws/default",
        "ConnectionType": "INTERNET",
        "PassthroughBehavior": "WHEN_NO_MATCH",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": 29000,
    },
    "route": {"RouteKey": "join", "ApiKeyRequired": False, "AuthorizationType": "NONE"},
    "stage": {
        "StageName": "beta",
        "Description": "to try",
        "StageVariables": {"a": "b"},
        "DefaultRouteSettings": {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 2.5},
        "Tags": {"x": "y"},
    },
    "deployment": {"Description": "first"},
}
CHANGED = {
    "integration": {"IntegrationUri": "https://example.com/ws/other"},
    "route": {"RouteKey": "leave"},
    "stage": {"Description": "changed", "StageVariables": {"a": "", "c": "d"}},
    "deployment": {"Description": "changed"},
}
AFTER = {"stage": {"Description": "changed", "StageVariables": {"c": "d"}}}
IDS = {"stage": "StageName"}


@pytest.mark.parametrize("noun", ["integration", "route", "stage", "deployment"])
def test_the_life_of_a_resource(world, noun):
    api = world.api("$default")
    id_member = IDS.get(noun, f"{noun.title()}Id")
    call = {
        verb: getattr(api.control, f"{verb}_{noun}")
        for verb in ("create", "get", "update", "delete")
    }
    created = call["create"](ApiId=api.id, **CREATED[noun])
    where = {"ApiId": api.id, id_member: created[id_member]}
    shown = call["get"](**where)
    for member, value in CREATED[noun].items():
        assert created[member] == shown[member] == value
    updated = call["update"](**where, **CHANGED[noun])
    assert call["get"](**where).items() >= AFTER.get(noun, CHANGED[noun]).items()
    listed = items(getattr(api.control, f"get_{noun}s")(ApiId=api.id))
    updated.pop("ResponseMetadata")
    assert updated in listed
    call["delete"](**where)
    assert refusal(call["get"], **where) == MISSING
    assert refusal(call["delete"], **where) == MISSING
    assert refusal(call["update"], **where) == MISSING
    assert refusal(call["create"], **{**CREATED[noun], "ApiId": "unknown"}) == MISSING
    assert refusal(getattr(api.control, f"get_{noun}s"), ApiId="unknown") == MISSING


def test_the_life_of_an_api(world):
    control = world.control
    created = control.create_api(**WEBSOCKET, Description="mine", Tags={"team": "chat"})
    identifier = created["ApiId"]
    assert created["ApiEndpoint"] == f"{world.gateway.socket_endpoint}/{identifier}"
    assert created["ApiKeySelectionExpression"] == "$request.header.x-api-key"
    assert created["Tags"] == {"team": "chat"}
    assert abs((datetime.now(timezone.utc) - created["CreatedDate"]).total_seconds()) < 60
    (listed,) = items(control.get_apis())
    assert listed == {key: value for key, value in created.items() if key != "ResponseMetadata"}
    control.update_api(ApiId=identifier, Name="renamed")
    shown = control.get_api(ApiId=identifier)
    assert (shown["Name"], shown["Description"]) == ("renamed", "mine")
    control.delete_api(ApiId=identifier)
    assert items(control.get_apis()) == []
    assert refusal(control.get_api, ApiId=identifier) == MISSING


def test_a_deleted_api_takes_all_below_it_along(world):
    api = world.api()
    api.control.delete_api(ApiId=api.id)
    assert refusal(api.control.get_routes, ApiId=api.id) == MISSING
    with pytest.raises(InvalidStatus) as error:
        world.connect(api.url)
    assert error.value.response.status_code == 403


def test_two_apis_may_have_one_name(world):
    control = world.control
    ids = {control.create_api(**WEBSOCKET)["ApiId"] for _ in range(2)}
    assert {api["ApiId"] for api in items(control.get_apis())} == ids
    assert len(ids) == 2


def test_the_life_of_a_route_response(world):
    api = world.api("$default")
    (route,) = items(api.control.get_routes(ApiId=api.id))
    where = {"ApiId": api.id, "RouteId": route["RouteId"]}
    created = api.control.create_route_response(**where, RouteResponseKey="$default")
    one = {**where, "RouteResponseId": created["RouteResponseId"]}
    assert api.control.get_route_response(**one)["RouteResponseKey"] == "$default"
    expression = "$default"
    api.control.update_route_response(**one, ModelSelectionExpression=expression)
    (listed,) = items(api.control.get_route_responses(**where))
    assert listed["ModelSelectionExpression"] == expression
    assert (
        refusal(api.control.create_route_response, **where, RouteResponseKey="$default")
        == CONFLICT
    )
    assert refusal(api.control.create_route_response, **where, RouteResponseKey="x") == BAD
    api.control.delete_route_response(**one)
    assert items(api.control.get_route_responses(**where)) == []


def test_the_life_of_a_custom_domain(world):
    api = world.api()
    domain = {
        "DomainName": "ws.example.com",
        "DomainNameConfigurations": [
            {
                "CertificateArn": CERTIFICATE,
                "DomainNameStatus": "AVAILABLE",
                "EndpointType": "REGIONAL",
                "SecurityPolicy": "TLS_1_2",
                "HostedZoneId": "ZMINE",
            }
        ],
        "Tags": {"a": "b"},
    }
    created = api.control.create_domain_name(**domain)
    (configuration,) = created["DomainNameConfigurations"]
    assert configuration["ApiGatewayDomainName"]
    assert configuration["HostedZoneId"] != "ZMINE"
    assert refusal(api.control.create_domain_name, **domain) == CONFLICT
    other = [{"CertificateArn": CERTIFICATE.replace("/1", "/2")}]
    api.control.update_domain_name(DomainName="ws.example.com", DomainNameConfigurations=other)
    (changed,) = api.control.get_domain_name(DomainName="ws.example.com")[
        "DomainNameConfigurations"
    ]
    assert changed["ApiGatewayDomainName"] == configuration["ApiGatewayDomainName"]
    assert changed["CertificateArn"].endswith("/2")
    assert [item["DomainName"] for item in items(api.control.get_domain_names())] == [
        "ws.example.com"
    ]
    api.control.delete_domain_name(DomainName="ws.example.com")
    assert refusal(api.control.get_domain_name, DomainName="ws.example.com") == MISSING


def test_the_life_of_an_api_mapping(world):
    api = world.api()
    api.control.create_domain_name(
        DomainName="ws.example.com", DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}]
    )
    where = {"DomainName": "ws.example.com"}
    what = {**where, "ApiId": api.id, "Stage": "production"}
    created = api.control.create_api_mapping(**what)
    one = {**where, "ApiMappingId": created["ApiMappingId"]}
    assert created["ApiMappingKey"] == ""
    assert refusal(api.control.create_api_mapping, **what) == CONFLICT
    assert refusal(api.control.create_api_mapping, **what, ApiMappingKey="a b") == BAD
    assert refusal(api.control.create_api_mapping, **{**what, "ApiId": "x"}) == MISSING
    assert refusal(api.control.create_api_mapping, **{**what, "Stage": "x"}) == MISSING
    assert refusal(api.control.create_api_mapping, **{**what, "DomainName": "x.y"}) == MISSING
    api.control.update_api_mapping(**one, ApiId=api.id, ApiMappingKey="chat")
    assert api.control.get_api_mapping(**one)["ApiMappingKey"] == "chat"
    assert len(items(api.control.get_api_mappings(**where))) == 1
    api.control.delete_api_mapping(**one)
    assert items(api.control.get_api_mappings(**where)) == []


def test_tags_can_be_shown_added_and_removed(world):
    control = world.control
    identifier = control.create_api(**WEBSOCKET, Tags={"a": "1", "b": "2"})["ApiId"]
    arn = f"arn:aws:apigateway:eu-west-1::/apis/{identifier}"
    control.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": "4"})
    control.untag_resource(ResourceArn=arn, TagKeys=["a", "unknown"])
    assert control.get_tags(ResourceArn=arn)["Tags"] == {"b": "3", "c": "4"}
    assert control.get_api(ApiId=identifier)["Tags"] == {"b": "3", "c": "4"}
    assert refusal(control.get_tags, ResourceArn=f"{arn}x") == MISSING


# Lists


def test_lists_come_in_pages_if_asked_for(world):
    control = world.control
    for number in range(5):
        control.create_api(**{**WEBSOCKET, "Name": str(number)})
    first = control.get_apis(MaxResults="2")
    assert [api["Name"] for api in first["Items"]] == ["0", "1"]
    assert "NextToken" not in control.get_apis()
    pages = control.get_paginator("get_apis").paginate(PaginationConfig={"PageSize": 2})
    assert [api["Name"] for page in pages for api in page["Items"]] == list("01234")
    assert refusal(control.get_apis, MaxResults="0") == BAD
    assert refusal(control.get_apis, MaxResults="x") == BAD
    assert refusal(control.get_apis, NextToken="x") == BAD


# What AWS refuses


@pytest.mark.parametrize(
    "parameters",
    [
        {"RouteKey": "$default"},
        {"Target": "https://example.com"},
        {"CredentialsArn": "arn:aws:iam::1:role/x"},
        {"ProtocolType": "HTTP"},
        {"RouteSelectionExpression": "nonsense"},
    ],
)
def test_apis_that_cannot_be(world, parameters):
    control = world.control
    assert refusal(control.create_api, **{**WEBSOCKET, **parameters}) == BAD
    assert items(control.get_apis()) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"IntegrationType": "AWS_PROXY"},
        {"IntegrationType": "MOCK"},
        {"ConnectionType": "VPC_LINK", "ConnectionId": "x"},
        {"IntegrationMethod": ""},
        {"IntegrationMethod": "PO\nST"},
        {"IntegrationUri": ""},
        {"IntegrationUri": "ftp://example.com/"},
        {"IntegrationUri": "http:///ws/"},
        {"TimeoutInMillis": 29_001},
        {"PassthroughBehavior": "SOMETIMES"},
    ],
)
def test_integrations_that_cannot_be(world, parameters):
    api = Api(world)
    assert refusal(api.add_integration, name="x", **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"Target": "integrations/unknown"},
        {"Target": "elsewhere"},
        {"AuthorizationType": "AWS_IAM"},
        {"AuthorizationType": "NOBODY"},
        {"ApiKeyRequired": True},
        {"RequestParameters": {"method.request.header.x": {"Required": False}}},
    ],
)
def test_routes_that_cannot_be(world, parameters):
    api = Api(world)
    route = {"ApiId": api.id, "RouteKey": "join", **parameters}
    assert refusal(api.control.create_route, **route) == BAD


def test_a_target_is_an_integration_and_nothing_else(world):
    api = Api(world)
    route = api.add_route("join")
    target = {"ApiId": api.id, "RouteKey": "leave", "Target": f"routes/{route}"}
    assert refusal(api.control.create_route, **target) == BAD


@pytest.mark.parametrize("parameters", [{"StageName": "a b"}, {"StageName": "$default"}])
def test_stages_that_cannot_be(world, parameters):
    api = Api(world)
    assert refusal(api.control.create_stage, ApiId=api.id, **parameters) == BAD


def test_a_stage_of_an_unknown_deployment_is_not_found(world):
    api = Api(world)
    stage = {"ApiId": api.id, "StageName": "x", "DeploymentId": "unknown"}
    assert refusal(api.control.create_stage, **stage) == MISSING


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("a/b.c", {"CertificateArn": CERTIFICATE}),
        ("localhost", {"CertificateArn": CERTIFICATE}),
        ("a.b", {}),
        ("a.b", {"CertificateArn": CERTIFICATE, "EndpointType": "EDGE"}),
        ("a.b", {"CertificateArn": CERTIFICATE, "SecurityPolicy": "TLS_1_0"}),
        ("a.b", None),
    ],
)
def test_domains_that_cannot_be(world, name, configuration):
    configurations = {} if configuration is None else {"DomainNameConfigurations": [configuration]}
    assert refusal(world.control.create_domain_name, DomainName=name, **configurations) == BAD


def test_route_keys_and_stage_names_are_unique(world):
    api = world.api("join", "leave")
    assert refusal(api.control.create_route, ApiId=api.id, RouteKey="join") == CONFLICT
    assert refusal(api.control.create_stage, ApiId=api.id, StageName="production") == CONFLICT
    leave = items(api.control.get_routes(ApiId=api.id))[1]["RouteId"]
    renamed = {"ApiId": api.id, "RouteId": leave, "RouteKey": "join"}
    assert refusal(api.control.update_route, **renamed) == CONFLICT
    api.control.update_route(**{**renamed, "RouteKey": "leave"})


def test_what_is_referred_to_cannot_be_deleted(world):
    api = world.api("$default")
    (route,) = items(api.control.get_routes(ApiId=api.id))
    (integration,) = items(api.control.get_integrations(ApiId=api.id))
    (deployment,) = items(api.control.get_deployments(ApiId=api.id))
    of_integration = {"ApiId": api.id, "IntegrationId": integration["IntegrationId"]}
    of_deployment = {"ApiId": api.id, "DeploymentId": deployment["DeploymentId"]}
    assert refusal(api.control.delete_integration, **of_integration) == CONFLICT
    assert refusal(api.control.delete_deployment, **of_deployment) == BAD
    api.control.delete_route(ApiId=api.id, RouteId=route["RouteId"])
    api.control.delete_integration(**of_integration)
    api.control.delete_stage(ApiId=api.id, StageName="production")
    api.control.delete_deployment(**of_deployment)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("import_api", {"Body": "openapi"}),
        ("create_model", {"ContentType": "a/b", "Name": "x", "Schema": "{}"}),
        ("reset_authorizers_cache", {"StageName": "production"}),
        ("reimport_api", {"Body": "openapi"}),
        ("get_vpc_links", {}),
    ],
)
def test_calls_that_are_not_played_say_so(world, operation, parameters):
    api = world.api()
    where = {} if operation in ("import_api", "get_vpc_links") else {"ApiId": api.id}
    code, status = refusal(getattr(api.control, operation), **where, **parameters)
    assert (code, status) == ("NotImplementedException", 501)


# Row 28, and what boto3 itself would not send


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "Name"),
        (b'{"name": 5, "protocolType": "WEBSOCKET"}', "Name"),
        (b'{"name": "x", "protocolType": ["WEBSOCKET"]}', "ProtocolType"),
        (b'{"name": "x", "protocolType": "CARRIER_PIGEON"}', "ProtocolType"),
        (b'{"name": "x", "protocolType": "WEBSOCKET", "tags": []}', "Tags"),
        (b'{"name": "x", "protocolType": "WEBSOCKET", "tags": {"a": 1}}', "Tags"),
    ],
)
def test_bad_input_is_a_bad_request(world, body, words):
    status, document = raw(world, "POST", "/v2/apis", body)
    assert status == 400
    assert words in document["message"]


def test_bad_input_in_lists_and_structures_is_a_bad_request(world):
    for configurations in (5, [5], [{"certificateArn": 5}]):
        body = {"domainName": "a.b", "domainNameConfigurations": configurations}
        assert raw(world, "POST", "/v2/domainnames", json.dumps(body))[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/"),
        ("GET", "/v2"),
        ("GET", "/v2/apis/"),
        ("GET", "/v2/apis//routes"),
        ("DELETE", "/v2/apis"),
        ("PUT", "/v2/nonsense"),
        ("GET", "/v1/apis"),
    ],
)
def test_paths_that_do_not_exist_are_not_found(world, method, path):
    assert raw(world, method, path, b"")[0] == 404


def test_a_body_cannot_speak_for_the_path(world):
    api = world.api("$default")
    body = json.dumps({"apiId": "other", "routeKey": "join"})
    assert raw(world, "POST", f"/v2/apis/{api.id}/routes", body)[0] == 201
    assert len(items(api.control.get_routes(ApiId=api.id))) == 2


# Injection, and the calls seen


def test_an_injected_error_stands_for_the_call(world):
    control = world.control
    world.gateway.inject("CreateApi", status=429, error_type="TooManyRequestsException", times=2)
    world.gateway.inject("CreateApi")
    for expected in [("TooManyRequestsException", 429)] * 2 + [("InternalServerException", 500)]:
        assert refusal(control.create_api, **WEBSOCKET) == expected
    assert items(control.get_apis()) == []
    control.create_api(**WEBSOCKET)


def test_an_injected_error_after_the_fact_hides_a_success(world):
    control = world.control
    world.gateway.inject("CreateApi", status=504, after=True)
    assert refusal(control.create_api, **WEBSOCKET) == ("InternalServerException", 504)
    assert len(items(control.get_apis())) == 1


@pytest.mark.parametrize("operation", ["create_api", "PostToConnections", ""])
def test_an_operation_that_does_not_exist_cannot_be_injected(world, operation):
    with pytest.raises(ValueError, match="no operation"):
        world.gateway.inject(operation)


def test_the_calls_seen_are_named_and_spelt_as_in_boto3(world):
    api = world.api("$default")
    operations = [operation for operation, _ in world.gateway.requests]
    assert operations == [
        "CreateApi",
        "CreateIntegration",
        "CreateRoute",
        "CreateStage",
        "CreateDeployment",
    ]
    assert world.gateway.requests[0][1] == WEBSOCKET
    route = world.gateway.requests[2][1]
    assert (route["ApiId"], route["RouteKey"]) == (api.id, "$default")
    assert world.gateway.requests[-1][1] == {"ApiId": api.id, "StageName": "production"}
