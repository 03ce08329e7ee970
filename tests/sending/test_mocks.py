"""Mocks: tests that were written for 1.1.1 catch what is sent, as they did."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from unittest import mock

import boto3
import pytest
from asgiref.sync import async_to_sync
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, HTTPClientError
from botocore.stub import Stubber
from django.core import mail
from django.test import TestCase, TransactionTestCase, override_settings

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    WebSocketSession,
    get_boto3_client,
)

MODELS = "django_aws_api_gateway_websockets.models"
FACTORY = f"{MODELS}.get_boto3_client"
ENDPOINT = "https://abc123.execute-api.eu-west-1.amazonaws.com/production"
KEYS = {"aws_access_key_id": "only-for-tests", "aws_secret_access_key": "only-for-tests"}


def make_gateway(**columns):
    return ApiGateway.objects.create(
        **{
            "api_name": "chat",
            "api_id": "abc123",
            "api_endpoint": "wss://abc123.execute-api.eu-west-1.amazonaws.com",
            "api_created": True,
            "target_base_endpoint": "https://www.example.com/ws/",
            **columns,
        }
    )


def make_session(connection_id="a=", gateway=None, **columns):
    columns = {"channel_name": "lobby", **columns}
    gateway = gateway or ApiGateway.objects.first() or make_gateway()
    return WebSocketSession.objects.create(
        connection_id=connection_id, api_gateway=gateway, **columns
    )


def client_error(code, status=400):
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PostToConnection")


@contextmanager
def no_network():
    """Fail a test that looks for a host."""
    with mock.patch.object(socket, "getaddrinfo", side_effect=AssertionError("network")):
        yield


class PatchedFactoryTests(TestCase):
    """mock.patch("django_aws_api_gateway_websockets.models.get_boto3_client")"""

    def setUp(self):
        patch = mock.patch(FACTORY)
        self.factory = patch.start()
        self.addCleanup(patch.stop)
        self.client = self.factory.return_value
        self.session = make_session()

    def test_a_message_to_a_session_is_caught(self):
        report = self.session.send_message({"msg": "hello", "n": 1})
        self.factory.assert_called_once_with("apigatewaymanagementapi", endpoint_url=ENDPOINT)
        self.client.post_to_connection.assert_called_once_with(
            Data='{"msg": "hello", "n": 1}', ConnectionId="a="
        )
        self.assertEqual(report.sent, 1)

    def test_a_message_to_a_channel_is_caught_in_the_order_of_its_sessions(self):
        others = [f"other{number}" for number in range(20)]
        for connection_id in others:
            make_session(connection_id)
        make_session("closed", connected=False)
        make_session("elsewhere", channel_name="garden")
        WebSocketSession.objects.filter(channel_name="lobby").send_message("hello")
        self.factory.assert_called_once_with("apigatewaymanagementapi", endpoint_url=ENDPOINT)
        self.assertEqual(
            self.client.post_to_connection.mock_calls,
            [mock.call(Data='"hello"', ConnectionId=each) for each in ["a=", *others]],
        )

    def test_a_message_by_the_manager_and_by_a_gateway_is_caught(self):
        WebSocketSession.objects.send_message([1])
        self.session.api_gateway.sessions.send_message([2])
        texts = [call[1]["Data"] for call in self.client.post_to_connection.call_args_list]
        self.assertEqual(texts, ["[1]", "[2]"])

    def test_a_message_after_the_commit_is_caught(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.session.send_message("hello", on_commit=True)
            self.client.post_to_connection.assert_not_called()
        self.client.post_to_connection.assert_called_once()

    def test_text_is_written_in_ascii(self):
        self.session.send_message({"text": "é ☃ 😀 \x7f \n"})
        self.client.post_to_connection.assert_called_once_with(
            Data='{"text": "\\u00e9 \\u2603 \\ud83d\\ude00 \\u007f \\n"}', ConnectionId="a="
        )

    def test_text_that_would_be_too_large_in_ascii_is_written_as_it_is(self):
        self.session.send_message("é" * 60_000)
        self.client.post_to_connection.assert_called_once_with(
            Data=f'"{"é" * 60_000}"', ConnectionId="a="
        )

    def test_a_region_that_is_not_that_of_the_settings_is_named(self):
        host = "execute-api.us-west-2.amazonaws.com"
        make_session("b", make_gateway(api_name="b", api_id="b", api_endpoint=f"wss://b.{host}"))
        WebSocketSession.objects.get(connection_id="b").send_message("hello")
        self.factory.assert_called_once_with(
            "apigatewaymanagementapi",
            endpoint_url=f"https://b.{host}/production",
            region_name="us-west-2",
        )

    def test_each_gateway_gets_its_client(self):
        make_session("b", make_gateway(api_name="b", api_id="b", api_endpoint="", stage_name="b"))
        WebSocketSession.objects.send_message("hello")
        urls = [call[1]["endpoint_url"] for call in self.factory.call_args_list]
        self.assertEqual(urls, [ENDPOINT, "https://b.execute-api.eu-west-1.amazonaws.com/b"])

    def test_a_gateway_that_has_only_its_row_is_enough(self):
        make_session("b", make_gateway(api_name="b", api_id="", api_created=False))
        report = WebSocketSession.objects.filter(connection_id="b").send_message("hello")
        self.client.post_to_connection.assert_called_once_with(Data='"hello"', ConnectionId="b")
        self.assertEqual(report.sent, 1)

    def test_a_session_without_a_gateway_is_reported(self):
        WebSocketSession.objects.create(connection_id="b", channel_name="garden")
        report = WebSocketSession.objects.filter(channel_name="garden").send_message("hello")
        self.factory.assert_not_called()
        self.assertEqual(report.failed, 1)

    def test_nobody_to_send_to_asks_for_no_client(self):
        WebSocketSession.objects.none().send_message("hello")
        self.factory.assert_not_called()

    def test_a_closing_is_caught(self):
        report = self.session.close()
        self.client.delete_connection.assert_called_once_with(ConnectionId="a=")
        self.assertEqual(report.closed, 1)

    def test_a_fake_that_cannot_close_is_reported(self):
        self.factory.return_value = mock.Mock(spec=["post_to_connection"])
        report = self.session.close()
        self.assertEqual(report.failed, 1)
        self.session.refresh_from_db()
        self.assertFalse(self.session.connected)


class RaisingMockTests(TestCase):
    def setUp(self):
        self.client = mock.MagicMock()
        patch = mock.patch(FACTORY, return_value=self.client)
        patch.start()
        self.addCleanup(patch.stop)
        self.session = make_session()

    def send(self, *effects):
        self.client.post_to_connection.side_effect = effects
        report = WebSocketSession.objects.filter(channel_name="lobby").send_message("hello")
        self.session.refresh_from_db()
        return report

    def assert_is_gone(self, report):
        self.assertEqual((report.sent, report.gone, report.failed), (0, 1, 0))
        self.assertFalse(self.session.connected)

    def test_a_gone_client_is_marked(self):
        for error in (
            client_error("GoneException"),
            client_error("GoneException", 410),
            client_error("", 410),
            client_error("410"),
            ClientError({"Error": {"Code": "GoneException"}}, "PostToConnection"),
        ):
            with self.subTest(error.response):
                self.assert_is_gone(self.send(error))
                WebSocketSession.objects.update(connected=True)

    def test_the_gone_exception_of_a_fake_client_counts(self):
        class Gone(Exception):
            pass

        self.client.exceptions.GoneException = Gone
        self.assert_is_gone(self.send(Gone()))

    def test_that_of_a_real_client_counts(self):
        gone = get_boto3_client_of_the_test().exceptions.GoneException
        error = gone({"Error": {"Code": "GoneException"}}, "PostToConnection")
        self.assert_is_gone(self.send(error))

    def test_another_error_of_aws_is_reported_and_the_next_one_is_served(self):
        make_session("b")
        report = self.send(client_error("LimitExceededException", 429), mock.DEFAULT)
        self.assertEqual((report.sent, report.failed), (1, 1))
        self.assertEqual(report.reasons, {"LimitExceededException": 1})
        self.assertTrue(self.session.connected)

    def test_an_error_whose_code_is_a_mock_is_reported(self):
        error = client_error(mock.MagicMock())
        self.assertEqual(self.send(error).failed, 1)

    def test_an_error_of_the_tests_own_is_raised(self):
        for error in (RuntimeError("boom"), ValueError("boom"), KeyError("boom")):
            with self.subTest(repr(error)), self.assertRaises(type(error)):
                self.send(error)


def get_boto3_client_of_the_test():
    return boto3.client("apigatewaymanagementapi", region_name="eu-west-1", **KEYS)


class PatchedBoto3Tests(TestCase):
    def setUp(self):
        self.session = make_session()

    def test_a_patched_boto3_client_gets_the_arguments_that_it_got(self):
        for target in ("boto3.client", f"{MODELS}.boto3.client", "boto3.session.Session.client"):
            with self.subTest(target), mock.patch(target) as client:
                self.session.send_message({"a": 1})
                client.assert_called_once_with(
                    "apigatewaymanagementapi",
                    region_name="eu-west-1",
                    endpoint_url=ENDPOINT,
                    **KEYS,
                )
                client.return_value.post_to_connection.assert_called_once_with(
                    Data='{"a": 1}', ConnectionId="a="
                )

    def test_boto3_itself_can_be_patched(self):
        with mock.patch(f"{MODELS}.boto3") as patched:
            self.session.send_message("hello")
        patched.client.return_value.post_to_connection.assert_called_once()

    @override_settings(AWS_REGION_NAME=None)
    def test_without_a_region_in_the_settings_that_of_the_gateway_counts(self):
        with mock.patch(FACTORY) as factory:
            self.assertEqual(self.session.send_message("hello").sent, 1)
        self.assertEqual(factory.call_args[1]["region_name"], "eu-west-1")

    @override_settings(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    def test_without_keys_boto3_looks_for_them_itself(self):
        with mock.patch("boto3.client") as client:
            self.session.send_message("hello")
        client.assert_called_once_with(
            "apigatewaymanagementapi", region_name="eu-west-1", endpoint_url=ENDPOINT
        )

    def test_the_control_planes_client_is_made_as_it_was(self):
        with mock.patch("boto3.client") as client:
            get_boto3_client()
            get_boto3_client("s3", use_ssl=False)
        one, other = client.call_args_list
        self.assertEqual(one, mock.call("apigatewayv2", region_name="eu-west-1", **KEYS))
        self.assertEqual(other, mock.call("s3", region_name="eu-west-1", use_ssl=False, **KEYS))

    def test_a_fake_needs_no_more_than_it_has_to_do(self):
        class Fake:
            sent = ()

            def post_to_connection(self, Data, ConnectionId):  # noqa: N803
                self.sent += (Data, ConnectionId)

        fake = Fake()
        with mock.patch("boto3.client", return_value=fake):
            self.assertEqual(self.session.send_message("hello").sent, 1)
            self.assertIs(get_boto3_client(), fake)
        self.assertEqual(fake.sent, ('"hello"', "a="))

    @override_settings(AWS_GATEWAY_ENDPOINT_URL="http://127.0.0.1:9001")
    def test_settings_of_a_developer_who_has_the_local_gateway_change_nothing(self):
        with mock.patch("boto3.client") as client, no_network():
            self.session.send_message("hello")
        self.assertEqual(client.call_args[1]["endpoint_url"], "http://127.0.0.1:9001/production")
        client.return_value.post_to_connection.assert_called_once()

    def test_a_patched_api_call_catches(self):
        with mock.patch("botocore.client.BaseClient._make_api_call") as call, no_network():
            self.assertEqual(self.session.send_message("hello").sent, 1)
        expected = {"Data": '"hello"', "ConnectionId": "a="}
        call.assert_called_once_with("PostToConnection", expected)


class BotocoreTests(TestCase):
    """What does not replace a client, but what becomes of its requests."""

    def setUp(self):
        self.session = make_session()
        default = mock.patch("boto3.DEFAULT_SESSION", None)
        default.start()
        self.addCleanup(default.stop)

    def test_a_stubber_catches(self):
        client = get_boto3_client_of_the_test()
        with Stubber(client) as stubber, mock.patch(FACTORY, return_value=client), no_network():
            expected = {"Data": '{"a": 1}', "ConnectionId": "a="}
            stubber.add_response("post_to_connection", {}, expected)
            self.assertEqual(self.session.send_message({"a": 1}).sent, 1)
            stubber.add_client_error("post_to_connection", "GoneException", http_status_code=410)
            self.assertEqual(self.session.send_message({"a": 1}).gone, 1)
            # One that the stubber was not told of.
            self.assertEqual(self.session.send_message("more").failed, 1)
            stubber.assert_no_pending_responses()

    def test_a_hook_of_boto3s_default_session_catches(self):
        seen = []

        def catch(request, **kwargs):
            seen.append((request.method, request.url, request.body))
            return AWSResponse(request.url, 200, {}, mock.Mock(stream=lambda: iter([b"{}"])))

        boto3.setup_default_session()
        boto3.DEFAULT_SESSION.events.register("before-send", catch)
        with no_network():
            self.assertEqual(self.session.send_message({"a": 1}).sent, 1)
            self.assertEqual(self.session.close().closed, 1)
        url = f"{ENDPOINT}/@connections/a%3D"
        self.assertEqual([each[0] for each in seen], ["POST", "DELETE"])
        self.assertEqual({each[1].replace("%40", "@") for each in seen}, {url})
        self.assertEqual(seen[0][2], b'{"a": 1}')

    def test_a_closing_that_nothing_catches_does_not_leave(self):
        with no_network():
            report = self.session.close()
        self.assertEqual(report.reasons, {"NotCaughtByTheTest": 1})

    @override_settings(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    def test_a_closing_looks_for_no_keys(self):
        with mock.patch("botocore.credentials.CredentialResolver.load_credentials") as load:
            report = self.session.close()
        load.assert_not_called()
        self.assertEqual(report.reasons, {"NotCaughtByTheTest": 1})

    def test_messages_of_a_client_that_has_closed_still_leave(self):
        client = get_boto3_client_of_the_test()
        with mock.patch(FACTORY, return_value=client), mock.patch(
            "botocore.httpsession.URLLib3Session.send", side_effect=HTTPClientError(error="x")
        ) as send:
            self.session.close()
            send.assert_not_called()
            report = self.session.send_message("hello")
        send.assert_called()
        self.assertEqual(report.reasons, {"HTTPClientError": 1})


class FollowingTests(TestCase):
    """No mock outlives its test, and none comes too late."""

    def test_each_patch_gets_its_own_messages(self):
        session = make_session()
        for number in (1, 2):
            with mock.patch(FACTORY) as factory:
                session.send_message(number)
            factory.return_value.post_to_connection.assert_called_once_with(
                Data=str(number), ConnectionId="a="
            )

    def test_a_patch_after_a_real_client_was_made_gets_its_messages(self):
        session = make_session()
        with mock.patch("botocore.client.BaseClient._make_api_call") as call:
            session.send_message("hello")
        with mock.patch("boto3.client") as client:
            session.send_message("hello")
        call.assert_called_once()
        client.return_value.post_to_connection.assert_called_once()

    @override_settings(WEBSOCKETS={"transport": "boto3"})
    def test_a_transport_that_keeps_its_clients_keeps_none_of_a_test(self):
        session = make_session()
        for _ in range(2):
            with mock.patch("boto3.session.Session.client") as client:
                session.send_message("hello")
            client.return_value.post_to_connection.assert_called_once()

    @override_settings(AWS_IAM_PROFILE="chat")
    def test_no_session_of_a_test_is_kept(self):
        session = make_session()
        for _ in range(2):
            with mock.patch("boto3.Session") as made:
                session.send_message("hello")
            made.assert_called_once()
            made.return_value.client.return_value.post_to_connection.assert_called_once()


class AsyncTests(TransactionTestCase):
    def test_an_awaited_message_is_caught(self):
        session = make_session()
        with mock.patch(FACTORY) as factory:
            report = async_to_sync(session.asend_message)({"a": 1})
        factory.return_value.post_to_connection.assert_called_once_with(
            Data='{"a": 1}', ConnectionId="a="
        )
        self.assertEqual(report.sent, 1)

    def test_a_logout_reaches_no_network(self):
        with no_network():
            user = self.log_in()
            session = make_session(user=user)
            self.client.logout()
        session.refresh_from_db()
        self.assertFalse(session.connected and session.login)

    def log_in(self):
        from django.contrib.auth import get_user_model

        user = get_user_model().objects.create_user("alice")
        self.client.force_login(user)
        return user


# What is not for tests stays what it is.


@pytest.mark.django_db
@pytest.mark.parametrize("transport", ["sockets", "threads", "libcurl"])
def test_a_transport_that_is_chosen_does_not_ask_the_factory(edge, transport, settings):
    settings.WEBSOCKETS = {"transport": transport}
    session = make_session()
    with mock.patch(FACTORY) as factory, mock.patch("boto3.client") as client:
        assert session.send_message("hello").sent == 1
    assert edge.lines == ["POST /production/@connections/a="]
    assert factory.mock_calls == client.mock_calls == []


@pytest.fixture
def site(edge, settings):
    """A session of a site, whose AWS is the edge, and whose mails go to Django's outbox."""
    settings.WEBSOCKETS = {}
    with mock.patch.object(mail, "outbox", [], create=True):
        yield make_session()


@pytest.mark.django_db
def test_auto_is_the_transport_of_production_outside_of_tests(edge, outside_of_tests, site):
    with mock.patch(FACTORY) as factory, mock.patch("boto3.client") as client:
        report = site.send_message("é")
    assert report.sent == 1
    assert [request.body for request in edge.requests] == ['"é"'.encode()]
    assert factory.mock_calls == client.mock_calls == []


@pytest.mark.django_db
def test_auto_asks_the_factory_in_tests(edge, site):
    assert site.send_message("é").sent == 1
    assert [request.body for request in edge.requests] == [b'"\\u00e9"']


def test_outside_of_tests_the_factory_makes_clients_of_our_own_session(outside_of_tests):
    with mock.patch("boto3.client") as client:
        made = get_boto3_client()
    assert client.mock_calls == []
    assert made.meta.config.retries["total_max_attempts"] == 1
