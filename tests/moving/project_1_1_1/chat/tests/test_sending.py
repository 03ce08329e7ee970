"""Sending, as the tests of a project catch it: by mocks of boto3, and by botocore's own means."""

from __future__ import annotations

import json
from unittest import mock
from urllib.parse import unquote

import boto3
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from django.test import TestCase

from chat.tests import differs
from chat.tests.gateway import FACTORY, error_of, make_gateway
from django_aws_api_gateway_websockets.models import WebSocketSession, get_boto3_client

URL = "https://api1.execute-api.eu-west-1.amazonaws.com/production"


class MockTests(TestCase):
    def setUp(self):
        self.gateway = make_gateway()
        for name in ("one=", "two="):
            WebSocketSession.objects.create(
                connection_id=name, channel_name="lobby", api_gateway=self.gateway
            )
        self.one, self.two = WebSocketSession.objects.order_by("pk")
        left = {"connection_id": "left=", "channel_name": "lobby", "connected": False}
        WebSocketSession.objects.create(api_gateway=self.gateway, **left)

    def assertSent(self, client, *names):  # noqa: N802 - as TestCase's own are
        calls = [call[1] for call in client.post_to_connection.call_args_list]
        self.assertEqual(sorted(call["ConnectionId"] for call in calls), sorted(names))
        for call in calls:
            self.assertEqual(json.loads(call["Data"]), {"text": "hello"})

    def test_get_boto3_client_is_patched_and_a_session_sends(self):
        with mock.patch(FACTORY) as factory:
            self.one.send_message({"text": "hello"})
        self.assertSent(factory.return_value, "one=")
        self.assertEqual(factory.call_args[0][0], "apigatewaymanagementapi")
        self.assertEqual(factory.call_args[1]["endpoint_url"], URL)

    def test_get_boto3_client_is_patched_and_a_queryset_sends(self):
        with mock.patch(FACTORY) as factory:
            WebSocketSession.objects.filter(channel_name="lobby").send_message({"text": "hello"})
        self.assertSent(factory.return_value, "one=", "two=")

    def test_get_boto3_client_is_patched_and_a_manager_sends(self):
        for sessions in (WebSocketSession.objects, self.gateway.sessions):
            with mock.patch(FACTORY) as factory:
                sessions.send_message({"text": "hello"})
            self.assertSent(factory.return_value, "one=", "two=")

    def test_boto3_client_is_patched(self):
        with mock.patch("boto3.client") as factory:
            self.one.send_message({"text": "hello"})
        self.assertSent(factory.return_value, "one=")
        self.assertEqual(factory.call_args[1]["endpoint_url"], URL)

    def test_boto3_of_the_models_is_patched(self):
        with mock.patch("django_aws_api_gateway_websockets.models.boto3") as module:
            self.one.send_message({"text": "hello"})
        self.assertSent(module.client.return_value, "one=")

    def test_a_stubber_answers(self):
        client = boto3.client("apigatewaymanagementapi", region_name="eu-west-1", endpoint_url=URL)
        with Stubber(client) as stubber, mock.patch(FACTORY, return_value=client):
            for name in ("one=", "two="):
                expected = {"ConnectionId": name, "Data": mock.ANY}
                stubber.add_response("post_to_connection", {}, expected)
            WebSocketSession.objects.filter(channel_name="lobby").send_message({"text": "hello"})
            stubber.assert_no_pending_responses()

    def test_a_stubber_says_that_a_connection_is_gone(self):
        client = boto3.client("apigatewaymanagementapi", region_name="eu-west-1", endpoint_url=URL)
        with Stubber(client) as stubber, mock.patch(FACTORY, return_value=client):
            stubber.add_client_error("post_to_connection", "GoneException", "", 410)
            self.one.send_message({"text": "hello"})
        self.one.refresh_from_db()
        self.assertFalse(self.one.connected)

    def test_a_before_send_hook_catches_the_request(self):
        from botocore.awsrequest import AWSResponse

        requests = []

        class Body:
            def stream(self, **kwargs):
                return iter([b""])

        def catch(request, **kwargs):
            requests.append((request.method, unquote(request.url)))
            return AWSResponse(request.url, 200, {}, Body())

        def make_client(service="apigatewayv2", **kwargs):
            client = get_boto3_client(service, **kwargs)
            client.meta.events.register("before-send", catch)
            return client

        with mock.patch(FACTORY, make_client):
            self.one.send_message({"text": "hello"})
        self.assertEqual(requests, [("POST", f"{URL}/@connections/one=")])

    def test_a_gone_connection_is_marked(self):
        with mock.patch(FACTORY) as factory:
            post = factory.return_value.post_to_connection
            post.side_effect = error_of("GoneException", 410)
            WebSocketSession.objects.filter(channel_name="lobby").send_message({"text": "hello"})
            self.assertSent(factory.return_value, "one=", "two=")
            WebSocketSession.objects.filter(channel_name="lobby").send_message({"text": "hello"})
            self.assertSent(factory.return_value, "one=", "two=")
        self.assertFalse(WebSocketSession.objects.filter(connected=True).exists())

    def test_one_of_many_is_gone_and_the_others_are_sent_to(self):
        def post(ConnectionId, Data):  # noqa: N803 - boto3's own names
            if ConnectionId == "one=":
                raise error_of("GoneException", 410)

        with mock.patch(FACTORY) as factory:
            factory.return_value.post_to_connection.side_effect = post
            WebSocketSession.objects.send_message({"text": "hello"})
        connected = WebSocketSession.objects.filter(connected=True)
        self.assertEqual([session.connection_id for session in connected], ["two="])

    def test_another_error_of_one_session(self):
        with mock.patch(FACTORY) as factory:
            post = factory.return_value.post_to_connection
            post.side_effect = error_of("ForbiddenException", 403)
            try:
                self.one.send_message({"text": "hello"})
            except ClientError:
                raised = True
            else:
                raised = False
        self.assertEqual(raised, differs(True, False))
        self.one.refresh_from_db()
        self.assertTrue(self.one.connected)

    def test_what_a_queryset_returns(self):
        with mock.patch(FACTORY):
            returned = WebSocketSession.objects.send_message({"text": "hello"})
        self.assertEqual(isinstance(returned, list), differs(True, False))

    def test_a_session_without_a_gateway(self):
        alone = WebSocketSession.objects.create(connection_id="alone=")
        with mock.patch(FACTORY):
            try:
                alone.send_message({"text": "hello"})
            except AttributeError:
                raised = True
            else:
                raised = False
        self.assertEqual(raised, differs(True, False))

    def test_a_handler_sends_to_the_mock(self):
        from chat.models import Room
        from chat.tests.gateway import Socket

        Room.objects.create(name="lobby", gateway=self.gateway)
        with mock.patch(FACTORY) as factory:
            answer = Socket().send("chat", text="hello")
        self.assertEqual(answer.status_code, 200)
        self.assertSent(factory.return_value, "one=", "two=")


