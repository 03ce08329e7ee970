"""The models: what a project's forms, keys and queries rely on."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.forms import modelform_factory
from django.test import TestCase

from chat.models import ChatSession, Message, Room
from chat.tests import differs
from chat.tests.gateway import make_gateway
from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)

MODELS = (ApiGateway, ApiGatewayAdditionalRoute, WebSocketSession)


class SessionTests(TestCase):
    def test_a_session_without_user_and_gateway_is_valid(self):
        WebSocketSession(connection_id="one=").full_clean()

    def test_a_form_of_a_session_needs_neither_user_nor_gateway(self):
        fields = ["connection_id", "channel_name", "user", "api_gateway", "request_count"]
        form = modelform_factory(WebSocketSession, fields=fields)(
            {"connection_id": "one=", "request_count": 1}
        )
        self.assertEqual(form.errors, {})
        self.assertTrue(form.save().pk)

    def test_its_name_is_its_connection(self):
        self.assertEqual(str(WebSocketSession(connection_id="one=")), "one=")

    def test_a_connection_has_one_session(self):
        WebSocketSession.objects.create(connection_id="one=")
        with self.assertRaises(IntegrityError), transaction.atomic():
            WebSocketSession.objects.create(connection_id="one=")

    def test_a_new_session_is_connected_and_counted_once(self):
        session = WebSocketSession.objects.create(connection_id="one=")
        self.assertEqual((session.connected, session.request_count), (True, 1))

    def test_a_session_is_saved_by_hand(self):
        session = WebSocketSession.objects.create(connection_id="one=")
        session.channel_name = "moved"
        session.save()
        session.refresh_from_db()
        self.assertEqual(session.channel_name, "moved")

    def test_a_deleted_user_takes_sessions_along(self):
        alice = User.objects.create_user("alice")
        WebSocketSession.objects.create(connection_id="one=", user=alice)
        alice.delete()
        self.assertFalse(WebSocketSession.objects.exists())

    def test_a_deleted_gateway_leaves_its_sessions(self):
        gateway = make_gateway()
        WebSocketSession.objects.create(connection_id="one=", api_gateway=gateway)
        gateway.delete()
        session = WebSocketSession.objects.get()
        self.assertIsNone(session.api_gateway)
        self.assertEqual(session.connected, differs(True, False))

    def test_an_old_copy_of_a_session_is_saved(self):
        old = WebSocketSession.objects.create(connection_id="one=")
        WebSocketSession.objects.update(connected=False)
        old.channel_name = "moved"
        old.save()
        self.assertEqual(WebSocketSession.objects.get().connected, differs(True, False))

    def test_helpers_of_a_proxy_are_left_alone_when_it_is_saved(self):
        session = ChatSession.objects.create(connection_id="one=")
        session.channel_name = "moved"
        session.save()
        session = ChatSession.objects.get()
        self.assertEqual(session.channel_name, "moved")
        self.assertEqual(session._remember(), "remembered by the chat")

    def test_a_proxy_shares_the_table(self):
        WebSocketSession.objects.create(connection_id="one=")
        self.assertEqual(ChatSession.objects.get().connection_id, "one=")
        self.assertTrue(hasattr(ChatSession.objects.all(), "send_message"))


class GatewayTests(TestCase):
    def test_the_endpoint_gets_its_slash(self):
        gateway = make_gateway(target_base_endpoint="https://www.example.com/ws")
        self.assertEqual(gateway.target_base_endpoint, "https://www.example.com/ws/")

    def test_a_gateway_needs_only_its_name_to_be_valid(self):
        ApiGateway(api_name="Chat").full_clean()

    def test_a_gateway_without_an_endpoint(self):
        try:
            saved = bool(ApiGateway.objects.create(api_name="Chat").pk)
        except TypeError:
            saved = False
        self.assertEqual(saved, differs(False, True))

    def test_its_name_is_unique_and_how_it_is_shown(self):
        self.assertEqual(str(make_gateway()), "Chat")
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_gateway()

    def test_it_has_the_defaults_of_1_1_1(self):
        gateway = ApiGateway(api_name="Chat")
        expected = {
            "api_key_selection_expression": "$request.header.x-api-key",
            "route_selection_expression": "$request.body.action",
            "route_key": "$default",
            "stage_name": "production",
            "tags": {},
            "api_created": False,
            "custom_domain_created": False,
        }
        self.assertEqual({name: getattr(gateway, name) for name in expected}, expected)

    def test_some_columns_are_saved_alone(self):
        gateway = make_gateway()
        gateway.api_description = gateway.domain_name = "changed"
        gateway.save(update_fields=["api_description"])
        gateway.refresh_from_db()
        self.assertEqual((gateway.api_description, gateway.domain_name), ("changed", ""))

    def test_routes_are_unique_in_their_gateway(self):
        columns = {
            "api_gateway": ApiGateway.objects.create(
                api_name="Chat", target_base_endpoint="https://www.example.com/ws/"
            )
        }
        columns.update(name="Join", route_key="join", integration_url="https://www.example.com/")
        route = ApiGatewayAdditionalRoute.objects.create(**columns)
        self.assertEqual(str(route), "Join")
        with self.assertRaises(IntegrityError), transaction.atomic():
            ApiGatewayAdditionalRoute.objects.create(**columns)


class KeyTests(TestCase):
    """The chat's own keys to the package's tables."""

    def test_rooms_go_with_their_gateway_and_messages_stay_without_sessions(self):
        gateway = make_gateway()
        session = WebSocketSession.objects.create(connection_id="one=", api_gateway=gateway)
        room = Room.objects.create(name="lobby", gateway=gateway)
        room.listeners.add(session)
        Message.objects.create(room=room, session=session, text="hello")
        session.delete()
        self.assertIsNone(Message.objects.get().session)
        gateway.delete()
        self.assertFalse(Room.objects.exists())

    def test_queries_go_over_the_reverse_names(self):
        gateway = make_gateway()
        session = WebSocketSession.objects.create(connection_id="one=", api_gateway=gateway)
        Room.objects.create(name="lobby", gateway=gateway).listeners.add(session)
        self.assertEqual(ApiGateway.objects.get(sessions__rooms__name="lobby"), gateway)
        self.assertEqual(list(session.rooms.values_list("gateway__api_name")), [("Chat",)])


class NamesOfModelsTests(TestCase):
    def test_verbose_names(self):
        names = [(model._meta.verbose_name, model._meta.verbose_name_plural) for model in MODELS]
        self.assertEqual(
            [(str(one), str(many)) for one, many in names],
            [
                ("api gateway", "api gateways"),
                ("api gateway additional route", "api gateway additional routes"),
                ("web socket session", "web socket sessions"),
            ],
        )

    def test_help_texts(self):
        def texts(model):
            return {f.name: str(f.help_text) for f in model._meta.fields if f.help_text}

        self.assertLessEqual(
            {
                "default_channel_name",
                "domain_name",
                "target_base_endpoint",
                "certificate_arn",
                "hosted_zone_id",
                "tags",
                "api_id",
                "api_endpoint",
                "api_gateway_domain_name",
                "api_mapping_id",
            },
            set(texts(ApiGateway)),
        )
        self.assertIn("name", texts(ApiGatewayAdditionalRoute))
        self.assertLessEqual({"channel_name", "connected"}, set(texts(WebSocketSession)))

    def test_what_forms_may_leave_empty(self):
        blank = {
            model.__name__: {f.name for f in model._meta.fields if f.editable and not f.blank}
            for model in MODELS
        }
        self.assertEqual(
            blank,
            {
                "ApiGateway": {
                    "api_name",
                    "api_key_selection_expression",
                    "route_selection_expression",
                    "route_key",
                },
                "ApiGatewayAdditionalRoute": {
                    "api_gateway",
                    "name",
                    "route_key",
                    "integration_url",
                },
                "WebSocketSession": {"connection_id", "connected", "request_count"},
            },
        )
