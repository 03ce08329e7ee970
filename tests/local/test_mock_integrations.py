"""Mock integrations: the gateway answers a message by itself, and the backend hears nothing."""

from __future__ import annotations

import json
import logging

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus

from django_aws_api_gateway_websockets.local.errors import StateFileInvalid
from django_aws_api_gateway_websockets.local.gateway import LocalGateway
from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE, Reply
from .refusals import BAD, CONFLICT, MISSING, items, refusal
from .world import Api

PONG = {"$default": '{"pong":true}'}
MOCK = {
    "IntegrationType": "MOCK",
    "RequestTemplates": {"$default": '{"statusCode":200}'},
    "TemplateSelectionExpression": "\\$default",
}
REPLY = {
    "IntegrationResponseKey": "$default",
    "ResponseTemplates": PONG,
    "TemplateSelectionExpression": "\\$default",
}


def add_mock(api, **parameters):
    """Where the new mock integration is."""
    created = api.control.create_integration(ApiId=api.id, **{**MOCK, **parameters})
    return {"ApiId": api.id, "IntegrationId": created["IntegrationId"]}


def add_mock_route(api, key, *, replies=True, responses=(REPLY,), **parameters):
    where = add_mock(api, **parameters)
    for response in responses:
        api.control.create_integration_response(**where, **response)
    created = api.control.create_route(
        ApiId=api.id,
        RouteKey=key,
        Target=f"integrations/{where['IntegrationId']}",
        RouteResponseSelectionExpression="$default",
    )
    if replies:
        response = {"RouteId": created["RouteId"], "RouteResponseKey": "$default"}
        api.control.create_route_response(ApiId=api.id, **response)
    return where


def opened(world, *, keys=("$default",), **options):
    """A socket of an API that has these routes, and a mock for pings."""
    api = Api(world)
    for key in keys:
        api.add_route(key)
    add_mock_route(api, "ping", **options)
    api.deploy()
    return world.connect(api.url)


def test_a_mock_answers_and_the_backend_hears_nothing(world, caplog):
    client = opened(world)
    with caplog.at_level(logging.INFO):
        client.send('{"action": "ping"}')
        assert client.recv(PATIENCE) == '{"pong":true}'
    assert world.backend.names == []
    lines = [record.getMessage() for record in caplog.records if "ping" in record.getMessage()]
    assert len(lines) == 1
    assert "message handled" in lines[0]
    assert caplog.records[-1].levelno == logging.INFO


def test_other_messages_go_to_their_routes(world):
    world.backend.answer("default", Reply(200, b"heard"))
    client = opened(world)
    client.send('{"action": "other"}')
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == '{"pong":true}'
    assert world.backend.names == ["default"]


@pytest.mark.parametrize(
    "options",
    [
        {"replies": False},
        {"responses": [{"IntegrationResponseKey": "$default"}]},
        {"responses": [], "replies": False},
    ],
)
def test_a_mock_without_a_reply_is_silent(world, options):
    api = Api(world)
    add_mock_route(api, "ping", **options)
    add_mock_route(api, "other")
    api.deploy()
    client = world.connect(api.url)
    client.send('{"action": "ping"}')
    client.send('{"action": "other"}')
    assert client.recv(PATIENCE) == '{"pong":true}'


def test_a_mock_that_no_response_takes_is_an_error(world):
    response = {**REPLY, "IntegrationResponseKey": "/4\\d\\d/"}
    client = opened(world, responses=[response])
    client.send('{"action": "ping"}')
    assert json.loads(client.recv(PATIENCE))["message"] == "Internal server error"


@pytest.mark.parametrize(("status", "text"), [(204, "two"), (404, "four"), (302, "else")])
def test_the_status_chooses_the_response(world, status, text):
    answers = {"/2\\d\\d/": "two", "/404/": "four", "$default": "else"}
    responses = [
        {**REPLY, "IntegrationResponseKey": key, "ResponseTemplates": {"$default": answer}}
        for key, answer in answers.items()
    ]
    template = {"$default": json.dumps({"statusCode": status})}
    client = opened(world, responses=responses, RequestTemplates=template)
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == text


def test_a_static_expression_chooses_the_template(world):
    templates = {"a": '{"statusCode":500}', "b": '{"statusCode":200}'}
    client = opened(world, RequestTemplates=templates, TemplateSelectionExpression="b")
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == '{"pong":true}'


def test_the_default_template_needs_no_expression(world):
    client = opened(
        world,
        TemplateSelectionExpression="",
        responses=[{"IntegrationResponseKey": "$default", "ResponseTemplates": PONG}],
    )
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == '{"pong":true}'