class FactoryTests(TestCase):
    def test_it_makes_a_client_of_the_control_plane(self):
        client = get_boto3_client()
        self.assertEqual(client.meta.service_model.service_name, "apigatewayv2")
        self.assertEqual(client.meta.region_name, "eu-west-1")

    def test_it_passes_on_what_it_is_given(self):
        with mock.patch("boto3.client") as factory:
            get_boto3_client("apigatewaymanagementapi", endpoint_url=URL)
        self.assertEqual(factory.call_args[0], ("apigatewaymanagementapi",))
        given = factory.call_args[1]
        self.assertEqual(given["endpoint_url"], URL)
        self.assertEqual(given["region_name"], "eu-west-1")
        self.assertEqual(given["aws_access_key_id"], "only-for-tests")

    def test_without_a_region_it_says_which_setting_to_set(self):
        refused = self.assertRaisesMessage(RuntimeError, "AWS_REGION_NAME")
        with self.settings(AWS_REGION_NAME=""), refused:
            get_boto3_client()

    def test_half_a_pair_of_keys_leaves_the_credentials_to_boto3(self):
        with self.settings(AWS_SECRET_ACCESS_KEY=""), mock.patch("boto3.client") as factory:
            get_boto3_client()
        self.assertNotIn("aws_access_key_id", factory.call_args[1])
