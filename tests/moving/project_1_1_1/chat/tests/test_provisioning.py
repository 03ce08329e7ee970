"""Gateways in AWS: what boto3's client is asked, and what the rows tell afterwards."""

from __future__ import annotations

from io import StringIO
from unittest import mock

from django.core.management import CommandError, call_command
from django.test import TestCase

from chat.models import ChatGateway, TeamGateway
from chat.tests import differs
from chat.tests.gateway import FACTORY, AskedForever, Weary, aws, error_of, make_gateway
from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)

NOT_CREATED = {"api_id": "", "api_endpoint": "", "deployment_id": "", "api_created": False}
CERTIFICATE = {"certificate_arn": "arn:aws:acm:1", "domain_name": "ws.example.com"}


class ProvisioningTestCase(TestCase):
    def setUp(self):
        self.aws = aws()
        patch = mock.patch(FACTORY, return_value=self.aws)
        patch.start()
        self.addCleanup(patch.stop)

    def calls(self, name):
        """The arguments of each call of a method of boto3's client."""
        return [call[1] for call in getattr(self.aws, name).call_args_list]


class GatewayTests(ProvisioningTestCase):
    def test_create_gateway_creates_the_api_and_its_routes(self):
        gateway = make_gateway(**NOT_CREATED)
        gateway.create_gateway()
        (api,) = self.calls("create_api")
        expected = {
            "Name": "Chat",
            "ProtocolType": "WEBSOCKET",
            "RouteSelectionExpression": "$request.body.action",
            "ApiKeySelectionExpression": "$request.header.x-api-key",
        }
        self.assertEqual({key: api[key] for key in expected}, expected)
        keys = [call["RouteKey"] for call in self.calls("create_route")]
        self.assertEqual(keys, ["$connect", "$disconnect", "$default"])
        uris = [call["IntegrationUri"] for call in self.calls("create_integration")]
        base = "https://www.example.com/ws/"
        self.assertEqual(uris, [f"{base}{name}" for name in ("connect", "disconnect", "default")])
        for call in self.calls("create_integration"):
            mapping = call["RequestParameters"]
            name = "integration.request.header.connectionId"
            self.assertEqual(mapping[name], "context.connectionId")
        gateway.refresh_from_db()
        self.assertEqual((gateway.api_id, gateway.api_created), ("new1", True))
        self.assertEqual(gateway.deployment_id, "d9")

    def test_an_api_is_created_with_a_route_and_a_target(self):
        make_gateway(**NOT_CREATED).create_gateway()
        (api,) = self.calls("create_api")
        self.assertEqual({"RouteKey", "Target"} <= set(api), differs(True, False))

    def test_integrations_map_the_connection_alone(self):
        make_gateway(**NOT_CREATED).create_gateway()
        mappings = [call["RequestParameters"] for call in self.calls("create_integration")]
        self.assertEqual({len(mapping) == 1 for mapping in mappings}, {differs(True, False)})

    def test_create_gateway_takes_its_routes_along(self):
        gateway = make_gateway(**NOT_CREATED)
        gateway.additional_routes.create(
            name="Join", route_key="join", integration_url="https://www.example.com/ws/join"
        )
        gateway.create_gateway()
        self.assertEqual(self.calls("create_route")[-1]["RouteKey"], "join")
        self.assertEqual(gateway.additional_routes.get().deployed, differs(False, True))

    def test_helpers_of_a_proxy_are_left_alone(self):
        make_gateway(**NOT_CREATED)
        gateway = TeamGateway.objects.get()
        gateway.create_gateway()
        gateway.refresh_from_db()
        self.assertEqual((gateway.api_id, gateway.api_created), ("new1", True))
        self.assertEqual(gateway._tags(), "tags of the team")

    def test_a_created_gateway_asks_aws_nothing(self):
        make_gateway().create_gateway()
        self.assertEqual(self.aws.mock_calls, [])

    def test_an_error_of_aws_is_raised_and_nothing_recorded(self):
        gateway = make_gateway(**NOT_CREATED)
        self.aws.create_api.side_effect = error_of("TooManyRequestsException", 429, "CreateApi")
        with self.assertRaisesMessage(Exception, "of the test"):
            gateway.create_gateway()
        gateway.refresh_from_db()
        self.assertEqual((gateway.api_created, gateway.api_id), (False, ""))

    def test_a_magicmock_that_answers_nothing_ends(self):
        gateway = make_gateway(**NOT_CREATED)
        with mock.patch(FACTORY, return_value=Weary()):
            try:
                gateway.create_gateway()
            except Exception as error:  # noqa: BLE001 - its ids are mocks, which no column takes
                self.assertNotIsInstance(error, AskedForever)

    def test_a_route_of_a_live_gateway_is_deployed(self):
        gateway = make_gateway()
        with self.captureOnCommitCallbacks(execute=True):
            route = ApiGatewayAdditionalRoute.objects.create(
                api_gateway=gateway,
                name="Join",
                route_key="join",
                integration_url="https://www.example.com/ws/join",
            )
        (call,) = self.calls("create_route")
        self.assertEqual((call["ApiId"], call["RouteKey"]), ("api1", "join"))
        self.assertEqual(len(self.calls("create_deployment")), 1)
        route.refresh_from_db()
        self.assertTrue(route.deployed)

    def test_a_route_of_a_live_gateway_waits_for_the_commit(self):
        gateway = make_gateway()
        gateway.additional_routes.create(
            name="Join", route_key="join", integration_url="https://www.example.com/ws/join"
        )
        self.assertEqual(len(self.calls("create_route")), differs(1, 0))

    def test_a_route_of_a_gateway_with_a_deployment_alone_is_deployed(self):
        gateway = make_gateway(api_created=False)
        with self.captureOnCommitCallbacks(execute=True):
            gateway.additional_routes.create(
                name="Join", route_key="join", integration_url="https://www.example.com/ws/join"
            )
        self.assertEqual(len(self.calls("create_route")), 1)
        self.assertTrue(gateway.additional_routes.get().deployed)

    def test_create_route_is_called_without_a_deployment(self):
        gateway = make_gateway(**NOT_CREATED)
        route = gateway.additional_routes.create(
            name="Join", route_key="join", integration_url="https://www.example.com/ws/join"
        )
        gateway.api_id = route.api_gateway.api_id = "api1"
        route.create_route(self.aws, deploy=False)
        self.assertEqual(len(self.calls("create_route")), 1)
        self.assertEqual(self.calls("create_deployment"), [])

    def test_the_steps_are_called_one_by_one(self):
        gateway = make_gateway(**NOT_CREATED)
        gateway._create_api(self.aws)
        self.assertEqual(gateway.api_id, "new1")
        gateway._create_routes(self.aws)
        self.assertEqual(len(self.calls("create_route")), 3)
        gateway._create_stage_and_deploy(self.aws)
        self.assertEqual(len(self.calls("create_stage")), 1)
        gateway.deploy_api(self.aws)
        self.assertEqual(len(self.calls("create_deployment")), 2)


