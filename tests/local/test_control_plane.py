"""The control plane as boto3 sees it: the life of each resource, lists, injection."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from .refusals import BAD, CERTIFICATE, CONFLICT, MISSING, WEBSOCKET, items, refusal

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
        "DefaultRouteSettings": {
            "DataTraceEnabled": False,
            "DetailedMetricsEnabled": True,
            "LoggingLevel": "OFF",
            "ThrottlingBurstLimit": 5,
            "ThrottlingRateLimit": 2.5,
        },
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
