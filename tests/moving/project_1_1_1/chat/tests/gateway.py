"""API Gateway's part: the events that it posts, with the headers that 1.1.1 asked for."""

from __future__ import annotations

import json
from unittest import mock

from botocore.exceptions import ClientError
from django.test import Client, RequestFactory, TestCase

from django_aws_api_gateway_websockets.models import ApiGateway

FACTORY = "django_aws_api_gateway_websockets.models.get_boto3_client"

PAGE = {
    "HTTP_ORIGIN": "https://www.example.com",
    "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate",
    "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
}


def headers(connection_id="one=", api_id="api1", route="default"):
    found = {
        "HTTP_HOST": "www.example.com",
        "HTTP_X_FORWARDED_FOR": "192.0.2.1",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_CONNECTIONID": connection_id,
        "HTTP_X_AMZN_APIGATEWAY_API_ID": api_id,
        "HTTP_USER_AGENT": f"AmazonAPIGateway_{api_id}",
        "HTTP_CONNECTION": "upgrade",
        "HTTP_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678",
        "HTTP_X_FORWARDED_PORT": "443",
        "HTTP_X_REAL_IP": "192.0.2.1",
    }
    if route == "connect":
        found.update(PAGE, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64)")
    return found


def without_nothing(extra):
    return {name: value for name, value in extra.items() if value is not None}


def make_request(route="default", query="", body="", **changes):
    """A request as the view gets it, for the tests that call a hook alone."""
    extra = {"CONTENT_LENGTH": str(len(body)), **headers(route=route), **changes}
    return RequestFactory().generic(
        "POST", f"/ws/{route}{query}", body, "application/json", **without_nothing(extra)
    )


class Socket:
    """A client's socket, to a view that is mounted at /<view>/."""

    def __init__(self, view="ws", connection_id="one=", api_id="api1", client=None):
        self.view, self.connection_id, self.api_id = view, connection_id, api_id
        self.client = client or Client()
        self.client.raise_request_exception = False

    def post(self, route, body="", query="", method="POST", **changes):
        extra = {**headers(self.connection_id, self.api_id, route), **changes}
        if not body:
            extra.setdefault("CONTENT_LENGTH", "0")
        url = f"/{self.view}/{route}{query}"
        return self.client.generic(method, url, body, "application/json", **without_nothing(extra))

    def connect(self, query="", **changes):
        return self.post("connect", query=query, **changes)

    def send(self, action=None, route="default", raw=None, **message):
        if action is not None:
            message["action"] = action
        return self.post(route, raw if raw is not None else json.dumps(message))

    def disconnect(self, **changes):
        return self.post("disconnect", **changes)


def make_gateway(**columns):
    found = {
        "api_name": "Chat",
        "api_id": "api1",
        "api_endpoint": "wss://api1.execute-api.eu-west-1.amazonaws.com",
        "target_base_endpoint": "https://www.example.com/ws/",
        "default_channel_name": "lobby",
        "deployment_id": "d1",
        "api_created": True,
    }
    return ApiGateway.objects.create(**{**found, **columns})


class AskedForever(Exception):
    """A mock has had enough."""


class Weary(mock.MagicMock):
    """A MagicMock, whose every page has a next one: it ends a program that reads them all."""

    calls = 0

    def __call__(self, *args, **kwargs):
        Weary.calls += 1
        if Weary.calls > 300:
            raise AskedForever
        return super().__call__(*args, **kwargs)


def aws():
    """A MagicMock for boto3's client of the control plane, that answers as AWS does."""
    Weary.calls = 0
    client = Weary()
    endpoint = "wss://new1.execute-api.eu-west-1.amazonaws.com"
    client.create_api.return_value = {"ApiId": "new1", "ApiEndpoint": endpoint}
    client.create_integration.side_effect = lambda **_: {
        "IntegrationId": f"i{client.create_integration.call_count}"
    }
    client.create_route.return_value = {"RouteId": "r1"}
    client.create_stage.return_value = {"StageName": "production"}
    client.create_deployment.return_value = {"DeploymentId": "d9"}
    domain = {"ApiGatewayDomainName": "d-1.execute-api.eu-west-1.amazonaws.com"}
    client.create_domain_name.return_value = {"DomainNameConfigurations": [domain]}
    client.create_api_mapping.return_value = {"ApiMappingId": "m1"}
    return client


def error_of(code, status, operation="PostToConnection"):
    error = {
        "Error": {"Code": code, "Message": "of the test"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(error, operation)


class GatewayTestCase(TestCase):
    """A test with a gateway, and without AWS."""

    def setUp(self):
        if not self.fixtures:
            self.gateway = make_gateway()
        patch = mock.patch(FACTORY)
        self.boto3_client = patch.start()
        self.addCleanup(patch.stop)

    @property
    def post_to_connection(self):
        return self.boto3_client.return_value.post_to_connection

    def sent(self):
        """[(connection id, message)] of what boto3's client was given."""
        calls = self.post_to_connection.call_args_list
        return [(call[1]["ConnectionId"], json.loads(call[1]["Data"])) for call in calls]

    def assertRefused(self, answer, text, status=400):  # noqa: N802 - as TestCase's own are
        self.assertEqual((answer.status_code, answer.content.decode()), (status, text))
