"""What the local gateway cannot do is refused, so that nothing is accepted and ignored."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from .refusals import BAD, CERTIFICATE, MISSING, WEBSOCKET, items, refusal
from .world import Api

ROLE = "arn:aws:iam::1:role/x"


@pytest.mark.parametrize(
    "parameters",
    [
        {"CorsConfiguration": {"AllowOrigins": ["*"]}},
        {"CredentialsArn": ROLE},
        {"ApiKeySelectionExpression": "$request.body.key"},
        {"RouteKey": "$default"},
        {"Target": "https://example.com"},
    ],
)
def test_an_api_is_refused_at_creation_and_update(world, parameters):
    control = world.control
    assert refusal(control.create_api, **WEBSOCKET, **parameters) == BAD
    identifier = control.create_api(**WEBSOCKET)["ApiId"]
    assert refusal(control.update_api, ApiId=identifier, **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"ConnectionId": "x"},
        {"ContentHandlingStrategy": "CONVERT_TO_BINARY"},
        {"CredentialsArn": ROLE},
        {"IntegrationSubtype": "SQS-SendMessage"},
        {"PassthroughBehavior": "NEVER"},
        {"PayloadFormatVersion": "2.0"},
        {"RequestTemplates": {"application/json": "{}"}},
        {"ResponseParameters": {"200": {"overwrite:header.x": "y"}}},
        {"TemplateSelectionExpression": "$default"},
        {"TlsConfig": {"ServerNameToVerify": "example.com"}},
    ],
)
def test_an_integration_is_refused_at_creation_and_update(world, parameters):
    api = Api(world)
    assert refusal(api.add_integration, name="x", **parameters) == BAD
    where = {"ApiId": api.id, "IntegrationId": api.add_integration("x")}
    assert refusal(api.control.update_integration, **where, **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"AuthorizationScopes": ["a"]},
        {"AuthorizerId": "x"},
        {"AuthorizationType": "CUSTOM"},
        {"ApiKeyRequired": True},
        {"RequestModels": {"$default": "x"}},
        {"RequestParameters": {"route.request.header.x": {"Required": True}}},
        {"RequestParameters": {"route.request.path.x": {"Required": False}}},
        {"RouteResponseSelectionExpression": "$request.body.a"},
    ],
)
def test_a_route_is_refused_at_creation_and_update(world, parameters):
    api = Api(world)
    assert refusal(api.control.create_route, ApiId=api.id, RouteKey="x", **parameters) == BAD
    where = {"ApiId": api.id, "RouteId": api.add_route("join")}
    assert refusal(api.control.update_route, **where, **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"ResponseModels": {"$default": "x"}},
        {"ResponseParameters": {"route.response.header.x": {"Required": False}}},
    ],
)
def test_a_route_response_is_refused(world, parameters):
    api = Api(world)
    where = {"ApiId": api.id, "RouteId": api.add_route("join")}
    create = api.control.create_route_response
    assert refusal(create, **where, RouteResponseKey="$default", **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"ClientCertificateId": "x"},
        {"DefaultRouteSettings": {"ThrottlingBurstLimit": -1}},
        {"DefaultRouteSettings": {"ThrottlingRateLimit": -0.5}},
        {"DefaultRouteSettings": {"LoggingLevel": "DEBUG"}},
        {"RouteSettings": {"join": {"ThrottlingBurstLimit": -1}}},
        {"RouteSettings": {"join": {"LoggingLevel": "DEBUG"}}},
        {"StageVariables": {"a b": "c"}},
        {"StageVariables": {"a-b": "c"}},
        {"StageVariables": {"a": "b c"}},
        {"StageVariables": {"a": "b\n"}},
    ],
)
def test_a_stage_is_refused_at_creation_and_update(world, parameters):
    api = Api(world)
    api.add_route("join")
    where = {"ApiId": api.id, "StageName": "production"}
    assert refusal(api.control.create_stage, **where, **parameters) == BAD
    api.control.create_stage(**where)
    assert refusal(api.control.update_stage, **where, **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"MutualTlsAuthentication": {"TruststoreUri": "s3://bucket/key"}},
        {"RoutingMode": "ROUTING_RULE_ONLY"},
        {"DomainNameConfigurations": [{"CertificateArn": CERTIFICATE}] * 2},
        {"DomainNameConfigurations": [{"EndpointType": "EDGE", "CertificateArn": CERTIFICATE}]},
    ],
)
def test_a_custom_domain_is_refused_at_creation_and_update(world, parameters):
    whole = {
        "DomainName": "ws.example.com",
        "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE}],
    }
    create, update = world.control.create_domain_name, world.control.update_domain_name
    assert refusal(create, **{**whole, **parameters}) == BAD
    create(**whole)
    assert refusal(update, DomainName="ws.example.com", **parameters) == BAD


@pytest.mark.parametrize(
    "name", ["*", "a.*.com", "*a.com", "*.*.com", "a..b", ".a.b", "a.b.", "a b.c", "a" * 64 + ".b"]
)
def test_names_that_are_none_of_domains_are_refused(world, name):
    configurations = [{"CertificateArn": CERTIFICATE}]
    create = world.control.create_domain_name
    assert refusal(create, DomainName=name, DomainNameConfigurations=configurations) == BAD


@pytest.mark.parametrize(
    "tags",
    [
        {"aws:x": "y"},
        {"": "y"},
        {"x" * 129: "y"},
        {"x": "y" * 257},
        {str(number): "y" for number in range(51)},
    ],
)
def test_tags_that_nothing_of_aws_has_are_refused(world, tags):
    control = world.control
    assert refusal(control.create_api, **WEBSOCKET, Tags=tags) == BAD
    identifier = control.create_api(**WEBSOCKET)["ApiId"]
    arn = f"arn:aws:apigateway:eu-west-1::/apis/{identifier}"
    assert refusal(control.tag_resource, ResourceArn=arn, Tags=tags) == BAD
    assert control.get_tags(ResourceArn=arn)["Tags"] == {}


def test_only_what_has_tags_can_be_tagged(world):
    api = Api(world)
    route, control = api.add_route("join"), api.control
    arn = "arn:aws:apigateway:eu-west-1::/apis"
    assert refusal(control.get_tags, ResourceArn=f"{arn}/{api.id}/routes/{route}") == BAD
    assert refusal(control.get_tags, ResourceArn=f"{arn}/unknown") == MISSING
    for wrong in ("x", arn, "arn:aws:s3:::bucket", f"arn:aws:s3:eu-west-1::/apis/{api.id}"):
        assert refusal(control.get_tags, ResourceArn=wrong) == BAD
    control.create_stage(ApiId=api.id, StageName="production")
    control.tag_resource(ResourceArn=f"{arn}/{api.id}/stages/production", Tags={"a": "b"})
    assert items(control.get_stages(ApiId=api.id))[0]["Tags"] == {"a": "b"}
