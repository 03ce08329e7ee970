"""Input of any kind: each operation answers with an error of AWS, and never with a 500."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

pytest.importorskip("websockets")

from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .refusals import BAD, CERTIFICATE, SIGNED, WEBSOCKET, items, refusal
from .world import Api

SERVICE = ServiceModel(Loader().load_service_model("apigatewayv2", "service-2"))
#: All but those of portals, which have nothing to do with WebSockets. Deletions come last.
OPERATIONS = sorted(
    (name for name in SERVICE.operation_names if "Portal" not in name and "Product" not in name),
    key=lambda name: (name.startswith("Delete"), name),
)
#: 501 is for what the local gateway does not play.
EXPECTED = {200, 201, 202, 204, 400, 404, 409, 501}


@pytest.fixture
def full(world):
    """The ids of one resource of each kind, by the name that the paths give them."""
    api = world.api("$connect", "$default", replies=True)
    control, domain = api.control, {"DomainName": "ws.example.com"}
    configurations = [{"CertificateArn": CERTIFICATE}]
    control.create_domain_name(**domain, DomainNameConfigurations=configurations)
    mapping = control.create_api_mapping(**domain, ApiId=api.id, Stage="production")
    route = items(control.get_routes(ApiId=api.id))[0]
    (response,) = items(control.get_route_responses(ApiId=api.id, RouteId=route["RouteId"]))
    return {
        "apiId": api.id,
        "routeId": route["RouteId"],
        "routeResponseId": response["RouteResponseId"],
        "integrationId": route["Target"].partition("/")[2],
        "stageName": "production",
        "deploymentId": items(control.get_deployments(ApiId=api.id))[0]["DeploymentId"],
        "domainName": "ws.example.com",
        "apiMappingId": mapping["ApiMappingId"],
        "resource-arn": f"arn:aws:apigateway:eu-west-1::/apis/{api.id}",
    }


def method_and_path(operation, ids):
    """The request of an operation; an id that is not given is made up."""
    http = SERVICE.operation_model(operation).http
    parts = [
        quote(ids.get(part[1:-1], "x"), safe="") if part.startswith("{") else part
        for part in http["requestUri"].split("/")
    ]
    return http["method"], "/".join(parts)


def members_of(operation):
    """{name in the body: shape}"""
    members = SERVICE.operation_model(operation).input_shape.members
    return {
        shape.serialization.get("name", name): shape
        for name, shape in members.items()
        if "location" not in shape.serialization
    }


def answer_of(raw, operation, ids, body):
    method, path = method_and_path(operation, ids)
    return raw(method, path, body, SIGNED)


def failures(raw, requests):
    """Those of (operation, ids, body) that are not answered as AWS would."""
    failed = []
    for operation, ids, body in requests:
        answer = answer_of(raw, operation, ids, body)
        is_explained = answer.status < 400 or json.loads(answer.body)["message"]
        if answer.status not in EXPECTED or not is_explained:
            failed.append((operation, ids, body, answer.status))
    return failed


WRONG = [
    None,
    True,
    5,
    -1,
    1e999,
    1e300,
    10**30,
    "",
    "x",
    "x" * 3000,
    "\x00",
    "\ud800",
    "${",
    [],
    {},
]
WRONG += [[None], ["x"], [{}], [5], {"x": None}, {"": ""}, {"x": {}}, {"x": {"y": 5}}, {"a": "b"}]
BODIES = [b"", b"null", b"5", b'"x"', b"[]", b"{", b"\xff", b'{"a": NaN}', b"[" * 50_000]
BODIES += [b'{"unknown": 5}', b'{"apiId": "x"}', '{"name": "x"}'.encode("utf-16")]
IDS = ["unknown", "x" * 3000, "\x00", "é", "/", "a/b", "..", "%"]


def wrong_values(shape):
    """Each wrong value in the place of the value, and of each value inside."""
    yield from WRONG
    if shape.type_name == "structure":
        for name, inner in shape.members.items():
            sent_name = inner.serialization.get("name", name)
            yield from ({sent_name: value} for value in wrong_values(inner))
    elif shape.type_name == "list":
        yield from ([value] for value in wrong_values(shape.member))
    elif shape.type_name == "map":
        yield from ({"$default": value} for value in wrong_values(shape.value))


def test_no_value_of_any_member_is_a_failure_of_the_gateway(full, raw):
    requests = (
        (operation, full, json.dumps({name: value}))
        for operation in OPERATIONS
        for name, shape in members_of(operation).items()
        for value in wrong_values(shape)
    )
    assert failures(raw, requests) == []


def test_a_new_resource_with_a_wrong_value_is_no_failure_of_the_gateway(full, raw):
    whole = {
        "CreateApi": {
            "name": "x",
            "protocolType": "WEBSOCKET",
            "routeSelectionExpression": "$request.body.action",
        },
        "CreateDomainName": {
            "domainName": "a.example.com",
            "domainNameConfigurations": [{"certificateArn": CERTIFICATE}],
        },
        "CreateIntegration": {
            "integrationType": "HTTP_PROXY",
            "integrationMethod": "POST",
            "integrationUri": "http://127.0.0.1/",
        },
        "CreateRoute": {"routeKey": "x", "target": f"integrations/{full['integrationId']}"},
        "CreateStage": {"stageName": "x"},
    }
    requests = (
        (operation, full, json.dumps({**body, name: value}))
        for operation, body in whole.items()
        for name, shape in members_of(operation).items()
        for value in wrong_values(shape)
    )
    assert failures(raw, requests) == []


def test_no_body_is_a_failure_of_the_gateway(full, raw):
    requests = ((operation, full, body) for operation in OPERATIONS for body in BODIES)
    assert failures(raw, requests) == []


def test_no_id_is_a_failure_of_the_gateway(full, raw):
    requests = (
        (operation, {**full, name: identifier}, b"{}")
        for operation in OPERATIONS
        for name in full
        if f"{{{name}}}" in SERVICE.operation_model(operation).http["requestUri"]
        for identifier in IDS
    )
    assert failures(raw, requests) == []


def test_an_id_with_a_slash_leads_to_no_other_resource(full, raw):
    inner = f"{full['apiId']}/routes/{full['routeId']}"
    for operation in ("GetApi", "UpdateApi", "DeleteApi"):
        assert answer_of(raw, operation, {"apiId": inner}, b"{}").status == 404
    assert answer_of(raw, "GetRoute", full, b"").status == 200


values = st.one_of(
    st.sampled_from(WRONG),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    st.sampled_from(["$default", "HTTP_PROXY", "POST", "http://127.0.0.1/", "production"]),
)


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_combination_of_members_is_a_failure_of_the_gateway(full, raw, data):
    changes = [name for name in OPERATIONS if name.startswith(("Create", "Update"))]
    operation = data.draw(st.sampled_from(changes))
    known = sorted(members_of(operation))
    names = st.sampled_from(known) if known else st.just("unknown")
    body = data.draw(st.dictionaries(names, values, max_size=6))
    assert failures(raw, [(operation, full, json.dumps(body))]) == []


# What is refused, and as what


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"unknown": 5}, "unknown"),
        ({"Name": "x"}, "Name"),
        ({"name": None}, "Name"),
        ({"name": ""}, "Name"),
        ({"name": "x" * 129}, "Name"),
        ({"description": "x" * 1025}, "Description"),
        ({"version": "x" * 65}, "Version"),
        ({"disableExecuteApiEndpoint": 1}, "DisableExecuteApiEndpoint"),
        ({"disableExecuteApiEndpoint": "true"}, "DisableExecuteApiEndpoint"),
        ({"ipAddressType": "ipv6"}, "IpAddressType"),
    ],
)
def test_an_api_of_bad_input_is_a_bad_request_that_names_the_member(world, raw, body, words):
    whole = {
        "name": "x",
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
        **body,
    }
    world.gateway  # noqa: B018 - it starts
    answer = raw("POST", "/v2/apis", json.dumps(whole), SIGNED)
    assert answer.status == 400
    assert answer.headers["x-amzn-ErrorType"] == "BadRequestException"
    assert words in json.loads(answer.body)["message"]


@pytest.mark.parametrize(
    "settings",
    [
        {"throttlingBurstLimit": True},
        {"throttlingBurstLimit": 1.5},
        {"throttlingBurstLimit": "5"},
        {"throttlingBurstLimit": 2**31},
        {"throttlingRateLimit": True},
        {"throttlingRateLimit": "NaN"},
        {"throttlingRateLimit": 1e999},
        {"loggingLevel": "LOUD"},
        {"dataTraceEnabled": "yes"},
        {"unknown": 5},
        [],
    ],
)
def test_settings_of_the_wrong_type_are_bad_requests(full, raw, settings):
    body = json.dumps({"defaultRouteSettings": settings})
    assert answer_of(raw, "UpdateStage", full, body).status == 400
    body = json.dumps({"routeSettings": {"$default": settings}})
    assert answer_of(raw, "UpdateStage", full, body).status == 400


@pytest.mark.parametrize(
    "query",
    [
        *("maxResults=0", "maxResults=-1", "maxResults=x", "maxResults=", "maxResults=1.5"),
        *("maxResults=" + "9" * 5000, "maxResults=%C2%B2", "maxResults=%D9%A3"),
        *("nextToken=x", "nextToken=1", "nextToken=-1", "nextToken=", "nextToken=%FF"),
        *("nextToken=" + "9" * 5000, "nextToken=YXBpcyB4", "nextToken=YXBpcyAtMQ%3D%3D"),
    ],
)
@pytest.mark.parametrize("collection", ["apis", "domainnames", "vpclinks"])
def test_wrong_pages_are_bad_requests(world, raw, query, collection):
    world.gateway  # noqa: B018 - it starts
    assert raw("GET", f"/v2/{collection}?{query}", headers=SIGNED).status == 400


def test_the_token_of_one_list_is_none_of_another(world):
    apis = [Api(world), Api(world)]
    for api in apis:
        for name in ("a", "b"):
            api.control.create_route(ApiId=api.id, RouteKey=name)
    get_routes = world.control.get_routes
    token = get_routes(ApiId=apis[0].id, MaxResults="1")["NextToken"]
    assert refusal(get_routes, ApiId=apis[1].id, NextToken=token) == BAD
    (route,) = items(get_routes(ApiId=apis[0].id, NextToken=token))
    assert route["RouteKey"] == "b"


def test_an_update_without_members_changes_nothing(full, raw, world):
    before = world.control.get_api(ApiId=full["apiId"])
    assert answer_of(raw, "UpdateApi", full, b"").status == 200
    assert answer_of(raw, "UpdateApi", full, b'{"name": null}').status == 200
    after = world.control.get_api(ApiId=full["apiId"])
    assert {**before, "ResponseMetadata": None} == {**after, "ResponseMetadata": None}


def test_an_empty_route_key_is_a_bad_request(world):
    api = Api(world)
    assert refusal(api.control.create_route, ApiId=api.id, RouteKey="") == BAD
    assert refusal(api.control.create_stage, ApiId=api.id, StageName="") == BAD
    assert refusal(world.control.create_api, **{**WEBSOCKET, "Name": ""}) == BAD
