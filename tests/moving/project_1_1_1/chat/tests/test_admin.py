"""The admin: the package's pages as the chat has changed them, and its actions and inline."""

from __future__ import annotations

import re
from unittest import mock

from django.contrib import admin
from django.contrib.auth.models import User
from django.test import TestCase
from django.urls import reverse

from chat.tests import differs
from chat.tests.gateway import FACTORY, aws, error_of, make_gateway
from chat.tests.test_provisioning import CERTIFICATE, NOT_CREATED
from django_aws_api_gateway_websockets import admin as package
from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession

APP = "django_aws_api_gateway_websockets"


class AdminTestCase(TestCase):
    def setUp(self):
        self.gateway = make_gateway(**NOT_CREATED, **CERTIFICATE)
        self.route = self.gateway.additional_routes.create(
            name="Join", route_key="join", integration_url="https://www.example.com/ws/join"
        )
        user = User.objects.create_superuser("root")
        self.client.force_login(user)
        self.session = WebSocketSession.objects.create(
            connection_id="one=", channel_name="lobby", api_gateway=self.gateway, user=user
        )
        self.aws = aws()
        patch = mock.patch(FACTORY, return_value=self.aws)
        patch.start()
        self.addCleanup(patch.stop)

    def get(self, url, **query):
        answer = self.client.get(url, query)
        self.assertEqual(answer.status_code, 200)
        return answer.content.decode()

    def act(self, page, action, *rows):
        """Choose an action; return the texts of the messages, and their levels."""
        data = {"action": action, "_selected_action": [row.pk for row in rows]}
        answer = self.client.post(reverse(f"admin:{page}_changelist"), data, follow=True)
        self.assertEqual(answer.status_code, 200)
        found = list(answer.context["messages"])
        return [str(message) for message in found], {message.level_tag for message in found}


class PageTests(AdminTestCase):
    def test_each_list_shows_its_columns(self):
        columns = {
            f"{APP}_apigateway": [
                "api_name",
                "domain_name",
                "default_channel_name",
                "api_id",
                "api_endpoint",
                "api_gateway_domain_name",
                "api_created",
                "custom_domain_created",
                "created_on",
                "updated_on",
                "number_of_rooms",
            ],
            f"{APP}_apigatewayadditionalroute": [
                "name",
                "api_gateway",
                "route_key",
                "integration_url",
                "deployed",
                "created_on",
            ],
            f"{APP}_websocketsession": [
                "connection_id",
                "channel_name",
                "api_gateway",
                "user",
                "connected",
                "request_count",
                "created_on",
                "updated_on",
            ],
        }
        for page, names in columns.items():
            with self.subTest(page):
                html = self.get(reverse(f"admin:{page}_changelist"))
                self.assertEqual(set(names) - set(re.findall(r"column-(\w+)", html)), set(), page)

    def test_the_own_page_of_sessions_shows_its_column(self):
        html = self.get(reverse("admin:chat_chatsession_changelist"))
        self.assertTrue("column-messages_sent" in html)

    def test_each_list_is_searched(self):
        for page, term in (
            (f"{APP}_apigateway", "ws.example"),
            (f"{APP}_apigatewayadditionalroute", "Joi"),
            (f"{APP}_websocketsession", "lobby"),
            ("chat_chatsession", "root"),
        ):
            with self.subTest(page):
                url = reverse(f"admin:{page}_changelist")
                self.assertTrue("field-" in self.get(url, q=term))
                self.assertFalse("field-" in self.get(url, q="not to be found"))

    def test_each_list_has_its_filters(self):
        make_gateway(api_name="Other", api_id="api2")
        for page, fields in (
            ("apigateway", ("api_created", "custom_domain_created", "stage_name")),
            ("apigatewayadditionalroute", ("api_gateway", "deployed")),
            ("websocketsession", ("connected", "channel_name")),
        ):
            answer = self.client.get(reverse(f"admin:{APP}_{page}_changelist"))
            found = {
                spec.field_path
                for spec in answer.context["cl"].filter_specs
                if hasattr(spec, "field_path")
            }
            self.assertEqual(set(fields) - found, set(), page)

    def test_each_list_is_divided_by_date(self):
        for page in ("apigateway", "apigatewayadditionalroute", "websocketsession"):
            answer = self.client.get(reverse(f"admin:{APP}_{page}_changelist"))
            self.assertEqual(answer.context["cl"].date_hierarchy, "created_on", page)

    def test_a_gateway_has_one_empty_form_for_a_route(self):
        self.assertEqual(package.ApiGatewayAdditionalRouteInline.extra, 1)
        for page in (f"{APP}_apigateway", "chat_chatgateway"):
            html = self.get(reverse(f"admin:{page}_change", args=[self.gateway.pk]))
            self.assertTrue('name="additional_routes-TOTAL_FORMS" value="2"' in html, page)

    def test_a_route_finds_its_gateway_by_typing(self):
        html = self.get(reverse(f"admin:{APP}_apigatewayadditionalroute_add"))
        self.assertTrue("admin-autocomplete" in html)
        names = {"app_label": APP, "model_name": "apigatewayadditionalroute"}
        answer = self.client.get(
            reverse("admin:autocomplete"), {"term": "Cha", "field_name": "api_gateway", **names}
        )
        results = answer.json()["results"]
        self.assertEqual([result["text"] for result in results], ["Chat"])

    def test_pages_of_the_chat_find_gateways_and_routes_by_typing(self):
        html = self.get(reverse("admin:chat_room_add"))
        self.assertEqual(len(re.findall("<select[^>]*admin-autocomplete", html)), 2)

    def test_autocomplete_fields_are_those_of_1_1_1(self):
        fields = {
            package.ApiGatewayAdditionalRouteAdmin: "api_gateway",
            package.WebSocketSessionAdmin: "user",
        }
        for page, field in fields.items():
            self.assertIn(field, page.autocomplete_fields)

    def test_a_gateway_is_added_with_a_route(self):
        data = {
            "api_name": "News",
            "target_base_endpoint": "https://www.example.com/news",
            "api_key_selection_expression": "$request.header.x-api-key",
            "route_selection_expression": "$request.body.action",
            "route_key": "$default",
            "stage_name": "production",
            "tags": "{}",
            "additional_routes-TOTAL_FORMS": 1,
            "additional_routes-INITIAL_FORMS": 0,
            "additional_routes-0-name": "Join",
            "additional_routes-0-route_key": "join",
            "additional_routes-0-integration_url": "https://www.example.com/news/join",
            "rooms-TOTAL_FORMS": 0,
            "rooms-INITIAL_FORMS": 0,
        }
        answer = self.client.post(reverse(f"admin:{APP}_apigateway_add"), data)
        self.assertEqual(answer.status_code, 302)
        news = ApiGateway.objects.get(api_name="News")
        self.assertEqual(news.additional_routes.get().route_key, "join")

    def test_a_session_on_its_page(self):
        url = reverse(f"admin:{APP}_websocketsession_change", args=[self.session.pk])
        can_be_edited = 'name="connection_id"' in self.get(url)
        self.assertEqual(can_be_edited, differs(True, False))

    def test_a_session_is_added_by_hand(self):
        answer = self.client.get(reverse(f"admin:{APP}_websocketsession_add"))
        self.assertEqual(answer.status_code, differs(200, 403))

    def test_the_fields_of_a_created_gateway(self):
        ApiGateway.objects.update(api_id="api1", api_created=True)
        html = self.get(reverse(f"admin:{APP}_apigateway_change", args=[self.gateway.pk]))
        self.assertEqual('name="api_id"' in html, differs(True, False))


