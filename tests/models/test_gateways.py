"""Gateways and sessions: fields, what is derived from them, and the verbs' preconditions."""

from __future__ import annotations

import re

import django
import pytest
from django.db import IntegrityError
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import GatewayNotReady
from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from tests.factories import make_created_gateway, make_gateway, make_route, make_session

pytestmark = pytest.mark.django_db

#: As release 1.1.1 left a row when AWS refused the mapping.
HALF_A_DOMAIN = {"custom_domain_created": True, "api_gateway_domain_name": "d-1.example.com"}
WITH_DOMAIN = {**HALF_A_DOMAIN, "api_mapping_id": "m1"}


def test_the_models_call_themselves_by_their_names():
    gateway = make_gateway(api_name="Chat")
    assert str(gateway) == "Chat"
    assert str(make_route(gateway, name="Join")) == "Join"
    assert str(make_session(gateway, connection_id="JC1dgf9yoAMCK-g=")) == "JC1dgf9yoAMCK-g="


def test_a_new_gateway_has_the_defaults_of_1_1_1():
    gateway = ApiGateway.objects.create(api_name="Chat")
    gateway.refresh_from_db()
    assert gateway.target_base_endpoint is None
    assert gateway.api_key_selection_expression == "$request.header.x-api-key"
    assert gateway.route_selection_expression == "$request.body.action"
    assert (gateway.route_key, gateway.stage_name) == ("$default", "production")
    assert (gateway.tags, gateway.api_created, gateway.custom_domain_created) == ({}, False, False)


# Saving


@pytest.mark.parametrize(
    ("given", "saved"),
    [
        ("https://www.example.com/ws", "https://www.example.com/ws/"),
        ("https://www.example.com/ws/", "https://www.example.com/ws/"),
        ("http://web:8000", "http://web:8000/"),
        ("", ""),
        (None, None),
    ],
)
def test_saving_adds_the_trailing_slash_to_an_endpoint(given, saved):
    gateway = make_gateway(target_base_endpoint=given)
    gateway.refresh_from_db()
    assert gateway.target_base_endpoint == saved


@pytest.mark.skipif(django.VERSION >= (5, 1), reason="Django gave up positional arguments")
def test_saving_takes_djangos_arguments_by_position():
    gateway = ApiGateway(api_name="Chat", target_base_endpoint="https://www.example.com/ws")
    gateway.save(True)
    with pytest.raises(IntegrityError):
        gateway.save(True)


def test_an_api_name_is_taken_once():
    make_gateway(api_name="Chat")
    with pytest.raises(IntegrityError):
        make_gateway(api_name="Chat")


# What is derived


def test_the_socket_url_is_that_of_the_stage():
    wss = "wss://x.execute-api.eu-west-1.amazonaws.com"
    assert make_gateway(api_endpoint=wss, stage_name="beta").socket_url == f"{wss}/beta"
    assert make_gateway(api_endpoint=wss, stage_name="").socket_url == f"{wss}/production"


def test_the_socket_url_is_that_of_the_custom_domain_once_it_is_made():
    gateway = make_created_gateway(domain_name="ws.example.com")
    assert gateway.socket_url == f"{gateway.api_endpoint}/production"
    gateway.custom_domain_created = True
    assert gateway.socket_url == "wss://ws.example.com"


def test_a_gateway_that_is_not_created_has_no_socket_url():
    assert make_gateway(domain_name="ws.example.com").socket_url == ""


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({}, "not created"),
        ({"api_created": True}, "created"),
        ({"api_created": True, **WITH_DOMAIN}, "created, with custom domain"),
        ({"api_created": True, **HALF_A_DOMAIN}, "created, custom domain unfinished"),
        ({"last_error": "No."}, "failed"),
        ({"api_created": True, "last_error": "No."}, "failed"),
        ({"last_error": "No.", "provisioning_since": timezone.now}, "in progress"),
    ],
)
def test_the_status_says_where_provisioning_stands(columns, status):
    columns = {name: value() if callable(value) else value for name, value in columns.items()}
    assert ApiGateway(**columns).status == status


# Creating


