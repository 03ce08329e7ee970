"""Names that other code imports from the modules of 1.1.1."""

from __future__ import annotations

import inspect
from importlib import import_module

from django.apps import apps
from django.core.management import get_commands
from django.db.models import QuerySet
from django.http import HttpResponseBadRequest
from django.test import SimpleTestCase

from chat import hooks
from django_aws_api_gateway_websockets import admin, models, views
from django_aws_api_gateway_websockets.views import WebSocketView

PACKAGE = "django_aws_api_gateway_websockets"

MODULES = {
    "models": (
        "ApiGateway ApiGatewayAdditionalRoute WebSocketSession WebSocketSessionQuerySet "
        "get_boto3_client"
    ),
    "views": "ApiGateway WebSocketSession WebSocketView HttpResponseBadRequest",
    "admin": (
        "ApiGatewayAdmin ApiGatewayAdditionalRouteAdmin ApiGatewayAdditionalRouteInline "
        "WebSocketSessionAdmin create_api_gateway create_custom_domain"
    ),
    "apps": "DjangoAwsApiGatewayWebsocketsConfig",
    "management.commands.createApiGateway": "ApiGateway BaseCommand Command",
    "management.commands.createCustomDomain": "ApiGateway BaseCommand Command",
    "management.commands.clearWebSocketSessions": "WebSocketSession BaseCommand Command",
}

#: What 1.1.1 has imported for itself, and others could import or patch there.
BORROWED = {
    "models": "boto3 ClientError json models settings",
    "views": "JsonResponse Union View csrf_exempt json method_decorator settings",
    "admin": "ModelAdmin TabularInline admin exceptions messages models",
    "apps": "AppConfig",
}

#: The arguments of each method of the view, as inspect.signature tells them on 1.1.1.
SIGNATURES = {
    "_add_user_to_request": "request",
    "_additional_connection_checks": "request *args **kwargs",
    "_allowed_apigateway": "request *args **kwargs",
    "_check_allowed_hosts": "request",
    "_check_host_is_in_origin": "request",
    "_check_platform_registered_api_gateways": "request",
    "_debug": "msg",
    "_expected_connection_headers": "request *args **kwargs",
    "_expected_headers": "request *args **kwargs",
    "_expected_useragent": "request *args **kwargs",
    "_get_channel_name": "request",
    "_load_session": "request",
    "_return_bad_request": "msg",
    "connect": "request *args **kwargs",
    "default": "request *args **kwargs",
    "disconnect": "request *args **kwargs",
    "dispatch": "request *args **kwargs",
    "invalid_useragent": "request *args **kwargs",
    "missing_headers": "request *args **kwargs",
    "route_selection_key_missing": "request *args **kwargs",
    "setup": "request *args **kwargs",
}


def arguments(view, name):
    """The arguments of a method of an instance, starred as they are in a def."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(getattr(view, name)).parameters.values()
    return " ".join(stars.get(one.kind, "") + one.name for one in parameters)


def missing(modules):
    return [
        f"{module}.{name}"
        for module, names in modules.items()
        for name in names.split()
        if not hasattr(import_module(f"{PACKAGE}.{module}"), name)
    ]


class NameTests(SimpleTestCase):
    def test_everything_of_1_1_1_is_imported_from_where_it_was(self):
        self.assertEqual(missing(MODULES), [])

    def test_what_1_1_1_had_imported_is_imported_from_there(self):
        self.assertEqual(missing(BORROWED), [])

    def test_they_are_what_their_names_say(self):
        self.assertTrue(issubclass(models.WebSocketSessionQuerySet, QuerySet))
        self.assertIs(views.ApiGateway, models.ApiGateway)
        self.assertIs(views.WebSocketSession, models.WebSocketSession)
        self.assertIs(views.HttpResponseBadRequest, HttpResponseBadRequest)
        sessions = models.WebSocketSession.objects.all()
        self.assertIsInstance(sessions, models.WebSocketSessionQuerySet)

    def test_the_queryset_is_derived_from(self):
        class Lobby(models.WebSocketSessionQuerySet):
            def here(self):
                return self.filter(channel_name="lobby")

        lobby = Lobby(models.WebSocketSession).here()
        self.assertTrue(callable(lobby.send_message))

    def test_the_actions_are_functions_with_descriptions(self):
        described = {
            admin.create_api_gateway: "Create API Gateway",
            admin.create_custom_domain: "Create Custom Domain record for the API",
        }
        for action, description in described.items():
            parameters = list(inspect.signature(action).parameters)
            self.assertEqual(parameters, ["modeladmin", "request", "queryset"])
            self.assertEqual(action.short_description, description)

    def test_the_methods_of_the_view_have_their_arguments(self):
        view = WebSocketView()
        self.assertEqual({name: arguments(view, name) for name in SIGNATURES}, SIGNATURES)

    def test_each_hook_is_overridden_by_a_view_of_the_chat(self):
        overridden = {
            name for view in vars(hooks).values() if isinstance(view, type) for name in vars(view)
        }
        self.assertEqual(set(SIGNATURES) - overridden, set())

    def test_the_attributes_of_the_view_have_their_values(self):
        expected = {
            "debug": False,
            "route_selection_key": "action",
            "expected_useragent_prefix": "AmazonAPIGateway_",
            "aws_api_gateway_id": None,
            "model": None,
        }
        self.assertEqual({name: getattr(WebSocketView, name) for name in expected}, expected)
        self.assertIsInstance(WebSocketView.required_headers, list)
        self.assertIsInstance(WebSocketView.additional_required_headers, list)
        self.assertIsInstance(WebSocketView.required_connection_headers, list)

    def test_the_lists_of_headers_are_added_to(self):
        self.assertIn("X-Mine", WebSocketView.required_headers + ["X-Mine"])
        self.assertIn("X-Mine", WebSocketView.additional_required_headers + ["X-Mine"])
        self.assertIn("X-Mine", WebSocketView.required_connection_headers + ["X-Mine"])

    def test_the_options_of_the_admin_are_lists(self):
        for page in (
            admin.ApiGatewayAdmin,
            admin.ApiGatewayAdditionalRouteAdmin,
            admin.WebSocketSessionAdmin,
        ):
            for name in ("list_display", "list_filter", "search_fields"):
                self.assertIsInstance(getattr(page, name), list, f"{page.__name__}.{name}")
        self.assertIsInstance(admin.ApiGatewayAdmin.actions, list)
        self.assertIsInstance(admin.ApiGatewayAdmin.inlines, list)

    def test_the_app_has_its_label_and_name(self):
        config = apps.get_app_config(PACKAGE)
        self.assertEqual(str(config.verbose_name), "Django AWS ApiGateway Websockets")
        self.assertEqual(config.default_auto_field, "django.db.models.BigAutoField")

    def test_the_commands_are_there(self):
        names = {"createApiGateway", "createCustomDomain", "clearWebSocketSessions"}
        self.assertEqual(names - set(get_commands()), set())

    def test_the_tables_have_their_names(self):
        tables = [
            model._meta.db_table
            for model in (
                models.ApiGateway,
                models.ApiGatewayAdditionalRoute,
                models.WebSocketSession,
            )
        ]
        names = ("apigateway", "apigatewayadditionalroute", "websocketsession")
        self.assertEqual(tables, [f"{PACKAGE}_{name}" for name in names])
