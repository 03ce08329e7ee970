"""What AWS shows of a resource that its caller has not set, and IP address types."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from .refusals import BAD, CERTIFICATE, WEBSOCKET, items, refusal
from .world import Api


def test_the_defaults_of_an_api(world):
    created = world.control.create_api(**WEBSOCKET)
    shown = world.control.get_api(ApiId=created["ApiId"])
    (listed,) = items(world.control.get_apis())
    for api in (created, shown, listed):
        assert api["ApiKeySelectionExpression"] == "$request.header.x-api-key"
        assert api["RouteSelectionExpression"] == "$request.body.action"
        assert api["DisableExecuteApiEndpoint"] is False
        assert api["DisableSchemaValidation"] is False
        assert api["IpAddressType"] == "ipv4"
        assert api["Tags"] == {}
        assert api["CreatedDate"].tzinfo is not None


def test_the_defaults_of_an_integration(world):
    api = Api(world)
    identifier = api.add_integration("x")
    shown = api.control.get_integration(ApiId=api.id, IntegrationId=identifier)
    assert shown["IntegrationResponseSelectionExpression"] == "${integration.response.statuscode}"
    assert (shown["ConnectionType"], shown["PayloadFormatVersion"]) == ("INTERNET", "1.0")
    assert (shown["PassthroughBehavior"], shown["TimeoutInMillis"]) == ("WHEN_NO_MATCH", 29_000)


def test_the_defaults_of_a_route(world):
    api = Api(world)
    shown = api.control.create_route(ApiId=api.id, RouteKey="join")
    assert (shown["ApiKeyRequired"], shown["AuthorizationType"]) == (False, "NONE")


def test_the_defaults_of_a_stage(world):
    api = Api(world)
    created = api.control.create_stage(ApiId=api.id, StageName="production")
    shown = api.control.get_stage(ApiId=api.id, StageName="production")
    for stage in (created, shown):
        assert stage["DefaultRouteSettings"] == {
            "DataTraceEnabled": False,
            "DetailedMetricsEnabled": False,
            "LoggingLevel": "OFF",
        }
        assert (stage["RouteSettings"], stage["StageVariables"], stage["Tags"]) == ({}, {}, {})
        assert stage["CreatedDate"] <= stage["LastUpdatedDate"]
        assert "DeploymentId" not in stage


def test_throttles_stand_beside_the_other_settings_of_a_stage(world):
    api = Api(world)
    throttles = {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 2.5}
    where = {"ApiId": api.id, "StageName": "production"}
    created = api.control.create_stage(**where, DefaultRouteSettings=throttles)
    assert created["DefaultRouteSettings"].items() >= {**throttles, "LoggingLevel": "OFF"}.items()
    api.control.update_stage(**where, DefaultRouteSettings={"ThrottlingBurstLimit": 9})
    settings = api.control.get_stage(**where)["DefaultRouteSettings"]
    assert settings == {**created["DefaultRouteSettings"], "ThrottlingBurstLimit": 9}


def test_one_stage_does_not_share_its_settings_with_the_next(world):
    api = Api(world)
    first, second = ({"ApiId": api.id, "StageName": name} for name in ("first", "second"))
    api.control.create_stage(**first, DefaultRouteSettings={"LoggingLevel": "INFO"})
    api.control.create_stage(**second)
    level = api.control.get_stage(**second)["DefaultRouteSettings"]["LoggingLevel"]
    assert level == "OFF"


def test_a_deployment_shows_its_description(world):
    api = world.api("$default")
    where = {"ApiId": api.id}
    made = api.control.create_deployment(**where, Description="for the fair")["DeploymentId"]
    shown = api.control.get_deployment(**where, DeploymentId=made)
    assert (shown["Description"], shown["AutoDeployed"]) == ("for the fair", False)
    assert shown["DeploymentStatus"] == "DEPLOYED"
    descriptions = [
        deployment.get("Description") for deployment in items(api.control.get_deployments(**where))
    ]
    assert descriptions == [None, "for the fair"]


# Custom domains


def domain(**configuration):
    configurations = [{"CertificateArn": CERTIFICATE, **configuration}]
    return {"DomainName": "ws.example.com", "DomainNameConfigurations": configurations}


def shown_domain(control):
    answer = control.get_domain_name(DomainName="ws.example.com")
    (configuration,) = answer["DomainNameConfigurations"]
    return answer, configuration


def test_the_defaults_of_a_custom_domain(world):
    world.control.create_domain_name(**domain())
    answer, configuration = shown_domain(world.control)
    assert answer["ApiMappingSelectionExpression"] == "$request.basepath"
    assert answer["RoutingMode"] == "API_MAPPING_ONLY"
    assert answer["DomainNameArn"].endswith("::/domainnames/ws.example.com")
    assert (configuration["EndpointType"], configuration["SecurityPolicy"]) == (
        "REGIONAL",
        "TLS_1_2",
    )
    assert configuration["DomainNameStatus"] == "AVAILABLE"
    assert configuration["IpAddressType"] == "ipv4"


def test_the_arn_that_is_shown_takes_tags(world):
    arn = world.control.create_domain_name(**domain())["DomainNameArn"]
    world.control.tag_resource(ResourceArn=arn, Tags={"a": "b"})
    assert shown_domain(world.control)[0]["Tags"] == {"a": "b"}


def test_a_new_certificate_keeps_all_else_of_a_custom_domain(world):
    world.control.create_domain_name(**domain(IpAddressType="dualstack"), Tags={"a": "b"})
    before, configuration = shown_domain(world.control)
    other = CERTIFICATE.replace("/1", "/2")
    changed = {"DomainName": "ws.example.com"}
    world.control.update_domain_name(
        **changed, DomainNameConfigurations=[{"CertificateArn": other}]
    )
    after, renewed = shown_domain(world.control)
    assert renewed == {**configuration, "CertificateArn": other}
    assert after["Tags"] == before["Tags"]


def test_a_mapping_can_be_moved_to_another_stage(world):
    api = world.api("$default")
    api.deploy("beta")
    world.control.create_domain_name(**domain())
    where = {"DomainName": "ws.example.com"}
    mapping = world.control.create_api_mapping(**where, ApiId=api.id, Stage="production")
    where["ApiMappingId"] = mapping["ApiMappingId"]
    moved = world.control.update_api_mapping(**where, ApiId=api.id, Stage="beta")
    assert (moved["Stage"], moved["ApiMappingKey"]) == ("beta", "")
    assert world.control.get_api_mapping(**where)["Stage"] == "beta"


@pytest.mark.parametrize("key", ["chat", "v1.2_a-b", "$a+!*'()"])
def test_a_mapping_key_has_the_characters_that_aws_allows(world, key):
    api = world.api("$default")
    world.control.create_domain_name(**domain())
    where = {"DomainName": "ws.example.com", "ApiId": api.id, "Stage": "production"}
    assert world.control.create_api_mapping(**where, ApiMappingKey=key)["ApiMappingKey"] == key
    for wrong in ("a b", "a/b", "ä", "a?"):
        assert refusal(world.control.create_api_mapping, **where, ApiMappingKey=wrong) == BAD


# IP address types


@pytest.mark.parametrize("kind", ["ipv4", "dualstack"])
def test_an_api_has_the_ip_address_type_that_it_is_given(world, kind):
    identifier = world.control.create_api(**WEBSOCKET, IpAddressType=kind)["ApiId"]
    assert world.control.get_api(ApiId=identifier)["IpAddressType"] == kind
    other = {"ipv4": "dualstack", "dualstack": "ipv4"}[kind]
    assert (
        world.control.update_api(ApiId=identifier, IpAddressType=other)["IpAddressType"] == other
    )
    world.control.update_api(ApiId=identifier, Name="renamed")
    assert world.control.get_api(ApiId=identifier)["IpAddressType"] == other


@pytest.mark.parametrize("kind", ["ipv4", "dualstack"])
def test_a_custom_domain_has_the_ip_address_type_that_it_is_given(world, kind):
    world.control.create_domain_name(**domain(IpAddressType=kind))
    assert shown_domain(world.control)[1]["IpAddressType"] == kind
    other = {"ipv4": "dualstack", "dualstack": "ipv4"}[kind]
    world.control.update_domain_name(**domain(IpAddressType=other))
    assert shown_domain(world.control)[1]["IpAddressType"] == other


@pytest.mark.parametrize("kind", ["ipv6", "IPV4", "dualStack", "", " ipv4"])
def test_other_ip_address_types_are_refused(world, kind):
    control = world.control
    assert refusal(control.create_api, **WEBSOCKET, IpAddressType=kind) == BAD
    identifier = control.create_api(**WEBSOCKET)["ApiId"]
    assert refusal(control.update_api, ApiId=identifier, IpAddressType=kind) == BAD
    assert refusal(control.create_domain_name, **domain(IpAddressType=kind)) == BAD
    control.create_domain_name(**domain())
    assert refusal(control.update_domain_name, **domain(IpAddressType=kind)) == BAD