@pytest.mark.parametrize("status", [200, 403])
def test_a_mock_may_answer_the_handshake(world, status):
    api = Api(world)
    template = {"$default": json.dumps({"statusCode": status})}
    add_mock_route(api, "$connect", responses=(), replies=False, RequestTemplates=template)
    add_mock_route(api, "$disconnect", responses=(), replies=False)
    add_mock_route(api, "ping")
    api.deploy()
    if status == 403:
        with pytest.raises(InvalidStatus, match="403"):
            world.connect(api.url)
        return
    client = world.connect(api.url)
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == '{"pong":true}'
    client.close()
    world.until(lambda: not world.gateway.connections)
    assert world.backend.names == []


def test_pings_keep_a_connection_open(world):
    world.start(limits=Limits(idle_timeout=2))
    client = opened(world)
    for _ in range(3):
        client.send('{"action": "ping"}')
        assert client.recv(PATIENCE) == '{"pong":true}'
        with pytest.raises(TimeoutError):
            client.recv(0.7)


# Its resources


def test_a_mock_is_shown_as_it_was_made(world):
    api = Api(world)
    where = add_mock(api, Description="pings")
    shown = api.control.get_integration(**where)
    assert {name: shown[name] for name in MOCK} == MOCK
    assert "IntegrationUri" not in shown


def test_integration_responses_are_created_shown_changed_and_deleted(world):
    api = Api(world)
    where = add_mock_route(api, "ping")
    (response,) = items(api.control.get_integration_responses(**where))
    assert {name: response[name] for name in REPLY} == REPLY
    one = {**where, "IntegrationResponseId": response["IntegrationResponseId"]}
    assert api.control.get_integration_response(**one)["ResponseTemplates"] == PONG
    api.control.update_integration_response(**one, ResponseTemplates={"$default": "changed"})
    api.deploy()
    client = world.connect(api.url)
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == "changed"
    api.control.delete_integration_response(**one)
    assert refusal(api.control.get_integration_response, **one) == MISSING


def test_a_response_is_live_with_the_next_deployment(world):
    api = Api(world)
    where = add_mock_route(api, "ping")
    api.deploy()
    client = world.connect(api.url)
    (response,) = items(api.control.get_integration_responses(**where))
    one = {**where, "IntegrationResponseId": response["IntegrationResponseId"]}
    api.control.update_integration_response(**one, ResponseTemplates={"$default": "changed"})
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == '{"pong":true}'


def test_a_stage_that_deploys_by_itself_deploys_a_response(world):
    api = Api(world)
    where = add_mock_route(api, "ping")
    api.control.create_stage(ApiId=api.id, StageName="production", AutoDeploy=True)
    (response,) = items(api.control.get_integration_responses(**where))
    one = {**where, "IntegrationResponseId": response["IntegrationResponseId"]}
    api.control.update_integration_response(**one, ResponseTemplates={"$default": "changed"})
    client = world.connect(api.url)
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == "changed"


def test_a_key_is_taken_once_and_goes_with_its_integration(world):
    api = Api(world)
    where = add_mock(api)
    api.control.create_integration_response(**where, **REPLY)
    assert refusal(api.control.create_integration_response, **where, **REPLY) == CONFLICT
    api.control.delete_integration(**where)
    assert refusal(api.control.get_integration_responses, **where) == MISSING


def test_one_of_a_proxy_is_kept_and_not_asked(world):
    world.backend.answer("join", Reply(200, b"joined"))
    api = Api(world)
    api.add_route("join", replies=True)
    (found,) = items(api.control.get_integrations(ApiId=api.id))
    where = {"ApiId": api.id, "IntegrationId": found["IntegrationId"]}
    api.control.create_integration_response(**where, **REPLY)
    api.deploy()
    client = world.connect(api.url)
    client.send('{"action": "join"}')
    assert client.recv(PATIENCE) == "joined"