class DomainTests(ProvisioningTestCase):
    def test_create_custom_domain_records_what_aws_answers(self):
        gateway = make_gateway(**CERTIFICATE)
        gateway.create_custom_domain()
        (call,) = self.calls("create_api_mapping")
        expected = {"ApiId": "api1", "DomainName": "ws.example.com", "Stage": "production"}
        self.assertEqual(call, expected)
        gateway.refresh_from_db()
        name = "d-1.execute-api.eu-west-1.amazonaws.com"
        self.assertEqual((gateway.api_gateway_domain_name, gateway.api_mapping_id), (name, "m1"))
        self.assertTrue(gateway.custom_domain_created)

    def test_it_needs_an_api(self):
        message = "The API needs to be created before calling this method"
        with self.assertRaisesMessage(ValueError, message):
            make_gateway(**NOT_CREATED, **CERTIFICATE).create_custom_domain()

    def test_it_needs_a_certificate(self):
        with self.assertRaisesMessage(ValueError, "A Certificate ARN is required"):
            make_gateway(domain_name="ws.example.com").create_custom_domain()

    def test_the_steps_return_what_aws_answers(self):
        gateway = make_gateway(**CERTIFICATE)
        answer = gateway._create_domain_name(self.aws)
        name = answer["DomainNameConfigurations"][0]["ApiGatewayDomainName"]
        self.assertEqual(name, "d-1.execute-api.eu-west-1.amazonaws.com")
        self.assertEqual(gateway._create_api_mapping(self.aws), "m1")

    def test_the_results_of_overridden_steps_are_used(self):
        make_gateway(**CERTIFICATE)
        gateway = ChatGateway.objects.get()
        gateway.create_custom_domain()
        self.assertEqual(self.calls("create_domain_name"), [])
        gateway.refresh_from_db()
        self.assertEqual(gateway.api_gateway_domain_name, "edge.ws.example.com")
        self.assertEqual(gateway.api_mapping_id, "mapping-of-api1")
        self.assertTrue(gateway.custom_domain_created)

    def test_a_half_made_domain_is_finished(self):
        half = {**CERTIFICATE, "custom_domain_created": True}
        gateway = make_gateway(**half)
        gateway.create_custom_domain()
        gateway.refresh_from_db()
        self.assertEqual(gateway.api_mapping_id, "m1")
        self.assertTrue(gateway.api_gateway_domain_name)


class CommandTests(ProvisioningTestCase):
    def call(self, *arguments, **options):
        out = StringIO()
        call_command(*arguments, stdout=out, **options)
        return out.getvalue()

    def test_create_api_gateway(self):
        gateway = make_gateway(**NOT_CREATED)
        self.call("createApiGateway", pk=gateway.pk)
        self.assertTrue(ApiGateway.objects.get().api_created)
        with self.assertRaises(differs(ApiGateway.DoesNotExist, CommandError)):
            self.call("createApiGateway", pk=gateway.pk)

    def test_create_custom_domain(self):
        gateway = make_gateway(**CERTIFICATE)
        self.call("createCustomDomain", "--pk", str(gateway.pk))
        self.assertTrue(ApiGateway.objects.get().custom_domain_created)

    def test_an_unknown_gateway(self):
        for name in ("createApiGateway", "createCustomDomain"):
            with self.assertRaises(differs(ApiGateway.DoesNotExist, CommandError)):
                self.call(name, pk=999)

    def test_clear_web_socket_sessions_deletes_the_closed_ones(self):
        WebSocketSession.objects.create(connection_id="open=")
        WebSocketSession.objects.create(connection_id="left=", connected=False)
        self.call("clearWebSocketSessions")
        self.assertEqual(WebSocketSession.objects.get().connection_id, "open=")
