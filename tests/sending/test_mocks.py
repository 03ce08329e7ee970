"""A project's tests that were written for 1.1.1: their mocks catch what is sent."""

from __future__ import annotations

import json
from io import BytesIO
from unittest import mock

import boto3
import pytest
from asgiref.sync import async_to_sync
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from django.test import utils

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.models import WebSocketSession, get_boto3_client
from django_aws_api_gateway_websockets.sending.boto import ReplaceableTransport
from django_aws_api_gateway_websockets.sending.transports import EngineTransport
from tests.factories import make_created_gateway, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("new_session")]

sessions = WebSocketSession.objects

FACTORY = "django_aws_api_gateway_websockets.models.get_boto3_client"
URL = "https://abc.execute-api.eu-west-1.amazonaws.com/production"
MANAGEMENT = "apigatewaymanagementapi"


@pytest.fixture(autouse=True)
def two_sessions():
    """Of a gateway as 1.1.1 left it, in the region of the settings."""
    gateway = make_created_gateway(api_id="abc", api_endpoint="")
    for connection_id in "ab":
        make_session(gateway, connection_id=connection_id, channel_name="room")
    return sessions.filter(channel_name="room")


def gone(*args, **kwargs):
    raise ClientError({"Error": {"Code": "GoneException"}}, "PostToConnection")


def test_a_patched_factory_is_asked_for_the_client_as_1_1_1_asked(two_sessions):
    with mock.patch(FACTORY) as factory:
        report = two_sessions.send_message({"a": 1})
    assert factory.call_args_list == [mock.call(MANAGEMENT, endpoint_url=URL)]
    assert factory.return_value.post_to_connection.call_args_list == [
        mock.call(Data='{"a": 1}', ConnectionId="a"),
        mock.call(Data='{"a": 1}', ConnectionId="b"),
    ]
    assert report.sent == 2


def test_each_test_has_its_own_mock():
    for number in range(2):
        with mock.patch(FACTORY) as factory:
            sessions.get(connection_id="a").send_message({"number": number})
        (call,) = factory.return_value.post_to_connection.call_args_list
        assert json.loads(call.kwargs["Data"]) == {"number": number}


@pytest.mark.parametrize(
    "target", ["boto3.client", "django_aws_api_gateway_websockets.models.boto3.client"]
)
def test_a_patched_boto3_client_is_what_sends(target):
    with mock.patch(target) as client:
        report = sessions.get(connection_id="a").send_message("x")
    (call,) = client.call_args_list
    assert call.args == (MANAGEMENT,)
    given = {name: call.kwargs[name] for name in ("endpoint_url", "region_name")}
    assert given == {"endpoint_url": URL, "region_name": "eu-west-1"}
    client.return_value.post_to_connection.assert_called_once_with(Data='"x"', ConnectionId="a")
    assert report.sent == 1


def test_a_patched_module_is_what_sends():
    with mock.patch("django_aws_api_gateway_websockets.models.boto3") as module:
        sessions.get(connection_id="a").send_message("x")
    module.client.return_value.post_to_connection.assert_called_once()


def test_a_connection_that_a_mock_calls_gone_is_marked(two_sessions):
    sessions.update(request_count=2)
    with mock.patch(FACTORY) as factory:
        factory.return_value.post_to_connection.side_effect = gone
        report = two_sessions.send_message("x")
    assert (report.gone, sessions.filter(connected=True).count()) == (2, 0)


def test_an_exception_that_is_none_of_botocores_reaches_the_test(two_sessions):
    with mock.patch(FACTORY) as factory, pytest.raises(LookupError):
        factory.return_value.post_to_connection.side_effect = LookupError
        two_sessions.send_message("x")


def test_a_stubbed_client_is_what_sends():
    client = boto3.client(
        MANAGEMENT,
        region_name="eu-west-1",
        endpoint_url=URL,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    expected = {"ConnectionId": "a", "Data": '{"a": 1}'}
    with Stubber(client) as stubber, mock.patch(FACTORY, return_value=client):
        stubber.add_response("post_to_connection", {}, expected)
        report = sessions.get(connection_id="a").send_message({"a": 1})
        stubber.assert_no_pending_responses()
    assert report.sent == 1


class Empty(BytesIO):
    """The body of an answer, as urllib3 has it."""

    def stream(self):
        return iter(())


def test_a_hook_of_boto3s_own_session_sees_the_request():
    seen = []

    def answer(request, **kwargs):
        seen.append((request.method, request.url, request.body))
        return AWSResponse(request.url, 200, {}, Empty())

    boto3.setup_default_session()
    events = boto3.DEFAULT_SESSION.events
    events.register(f"before-send.{MANAGEMENT}", answer)
    report = sessions.get(connection_id="a").send_message("x")
    assert seen == [("POST", f"{URL}/@connections/a", b'"x"')]
    assert report.sent == 1


def test_closing_is_caught_as_well(two_sessions):
    with mock.patch(FACTORY) as factory:
        report = two_sessions.close()
    deleted = factory.return_value.delete_connection.call_args_list
    assert deleted == [mock.call(ConnectionId="a"), mock.call(ConnectionId="b")]
    assert report.closed == 2


@pytest.mark.django_db(transaction=True)
def test_what_asynchronous_code_sends_is_caught(two_sessions):
    with mock.patch(FACTORY) as factory:
        report = async_to_sync(two_sessions.asend_message)("x")
    assert factory.return_value.post_to_connection.call_count == report.sent == 2


def test_a_gateway_of_another_region_is_asked_for_with_it():
    gateway = make_created_gateway(api_endpoint="wss://abc.execute-api.us-west-2.amazonaws.com")
    with mock.patch(FACTORY) as factory:
        make_session(gateway).send_message("x")
    assert factory.call_args.kwargs["region_name"] == "us-west-2"


@pytest.mark.parametrize("name", ["threads", "libcurl"])
def test_a_transport_that_is_named_is_taken_at_its_word(settings, name):
    if name == "libcurl":
        pytest.importorskip("pycurl")
    settings.WEBSOCKETS = {"transport": name}
    assert isinstance(sending.transport(), EngineTransport)


def test_outside_of_tests_the_fastest_transport_is_taken():
    assert isinstance(sending.transport(), ReplaceableTransport)
    saved = utils._TestState.saved_data
    del utils._TestState.saved_data
    try:
        assert isinstance(sending.transport(), EngineTransport)
        with mock.patch("boto3.client") as client:
            get_boto3_client()
        assert not client.called
    finally:
        utils._TestState.saved_data = saved
