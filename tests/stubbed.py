"""An AWS that expects exact calls: botocore's Stubber, which compares every parameter."""

from __future__ import annotations

from botocore.stub import Stubber

from django_aws_api_gateway_websockets.models import get_boto3_client


class StubbedAws:
    """A client that expects these calls in this order."""

    def __init__(self):
        self.client = get_boto3_client()
        self._stubber = Stubber(self.client)
        self._stubber.activate()

    def expect(self, method, answer, **parameters):
        self._stubber.add_response(method, answer, parameters)

    def refuse(self, method, code, **parameters):
        expected = parameters or None
        self._stubber.add_client_error(method, code, expected_params=expected)

    def expect_nothing_more(self):
        self._stubber.assert_no_pending_responses()

    # What several tests expect

    def expect_listings(self, routes=(), integrations=()):
        self.expect("get_routes", {"Items": list(routes)}, ApiId="api1")
        self.expect("get_integrations", {"Items": list(integrations)}, ApiId="api1")

    def expect_integration(self, integration_id, url, headers):
        self.expect(
            "create_integration",
            {"IntegrationId": integration_id},
            ApiId="api1",
            ConnectionType="INTERNET",
            IntegrationMethod="POST",
            IntegrationType="HTTP_PROXY",
            IntegrationUri=url,
            PassthroughBehavior="WHEN_NO_MATCH",
            PayloadFormatVersion="1.0",
            RequestParameters=headers,
            TimeoutInMillis=29000,
        )

    def expect_route(self, key, integration_id, **reply):
        target = f"integrations/{integration_id}"
        self.expect(
            "create_route",
            {"RouteId": f"of {key}", "RouteKey": key, "Target": target},
            ApiId="api1",
            ApiKeyRequired=False,
            AuthorizationType="NONE",
            RouteKey=key,
            Target=target,
            **reply,
        )

    def expect_ping(self, integration_id):
        """The route that AWS answers by itself, and all that belongs to it."""
        self.expect(
            "create_integration",
            {"IntegrationId": integration_id},
            ApiId="api1",
            ConnectionType="INTERNET",
            Description="Answers pings; made by django-aws-api-gateway-websockets",
            IntegrationType="MOCK",
            PassthroughBehavior="WHEN_NO_MATCH",
            PayloadFormatVersion="1.0",
            RequestTemplates={"$default": '{"statusCode":200}'},
            TemplateSelectionExpression="\\$default",
            TimeoutInMillis=29000,
        )
        self.expect(
            "create_integration_response",
            {},
            ApiId="api1",
            IntegrationId=integration_id,
            IntegrationResponseKey="$default",
            ResponseTemplates={"$default": '{"pong":true}'},
            TemplateSelectionExpression="\\$default",
        )
        self.expect_route("ping", integration_id, RouteResponseSelectionExpression="$default")
        self.expect_response("of ping")

    def expect_response(self, route_id):
        where = {"ApiId": "api1", "RouteId": route_id}
        self.expect("create_route_response", {}, **where, RouteResponseKey="$default")