class ActionTests(AdminTestCase):
    def test_a_gateway_is_created_from_either_page(self):
        for page in (f"{APP}_apigateway", "chat_chatgateway"):
            with self.subTest(page):
                ApiGateway.objects.update(**NOT_CREATED)
                told, levels = self.act(page, "create_api_gateway", self.gateway)
                self.assertEqual(told, ["API Gateway endpoint created for Chat"])
                self.assertEqual(levels, {"success"})
                self.gateway.refresh_from_db()
                self.assertTrue(self.gateway.api_created)

    def test_a_finished_gateway_is_told_no_success(self):
        ApiGateway.objects.update(api_created=True, api_id="api1")
        told, levels = self.act(f"{APP}_apigateway", "create_api_gateway", self.gateway)
        self.assertNotIn("API Gateway endpoint created for Chat", told)
        self.assertNotIn("success", levels)
        self.assertEqual(self.aws.mock_calls, [])

    def test_an_error_of_aws_is_told(self):
        self.aws.create_api.side_effect = error_of("TooManyRequestsException", 429, "CreateApi")
        told, levels = self.act(f"{APP}_apigateway", "create_api_gateway", self.gateway)
        self.assertEqual(levels, {"error"})
        self.assertIn("occurred when processing Chat", told[0])

    def test_a_domain_is_created(self):
        ApiGateway.objects.update(api_created=True, api_id="api1")
        told, _ = self.act(f"{APP}_apigateway", "create_custom_domain", self.gateway)
        name = "d-1.execute-api.eu-west-1.amazonaws.com"
        text = f"Custom Domain setup for Chat. Next update DNS to point to {name}"
        self.assertEqual(told, [text])

    def test_a_domain_is_created_from_the_page_of_the_proxy(self):
        ApiGateway.objects.update(api_created=True, api_id="api1")
        told, _ = self.act("chat_chatgateway", "create_custom_domain", self.gateway)
        self.assertEqual(len(told), 1)
        self.assertIn("edge.ws.example.com", told[0])

    def test_a_half_made_domain_is_finished_by_the_action(self):
        ApiGateway.objects.update(api_created=True, api_id="api1", custom_domain_created=True)
        told, _ = self.act(f"{APP}_apigateway", "create_custom_domain", self.gateway)
        self.gateway.refresh_from_db()
        self.assertEqual(bool(self.gateway.api_mapping_id), differs(False, True), told)

    def test_a_domain_without_an_api(self):
        told, levels = self.act(f"{APP}_apigateway", "create_custom_domain", self.gateway)
        self.assertEqual(levels, differs(set(), {"error"}), told)

    def test_the_actions_are_offered_on_both_pages(self):
        for page in (f"{APP}_apigateway", "chat_chatgateway"):
            html = self.get(reverse(f"admin:{page}_changelist"))
            for text in ("Create API Gateway", "Create Custom Domain record for the API"):
                self.assertTrue(text in html, (page, text))

    def test_who_may_only_look_is_not_offered_them(self):
        from django.contrib.auth.models import Permission

        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_apigateway"))
        self.client.force_login(viewer)
        html = self.get(reverse(f"admin:{APP}_apigateway_changelist"))
        self.assertEqual("Create API Gateway" in html, differs(True, False))

    def test_the_site_has_the_pages_of_the_package(self):
        names = {model._meta.model_name for model in admin.site._registry}
        expected = {"apigateway", "apigatewayadditionalroute", "websocketsession"}
        self.assertEqual(expected - names, set())
