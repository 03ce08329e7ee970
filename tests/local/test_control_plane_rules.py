"""What the control plane refuses: row 28 of the fidelity list, and AWS's rules."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from .refusals import BAD, CERTIFICATE, CONFLICT, MISSING, WEBSOCKET, items, refusal
from .world import Api

# What AWS refuses


@pytest.mark.parametrize(
    "parameters",
    [
        {"RouteKey": "$default"},
        {"Target": "https://example.com"},
        {"CredentialsArn": "arn:aws:iam::1:role/x"},
        {"ProtocolType": "HTTP"},
        {"RouteSelectionExpression": "nonsense"},
    ],
)
def test_apis_that_cannot_be(world, parameters):
    control = world.control
    assert refusal(control.create_api, **{**WEBSOCKET, **parameters}) == BAD
    assert items(control.get_apis()) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"IntegrationType": "AWS_PROXY"},
        {"IntegrationType": "MOCK"},
        {"ConnectionType": "VPC_LINK", "ConnectionId": "x"},
        {"IntegrationMethod": ""},
        {"IntegrationMethod": "PO\nST"},
        {"IntegrationUri": ""},
        {"IntegrationUri": "ftp://example.com/"},
        {"IntegrationUri": "http:///ws/"},
        {"TimeoutInMillis": 29_001},
        {"PassthroughBehavior": "SOMETIMES"},
    ],
)
def test_integrations_that_cannot_be(world, parameters):
    api = Api(world)
    assert refusal(api.add_integration, name="x", **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"Target": "integrations/unknown"},
        {"Target": "elsewhere"},
        {"AuthorizationType": "AWS_IAM"},
        {"AuthorizationType": "NOBODY"},
        {"ApiKeyRequired": True},
        {"RequestParameters": {"method.request.header.x": {"Required": False}}},
    ],
)
def test_routes_that_cannot_be(world, parameters):
    api = Api(world)
    route = {"ApiId": api.id, "RouteKey": "join", **parameters}
    assert refusal(api.control.create_route, **route) == BAD


def test_a_target_is_an_integration_and_nothing_else(world):
    api = Api(world)
    route = api.add_route("join")
    target = {"ApiId": api.id, "RouteKey": "leave", "Target": f"routes/{route}"}
    assert refusal(api.control.create_route, **target) == BAD


@pytest.mark.parametrize("parameters", [{"StageName": "a b"}, {"StageName": "$default"}])
def test_stages_that_cannot_be(world, parameters):
    api = Api(world)
    assert refusal(api.control.create_stage, ApiId=api.id, **parameters) == BAD


def test_a_stage_of_an_unknown_deployment_is_not_found(world):
    api = Api(world)
    stage = {"ApiId": api.id, "StageName": "x", "DeploymentId": "unknown"}
    assert refusal(api.control.create_stage, **stage) == MISSING


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("a/b.c", {"CertificateArn": CERTIFICATE}),
        ("localhost", {"CertificateArn": CERTIFICATE}),
        ("a.b", {}),
        ("a.b", {"CertificateArn": CERTIFICATE, "EndpointType": "EDGE"}),
        ("a.b", {"CertificateArn": CERTIFICATE, "SecurityPolicy": "TLS_1_0"}),
        ("a.b", None),
    ],
)
def test_domains_that_cannot_be(world, name, configuration):
    configurations = {} if configuration is None else {"DomainNameConfigurations": [configuration]}
    assert refusal(world.control.create_domain_name, DomainName=name, **configurations) == BAD


def test_route_keys_and_stage_names_are_unique(world):
    api = world.api("join", "leave")
    assert refusal(api.control.create_route, ApiId=api.id, RouteKey="join") == CONFLICT
    assert refusal(api.control.create_stage, ApiId=api.id, StageName="production") == CONFLICT
    leave = items(api.control.get_routes(ApiId=api.id))[1]["RouteId"]
    renamed = {"ApiId": api.id, "RouteId": leave, "RouteKey": "join"}
    assert refusal(api.control.update_route, **renamed) == CONFLICT
    api.control.update_route(**{**renamed, "RouteKey": "leave"})


def test_what_is_referred_to_cannot_be_deleted(world):
    api = world.api("$default")
    (route,) = items(api.control.get_routes(ApiId=api.id))
    (integration,) = items(api.control.get_integrations(ApiId=api.id))
    (deployment,) = items(api.control.get_deployments(ApiId=api.id))
    of_integration = {"ApiId": api.id, "IntegrationId": integration["IntegrationId"]}
    of_deployment = {"ApiId": api.id, "DeploymentId": deployment["DeploymentId"]}
    assert refusal(api.control.delete_integration, **of_integration) == CONFLICT
    assert refusal(api.control.delete_deployment, **of_deployment) == BAD
    api.control.delete_route(ApiId=api.id, RouteId=route["RouteId"])
    api.control.delete_integration(**of_integration)
    api.control.delete_stage(ApiId=api.id, StageName="production")
    api.control.delete_deployment(**of_deployment)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("import_api", {"Body": "openapi"}),
        ("create_model", {"ContentType": "a/b", "Name": "x", "Schema": "{}"}),
        ("reset_authorizers_cache", {"StageName": "production"}),
        ("reimport_api", {"Body": "openapi"}),
        ("create_vpc_link", {"Name": "x", "SubnetIds": ["subnet-1"]}),
    ],
)
def test_calls_that_are_not_played_say_so(world, operation, parameters):
    api = world.api()
    where = {} if operation in ("import_api", "create_vpc_link") else {"ApiId": api.id}
    code, status = refusal(getattr(api.control, operation), **where, **parameters)
    assert (code, status) == ("NotImplementedException", 501)


# Row 28, and what boto3 itself would not send


def raw(world, method, path, body):
    """A call that boto3 would not let anybody make."""
    address = urlsplit(world.gateway.endpoint_url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    try:
        headers = {"Authorization": "AWS4-HMAC-SHA256 x"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "Name"),
        (b'{"name": 5, "protocolType": "WEBSOCKET"}', "Name"),
        (b'{"name": "x", "protocolType": ["WEBSOCKET"]}', "ProtocolType"),
        (b'{"name": "x", "protocolType": "CARRIER_PIGEON"}', "ProtocolType"),
        (b'{"name": "x", "protocolType": "WEBSOCKET", "tags": []}', "Tags"),
        (b'{"name": "x", "protocolType": "WEBSOCKET", "tags": {"a": 1}}', "Tags"),
    ],
)
def test_bad_input_is_a_bad_request(world, body, words):
    status, document = raw(world, "POST", "/v2/apis", body)
    assert status == 400
    assert words in document["message"]


def test_bad_input_in_lists_and_structures_is_a_bad_request(world):
    for configurations in (5, [5], [{"certificateArn": 5}]):
        body = {"domainName": "a.b", "domainNameConfigurations": configurations}
        assert raw(world, "POST", "/v2/domainnames", json.dumps(body))[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/"),
        ("GET", "/v2"),
        ("GET", "/v2/apis/"),
        ("GET", "/v2/apis//routes"),
        ("DELETE", "/v2/apis"),
        ("PUT", "/v2/nonsense"),
        ("GET", "/v1/apis"),
    ],
)
def test_paths_that_do_not_exist_are_not_found(world, method, path):
    assert raw(world, method, path, b"")[0] == 404


def test_a_body_cannot_speak_for_the_path(world):
    api = world.api("$default")
    body = json.dumps({"apiId": "other", "routeKey": "join"})
    assert raw(world, "POST", f"/v2/apis/{api.id}/routes", body)[0] == 201
    assert len(items(api.control.get_routes(ApiId=api.id))) == 2