@pytest.mark.parametrize(
    "parameters",
    [
        {"RequestTemplates": {}},
        {"RequestTemplates": {"other": '{"statusCode":200}'}},
        {"RequestTemplates": {"$default": "{statusCode: 200}"}},
        {"RequestTemplates": {"$default": '{"statusCode":"200"}'}},
        {"RequestTemplates": {"$default": '{"statusCode":99}'}},
        {"RequestTemplates": {"$default": "[]"}},
        {"RequestTemplates": {"$default": '{"statusCode":$input.path("a")}'}},
        {"RequestTemplates": {**MOCK["RequestTemplates"], "b": "#set($a = 1)"}},
        {"TemplateSelectionExpression": "$default"},
        {"TemplateSelectionExpression": "${request.body.action}"},
        {"TemplateSelectionExpression": "other"},
        {"IntegrationMethod": "POST"},
        {"IntegrationUri": "https://example.com/"},
        {"RequestParameters": {"integration.request.header.x": "'y'"}},
        {"CredentialsArn": "arn:aws:iam::1:role/x"},
        {"ConnectionType": "VPC_LINK"},
        {"PayloadFormatVersion": "2.0"},
    ],
)
def test_mocks_that_cannot_be_played_are_refused_at_creation_and_update(world, parameters):
    api = Api(world)
    create = api.control.create_integration
    assert refusal(create, ApiId=api.id, **{**MOCK, **parameters}) == BAD
    where = add_mock(api)
    if "RequestTemplates" in parameters:
        # A change merges maps, and an empty text removes an entry.
        parameters = {"RequestTemplates": {"$default": "", **parameters["RequestTemplates"]}}
    assert refusal(api.control.update_integration, **where, **parameters) == BAD


@pytest.mark.parametrize(
    "parameters",
    [
        {"IntegrationResponseKey": "200"},
        {"IntegrationResponseKey": "/"},
        {"IntegrationResponseKey": "//"},
        {"IntegrationResponseKey": "/(/"},
        {"ResponseTemplates": {"$default": '{"id":"$context.connectionId"}'}},
        {"ResponseTemplates": {"$default": "## silent"}},
        {"TemplateSelectionExpression": "${integration.response.statuscode}"},
        {"ContentHandlingStrategy": "CONVERT_TO_TEXT"},
        {"ResponseParameters": {"a": "b"}},
    ],
)
def test_responses_that_cannot_be_played_are_refused(world, parameters):
    api = Api(world)
    where = add_mock(api)
    create = api.control.create_integration_response
    assert refusal(create, **where, **{**REPLY, **parameters}) == BAD
    assert items(api.control.get_integration_responses(**where)) == []


# The state file


def test_mocks_outlive_the_process(world, tmp_path):
    file = tmp_path / "state.json"
    world.start(state_file=file)
    api = Api(world)
    add_mock_route(api, "ping")
    api.deploy()
    world.gateway.stop()
    world.start(state_file=file)
    client = world.connect(f"{world.gateway.socket_endpoint}/{api.id}/production")
    client.send('{"action": "ping"}')
    assert client.recv(PATIENCE) == '{"pong":true}'


@pytest.mark.parametrize(
    "change",
    [
        {"IntegrationResponseKey": "200"},
        {"ResponseTemplates": {"$default": "$input"}},
        {"RequestTemplates": {}},
        {"RequestTemplates": {"$default": "{}"}},
        {"TemplateSelectionExpression": "$default"},
    ],
)
@pytest.mark.parametrize("where", ["documents", "deployment"])
def test_a_damaged_mock_is_refused_at_the_start(world, tmp_path, change, where):
    file = tmp_path / "state.json"
    world.start(state_file=file)
    api = Api(world)
    add_mock_route(api, "ping")
    api.deploy()
    world.gateway.stop()
    state = json.loads(file.read_text(encoding="utf-8"))
    kind = "RequestTemplates" if "RequestTemplates" in change else "ResponseTemplates"
    for document in [*state["documents"].values()]:
        if where == "documents" and kind in document:
            document.update(change)
        for entry in document.get("Snapshot", {}).get("Routes", []):
            if where == "deployment":
                part = entry["Integration"] if kind[2] == "q" else entry["IntegrationResponses"][0]
                part.update(change)
    file.write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(StateFileInvalid, match="is damaged"):
        LocalGateway(state_file=file)


def test_a_state_file_of_before_is_served(world, tmp_path):
    """Its deployments have no integration responses."""
    file = tmp_path / "state.json"
    world.start(state_file=file)
    world.backend.answer("default", Reply(200, b"still here"))
    api = world.api(replies=True)
    world.gateway.stop()
    state = json.loads(file.read_text(encoding="utf-8"))
    entries = [
        entry
        for document in state["documents"].values()
        for entry in document.get("Snapshot", {}).get("Routes", [])
    ]
    assert entries
    for entry in entries:
        del entry["IntegrationResponses"]
    file.write_text(json.dumps(state), encoding="utf-8")
    world.start(state_file=file)
    client = world.connect(f"{world.gateway.socket_endpoint}/{api.id}/production")
    client.send("hello")
    assert client.recv(PATIENCE) == "still here"