def test_creating_records_what_aws_answered(edge):
    gateway = make_gateway()
    gateway.create_gateway()
    gateway.refresh_from_db()
    assert gateway.api_id == "a1b2c3d4e5"
    assert gateway.api_endpoint == "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    assert gateway.deployment_id == "d1"
    assert gateway.api_created
    assert gateway.status == "created"


def test_creating_marks_the_routes_made_with_it_as_deployed(edge):
    gateway = make_gateway()
    route, elsewhere = make_route(gateway), make_route(make_gateway())
    gateway.create_gateway()
    route.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (route.deployed, elsewhere.deployed) == (True, False)


def test_creating_a_second_time_returns_at_once(edge):
    make_created_gateway().create_gateway()
    assert edge.requests == []


@pytest.mark.parametrize("endpoint", ["", None])
def test_creating_without_an_endpoint_says_so(edge, endpoint):
    gateway = make_gateway(target_base_endpoint=endpoint)
    with pytest.raises(GatewayNotReady) as refusal:
        gateway.create_gateway()
    assert str(refusal.value) == "The target base endpoint is required: https://example.com/ws/"
    assert edge.requests == []


def test_a_blank_stage_name_makes_the_stage_production(edge):
    make_gateway(stage_name="").create_gateway()
    staged = [r for r in edge.requests if re.search("^POST .*/(stages|deployments)$", r.line)]
    assert [request.json["stageName"] for request in staged] == ["production", "production"]


def test_the_log_tells_what_was_made_and_no_secret(edge, caplog, settings):
    settings.AWS_SECRET_ACCESS_KEY = "a secret key"
    caplog.set_level("DEBUG", logger="django_aws_api_gateway_websockets")
    gateway = make_gateway(api_name="Chat")
    gateway.create_gateway()
    make_session(gateway).send_message({"text": "a secret message"})
    assert caplog.messages == [
        "API created api_id=a1b2c3d4e5 name=Chat",
        "Deployed api_id=a1b2c3d4e5 deployment_id=d1",
    ]


# The custom domain


def test_a_custom_domain_records_what_aws_answered(edge):
    gateway = make_created_gateway(domain_name="ws.example.com", certificate_arn="arn:aws:acm:x")
    gateway.create_custom_domain()
    gateway.refresh_from_db()
    assert gateway.api_gateway_domain_name == "d-1.execute-api.eu-west-1.amazonaws.com"
    assert gateway.api_mapping_id == "m1"
    assert gateway.custom_domain_created
    assert gateway.status == "created, with custom domain"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"api_created": False}, "The API needs to be created before calling this method"),
        ({"certificate_arn": ""}, "A Certificate ARN is required"),
        ({"domain_name": ""}, "A domain name is required"),
    ],
)
def test_a_custom_domain_without_what_it_needs_says_so(edge, columns, message):
    whole = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}
    gateway = make_created_gateway(**whole)
    for name, value in columns.items():
        setattr(gateway, name, value)
    with pytest.raises(ValueError, match=f"^{message}$"):
        gateway.create_custom_domain()
    assert edge.requests == []


def test_a_custom_domain_that_another_operator_has_just_made_is_not_made_again(edge):
    gateway = make_created_gateway(domain_name="ws.example.com", certificate_arn="arn:aws:acm:x")
    stale = ApiGateway.objects.get(pk=gateway.pk)
    gateway.create_custom_domain()
    asked = len(edge.requests)
    stale.create_custom_domain()
    assert len(edge.requests) == asked
    assert stale.api_mapping_id == "m1"


# Deploying


def test_deploying_records_the_deployment(edge):
    gateway = make_created_gateway(api_id="api1")
    gateway.deploy_api(get_boto3_client())
    gateway.refresh_from_db()
    assert gateway.deployment_id == "d1"
    assert edge.lines == ["POST /v2/apis/api1/deployments"]


# Deleting


def test_deleting_a_gateway_keeps_its_sessions_and_drops_its_routes(edge):
    gateway = make_created_gateway()
    session, route = make_session(gateway), make_route(make_gateway())
    type(route).objects.filter(pk=route.pk).update(api_gateway=gateway)
    gateway.delete()
    session.refresh_from_db()
    assert session.api_gateway is None
    assert not type(route).objects.exists()
    assert edge.requests == []
