"""A state file of which a document is damaged is refused at the start, and left as it is."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("websockets")

from django_aws_api_gateway_websockets.local.errors import StateFileInvalid
from django_aws_api_gateway_websockets.local.gateway import LocalGateway

from .refusals import CERTIFICATE, items

COLLECTIONS = ["apis", "integrations", "routes", "routeresponses", "stages", "deployments"]
COLLECTIONS += ["domainnames", "apimappings"]


@pytest.fixture
def file(world, tmp_path):
    """A state file with one document of each kind."""
    world.start(state_file=tmp_path / "state.json")
    api = world.api("$default", replies=True)
    domain = {"DomainName": "ws.example.com"}
    configurations = [{"CertificateArn": CERTIFICATE}]
    api.control.create_domain_name(**domain, DomainNameConfigurations=configurations)
    api.control.create_api_mapping(**domain, ApiId=api.id, Stage="production")
    world.gateway.stop()
    return tmp_path / "state.json"


def damage(file, collection, change):
    """Change the document of that collection, and write the file."""
    state = json.loads(file.read_text(encoding="utf-8"))
    (path,) = [path for path in state["documents"] if path.split("/")[-2] == collection]
    state["documents"][path] = change(state["documents"][path])
    file.write_text(json.dumps(state), encoding="utf-8")
    return path


def without(member):
    return lambda document: {key: value for key, value in document.items() if key != member}


def refusal(file):
    before = file.read_bytes()
    with pytest.raises(StateFileInvalid) as error:
        LocalGateway(state_file=file)
    assert file.read_bytes() == before
    assert str(file) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("document", [{}, [], 5, None, "x"])
def test_a_document_that_is_none_is_refused(file, collection, document):
    path = damage(file, collection, lambda _: document)
    assert path in refusal(file)


@pytest.mark.parametrize(
    ("collection", "member"),
    [
        ("apis", "ApiId"),
        ("apis", "Name"),
        ("apis", "RouteSelectionExpression"),
        ("integrations", "IntegrationUri"),
        ("integrations", "IntegrationMethod"),
        ("routes", "RouteKey"),
        ("routeresponses", "RouteResponseKey"),
        ("stages", "StageName"),
        ("deployments", "Snapshot"),
        ("domainnames", "DomainNameConfigurations"),
        ("apimappings", "Stage"),
    ],
)
def test_a_document_that_lacks_a_member_is_refused(file, collection, member):
    path = damage(file, collection, without(member))
    assert path in refusal(file)


@pytest.mark.parametrize(
    ("collection", "change"),
    [
        ("apis", {"Name": 5}),
        ("apis", {"Tags": []}),
        ("apis", {"CreatedDate": "yesterday"}),
        ("apis", {"RouteSelectionExpression": "nonsense"}),
        ("integrations", {"TimeoutInMillis": "soon"}),
        ("integrations", {"RequestParameters": {"integration.request.header.x": "nonsense"}}),
        ("routes", {"RequestParameters": 5}),
        ("routes", {"Target": "integrations/unknown"}),
        ("routes", {"Target": 5}),
        ("stages", {"DeploymentId": "unknown"}),
        ("stages", {"DeploymentId": 5}),
        ("stages", {"StageVariables": {"a": 1}}),
        ("deployments", {"Snapshot": {}}),
        ("deployments", {"Snapshot": {"RouteSelectionExpression": 5, "Routes": []}}),
        ("deployments", {"Snapshot": {"RouteSelectionExpression": "nonsense", "Routes": []}}),
        ("domainnames", {"DomainNameConfigurations": {}}),
        ("apimappings", {"ApiMappingKey": 5}),
    ],
)
def test_a_member_of_the_wrong_type_is_refused(file, collection, change):
    path = damage(file, collection, lambda document: {**document, **change})
    assert path in refusal(file)


@pytest.mark.parametrize(
    "change",
    [
        {"Routes": [{}]},
        {"Routes": [5]},
        {"Routes": {"a": 1}},
        {"Routes": [{"Route": {}, "Integration": {}, "RouteResponses": []}]},
    ],
)
def test_a_deployment_that_cannot_be_served_is_refused(file, change):
    def damaged(document):
        return {**document, "Snapshot": {**document["Snapshot"], **change}}

    path = damage(file, "deployments", damaged)
    assert path in refusal(file)


@pytest.mark.parametrize("member", ["IntegrationUri", "TimeoutInMillis", "RequestParameters"])
@pytest.mark.parametrize("value", [["x"], {"a": 1}])
def test_a_deployment_with_a_member_of_the_wrong_type_is_refused(file, member, value):
    def damaged(document):
        (entry,) = document["Snapshot"]["Routes"]
        entry["Integration"][member] = value
        return document

    path = damage(file, "deployments", damaged)
    assert path in refusal(file)


@pytest.mark.parametrize(
    "path", ["", "x", "apis", "apis/x/y", "elsewhere/x", "apis/unknown/routes/x", "routes/x"]
)
def test_a_document_in_no_place_is_refused(file, path):
    state = json.loads(file.read_text(encoding="utf-8"))
    state["documents"][path] = {"RouteId": "x", "RouteKey": "x"}
    file.write_text(json.dumps(state), encoding="utf-8")
    assert "damaged" in refusal(file)


def test_lists_in_lists_without_end_are_refused(tmp_path):
    file = tmp_path / "state.json"
    file.write_text("[" * 100_000, encoding="utf-8")
    assert "not a state file" in refusal(file)


def test_the_file_of_an_earlier_version_has_the_defaults_of_this_one(world, file):
    damage(file, "apis", without("IpAddressType"))
    damage(file, "stages", without("DefaultRouteSettings"))
    world.start(state_file=file)
    (api,) = items(world.control.get_apis())
    assert api["IpAddressType"] == "ipv4"
    (stage,) = items(world.control.get_stages(ApiId=api["ApiId"]))
    assert stage["DefaultRouteSettings"]["LoggingLevel"] == "OFF"


def test_a_file_that_is_damaged_before_the_start_is_refused_and_left_free(world, file):
    gateway = LocalGateway(state_file=file)
    whole = file.read_bytes()
    damage(file, "apis", without("Name"))
    with pytest.raises(StateFileInvalid):
        gateway.start()
    file.write_bytes(whole)
    world.start(state_file=file)
