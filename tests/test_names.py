"""Names of 1.1.1: what a project of that release imports can be imported from the same module."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from unittest import mock

import boto3
import botocore.exceptions
import django.conf
import django.http
import pytest

from django_aws_api_gateway_websockets import admin, models, views

PACKAGE = "django_aws_api_gateway_websockets"

#: What dir() shows of 1.1.1's modules, without names of Python's own.
NAMES = {
    "": "admin apps management migrations models",
    "admin": (
        "ApiGatewayAdditionalRouteAdmin ApiGatewayAdditionalRouteInline ApiGatewayAdmin "
        "ModelAdmin TabularInline WebSocketSessionAdmin admin create_api_gateway "
        "create_custom_domain exceptions messages models"
    ),
    "apps": "AppConfig DjangoAwsApiGatewayWebsocketsConfig _",
    "management": "commands",
    "management.commands.clearWebSocketSessions": "BaseCommand Command WebSocketSession",
    "management.commands.createApiGateway": "ApiGateway BaseCommand Command",
    "management.commands.createCustomDomain": "ApiGateway BaseCommand Command",
    "models": (
        "ApiGateway ApiGatewayAdditionalRoute ClientError WebSocketSession "
        "WebSocketSessionQuerySet boto3 get_boto3_client json models settings"
    ),
    "views": (
        "ApiGateway HttpResponseBadRequest JsonResponse Union View WebSocketSession "
        "WebSocketView csrf_exempt json method_decorator settings"
    ),
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in NAMES for name in NAMES[module].split()]
)
def test_a_name_of_1_1_1_can_be_imported(module, name):
    path = f"{PACKAGE}.{module}".rstrip(".")
    namespace = {}
    exec(f"from {path} import {name}", namespace)  # noqa: S102 - as a project writes it
    assert namespace[name] is not None


@pytest.mark.parametrize(
    "module", [module for module in NAMES if module not in ("", "apps", "management")]
)
def test_a_star_imports_the_names_of_1_1_1(module):
    found = import_module(f"{PACKAGE}.{module}")
    public = getattr(found, "__all__", dir(found))
    assert set(NAMES[module].split()) <= {*public}


def test_the_names_are_what_they_were():
    assert views.ApiGateway is models.ApiGateway
    assert views.WebSocketSession is models.WebSocketSession
    assert views.HttpResponseBadRequest is django.http.HttpResponseBadRequest
    assert models.boto3 is boto3
    assert models.settings is views.settings is django.conf.settings
    assert models.ClientError is botocore.exceptions.ClientError
    assert admin.exceptions is botocore.exceptions
    assert admin.models is models


def test_the_actions_of_the_admin_are_functions_of_three():
    for action in (admin.create_api_gateway, admin.create_custom_domain):
        assert [*signature(action).parameters] == ["modeladmin", "request", "queryset"]
    assert admin.create_api_gateway.short_description == "Create API Gateway"
    text = "Create Custom Domain record for the API"
    assert admin.create_custom_domain.short_description == text


def test_what_is_imported_can_be_patched_where_it_was():
    for name in ("boto3", "settings", "json", "get_boto3_client"):
        with mock.patch(f"{PACKAGE}.models.{name}") as fake:
            assert getattr(models, name) is fake
