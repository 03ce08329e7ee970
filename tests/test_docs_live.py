"""What the pages say of AWS is so on the local gateway: their blocks of code are run on it."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from urllib.parse import quote

import pytest
from botocore.session import Session
from django.urls import path

pytest.importorskip("websockets")

from websockets.exceptions import ConnectionClosed

from django_aws_api_gateway_websockets.local.testing import (
    open_socket,
    provision,
    running_local_gateway,
)
from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from tests.pages import BLOCKS, PAGES, run

pytestmark = pytest.mark.django_db(transaction=True)

APIGATEWAY = "arn:aws:apigateway:eu-west-1::"
SERVICE_LINKED_ROLE = (
    "arn:aws:iam::123456789012:role/aws-service-role/ops.apigateway.amazonaws.com/"
    "AWSServiceRoleForAPIGateway"
)
EXECUTE_API = "arn:aws:execute-api:eu-west-1:123456789012:"


@pytest.fixture
def local():
    with running_local_gateway() as gateway:
        yield gateway


@pytest.fixture
def chat(local, live_server, settings):
    """A gateway called "chat" before the view of views.rst, on a running server."""
    view = run("views-handlers")["ChatView"]
    settings.ROOT_URLCONF = (path("ws/<slug:route>", view.as_view()),)
    return provision(live_server.url, api_name="chat")


def statements_of(policy):
    """The statements of a policy on a page: the actions and the resources of each."""
    for statement in json.loads(BLOCKS[policy].code)["Statement"]:
        assert statement["Effect"] == "Allow"
        yield tuple(
            [asked] if isinstance(asked, str) else asked
            for asked in (statement["Action"], statement["Resource"])
        )


def granted(policy, call):
    """True if one of the policy's statements allows the call, an (action, resource)."""
    return any(
        all(any(fnmatchcase(value, p) for p in ps) for value, ps in zip(call, statement))
        for statement in statements_of(policy)
    )


def iam_calls(local):
    """What IAM would ask about the calls that the control plane has seen."""
    model = Session().get_service_model("apigatewayv2")
    for operation, parameters in local.requests:
        http = model.operation_model(operation).http
        values = {name.lower(): value for name, value in parameters.items()}
        resource = re.sub(
            r"\{(\w+)\}",
            lambda name, values=values: values[name[1].lower()],
            http["requestUri"][len("/v2") :],
        )
        yield f"apigateway:{http['method']}", APIGATEWAY + resource
        if "Tags" in parameters:
            yield from tagging_calls(APIGATEWAY + resource)
        if operation == "CreateDomainName":
            yield "iam:CreateServiceLinkedRole", SERVICE_LINKED_ROLE


def tagging_calls(collection):
    """What IAM asks, or has asked, of a create call with tags."""
    made = f"{collection}/a1b2c3"
    yield "apigateway:TagResource", collection
    yield "apigateway:TagResource", made
    for verb in ("POST", "PUT"):
        yield f"apigateway:{verb}", f"{APIGATEWAY}/tags/{quote(made, safe='')}"


def test_a_reply_needs_no_call_of_aws_once_routes_have_responses(chat, local):
    message, reply = '{"action": "chat", "ref": "7"}', {"ref": "7", "reply": {}}
    with open_socket(chat).connection as connection:
        connection.send(message)
        assert [json.loads(connection.recv(5)) for _ in range(2)] == [{"text": ""}, reply]
        run("deploy-route-responses", gateway=chat)
        local.inject("PostToConnection", status=403, error_type="ForbiddenException")
        connection.send(message)
        assert json.loads(connection.recv(5)) == reply


def test_an_additional_route_of_a_live_gateway_is_deployed(chat):
    run("views-additional-route")
    assert chat.additional_routes.get().deployed
    (route,) = [
        route
        for route in get_boto3_client().get_routes(ApiId=chat.api_id)["Items"]
        if route["RouteKey"] == "order"
    ]
    assert route["Target"]


def test_the_site_can_close_connections(chat, capsys):
    sockets = [open_socket(chat, channel="lobby"), open_socket(chat)]
    run("sending-close")
    assert capsys.readouterr().out == "1 0 0\n"
    for socket in sockets:
        with pytest.raises(ConnectionClosed) as closed:
            socket.receive()
        assert closed.value.rcvd.code == 1000


def test_a_gateway_is_made_as_the_page_says(local, capsys):
    run("deploy-gateway")
    gateway = ApiGateway.objects.get()
    assert capsys.readouterr().out == f"{gateway.pk}\n"
    gateway.create_gateway()
    gateway.create_custom_domain()
    assert gateway.socket_url == "wss://ws.example.com"
    assert f"``{gateway.socket_url}``" in PAGES["deploy"]
    assert gateway.api_gateway_domain_name
    alias = json.loads(BLOCKS["deploy-alias"].code)["Changes"][0]["ResourceRecordSet"]
    assert alias["Name"] == gateway.domain_name


@pytest.fixture
def provisioning_calls(chat, local, settings):
    """What IAM is asked when everything is done that the package can do in the control plane."""
    run("views-additional-route")
    route = chat.additional_routes.get()
    route.integration_url += "s"
    route.save()
    route.delete()
    chat.throttling_rate_limit, settings.SECRET_KEY = 100, "new"
    chat.upgrade_gateway()
    ApiGateway.objects.update(api_name="the first")
    tagged = run("deploy-gateway")["gateway"]
    tagged.create_gateway()
    tagged.create_custom_domain()
    return list(iam_calls(local))


def test_an_operator_may_make_every_call_that_the_package_makes(provisioning_calls):
    verbs = ("GET", "POST", "PUT", "PATCH", "DELETE", "TagResource")
    asked = {action for action, _ in provisioning_calls}
    assert asked == {f"apigateway:{verb}" for verb in verbs} | {"iam:CreateServiceLinkedRole"}
    assert [c for c in provisioning_calls if not granted("policy-provisioning", c)] == []


def test_an_operator_may_do_nothing_that_the_package_does_not_need(provisioning_calls):
    for actions, resources in statements_of("policy-provisioning"):
        used = [
            call
            for call in provisioning_calls
            if call[0] in actions and any(fnmatchcase(call[1], p) for p in resources)
        ]
        assert {action for action, _ in used} == set(actions)
        for pattern in resources:
            assert any(fnmatchcase(resource, pattern) for _, resource in used), pattern


@pytest.mark.parametrize("collection", ["/apis", "/apis/a1b2c3", "/domainnames", "/domainnames/x"])
def test_an_operator_may_tag(collection):
    assert granted("policy-provisioning", ("apigateway:TagResource", APIGATEWAY + collection))


def test_the_sites_own_permission_is_to_send_and_to_close_and_no_more():
    send = f"{EXECUTE_API}a1b2c3/production/POST/@connections/JC1dgf9yoAMCK-g="
    for verb, allowed in (("POST", True), ("DELETE", True), ("GET", False)):
        call = ("execute-api:ManageConnections", send.replace("POST", verb))
        assert granted("policy-sending", call) is allowed
    assert not granted("policy-sending", ("apigateway:POST", f"{APIGATEWAY}/apis"))


def test_a_gateway_runs_in_python(capsys):
    run("local-python")
    endpoint, sockets = capsys.readouterr().out.splitlines()
    assert endpoint.startswith("http://127.0.0.1:")
    assert sockets.startswith("ws://127.0.0.1:")
