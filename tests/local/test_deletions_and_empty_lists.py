"""What can be set can be deleted, and lists of what cannot exist are empty."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from .refusals import CERTIFICATE, MISSING, items, refusal
from .world import Api

HEADER = "route.request.header.x"
QUERY = "route.request.querystring.a"


def test_access_log_settings_can_be_deleted(world):
    api = Api(world)
    where = {"ApiId": api.id, "StageName": "production"}
    logs = {"DestinationArn": "arn:aws:logs:eu-west-1:1:log-group:x", "Format": "$context.stage"}
    api.control.create_stage(**where, AccessLogSettings=logs, Description="kept")
    assert api.control.get_stage(**where)["AccessLogSettings"] == logs
    api.control.delete_access_log_settings(**where)
    shown = api.control.get_stage(**where)
    assert "AccessLogSettings" not in shown
    assert shown["Description"] == "kept"
    assert refusal(api.control.delete_access_log_settings, **where) == MISSING


@pytest.mark.parametrize("key", ["$default", "a/b", "join room"])
def test_the_settings_of_a_route_can_be_deleted(world, key):
    api = Api(world)
    api.add_route(key, "x")
    api.add_route("other")
    where = {"ApiId": api.id, "StageName": "production"}
    settings = {key: {"ThrottlingBurstLimit": 5}, "other": {"LoggingLevel": "INFO"}}
    api.control.create_stage(**where, RouteSettings=settings)
    assert api.control.get_stage(**where)["RouteSettings"] == settings
    api.control.delete_route_settings(**where, RouteKey=key)
    assert api.control.get_stage(**where)["RouteSettings"] == {"other": settings["other"]}
    assert refusal(api.control.delete_route_settings, **where, RouteKey=key) == MISSING


def test_settings_of_a_route_that_is_not_there_are_refused(world):
    api = Api(world)
    route = api.add_route("join")
    where = {"ApiId": api.id, "StageName": "production"}
    settings = {"RouteSettings": {"leave": {"LoggingLevel": "INFO"}}}
    assert refusal(api.control.create_stage, **where, **settings) == MISSING
    api.control.create_stage(**where, RouteSettings={"join": {"LoggingLevel": "INFO"}})
    assert refusal(api.control.update_stage, **where, **settings) == MISSING
    api.control.delete_route(ApiId=api.id, RouteId=route)
    api.control.update_stage(**where, Description="its route is gone")


@pytest.mark.parametrize("key", [HEADER, QUERY])
def test_a_request_parameter_of_a_route_can_be_deleted(world, key):
    api = Api(world)
    declared = {HEADER: {"Required": False}, QUERY: {"Required": False}}
    route = api.add_route("$connect", route={"RequestParameters": declared})
    where = {"ApiId": api.id, "RouteId": route}
    api.control.delete_route_request_parameter(**where, RequestParameterKey=key)
    left = {name: value for name, value in declared.items() if name != key}
    assert api.control.get_route(**where)["RequestParameters"] == left
    delete = api.control.delete_route_request_parameter
    assert refusal(delete, **where, RequestParameterKey=key) == MISSING


def test_a_deletion_from_what_is_not_there_is_not_found(world):
    api = Api(world)
    control = api.control
    stage = {"ApiId": api.id, "StageName": "unknown"}
    route = {"ApiId": api.id, "RouteId": "unknown"}
    assert refusal(control.delete_access_log_settings, **stage) == MISSING
    assert refusal(control.delete_route_settings, **stage, RouteKey="join") == MISSING
    delete = control.delete_route_request_parameter
    assert refusal(delete, **route, RequestParameterKey=HEADER) == MISSING


def test_lists_of_what_cannot_exist_are_empty(world):
    api = Api(world)
    control, where = api.control, {"ApiId": api.id}
    integration = {**where, "IntegrationId": api.add_integration("x")}
    domain = {"DomainName": "ws.example.com"}
    configurations = [{"CertificateArn": CERTIFICATE}]
    control.create_domain_name(**domain, DomainNameConfigurations=configurations)
    assert items(control.get_models(**where)) == []
    assert items(control.get_authorizers(**where, MaxResults="5")) == []
    assert items(control.get_integration_responses(**integration)) == []
    assert items(control.get_vpc_links()) == []
    assert items(control.list_portals()) == []
    assert items(control.list_portal_products()) == []
    assert control.list_routing_rules(**domain, MaxResults=5)["RoutingRules"] == []


def test_lists_below_what_is_not_there_are_not_found(world):
    control, where = world.control, {"ApiId": "unknown"}
    assert refusal(control.get_models, **where) == MISSING
    assert refusal(control.get_authorizers, **where) == MISSING
    api = Api(world)
    integration = {"ApiId": api.id, "IntegrationId": "unknown"}
    assert refusal(control.get_integration_responses, **integration) == MISSING
    assert refusal(control.list_routing_rules, DomainName="ws.example.com") == MISSING


def test_what_cannot_exist_is_not_found(world):
    api = Api(world)
    control, where = api.control, {"ApiId": api.id}
    integration = {**where, "IntegrationId": api.add_integration("x")}
    for verb in ("get", "update", "delete"):
        model, authorizer, response, link = (
            getattr(control, f"{verb}_{noun}")
            for noun in ("model", "authorizer", "integration_response", "vpc_link")
        )
        assert refusal(model, **where, ModelId="x") == MISSING
        assert refusal(authorizer, **where, AuthorizerId="x") == MISSING
        assert refusal(response, **integration, IntegrationResponseId="x") == MISSING
        assert refusal(link, VpcLinkId="x") == MISSING
