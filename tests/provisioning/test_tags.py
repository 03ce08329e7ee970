"""Tags where the credentials may not set them: they are left out, and somebody is told."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from django_aws_api_gateway_websockets.exceptions import AwsCallFailed
from tests.factories import fresh, make_created_gateway, make_gateway

pytestmark = pytest.mark.django_db

TAGS = {"team": "web"}
DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}
CREATE_API = "POST /v2/apis$"
CREATE_DOMAIN = "POST /v2/domainnames$"

#: What AWS answers when it says which permission is missing, and when it does not.
REFUSALS = [
    "User: bob is not authorized to perform: apigateway:TagResource on resource: /apis",
    "User: bob is not authorized to perform: apigateway:POST on resource: /tags/arn",
    "Forbidden",
]


@pytest.fixture(params=REFUSALS)
def refusal(request, edge):
    """An AWS that refuses whatever has tags."""
    refused = {"error_type": "AccessDeniedException", "body": {"message": request.param}}
    for line in (CREATE_API, CREATE_DOMAIN):
        edge.when(line, 403, **refused, only=lambda asked: "tags" in asked.json)
    return request.param


def bodies(edge, line):
    return [request.json for request in edge.requests if request.line == line.rstrip("$")]


def test_the_api_is_made_without_tags_and_the_log_says_why(edge, refusal, caplog):
    gateway = make_gateway(api_name="Chat", tags=TAGS)
    with caplog.at_level(logging.WARNING):
        gateway.create_gateway()
    first, second = bodies(edge, CREATE_API)
    assert (first.pop("tags"), first) == (TAGS, second)
    assert fresh(gateway).status == "created"
    (notice,) = gateway.notices
    assert "apigateway:TagResource" in notice
    assert refusal in notice
    assert f"Chat: {notice}" in caplog.text


def test_the_domain_is_made_without_tags(edge, refusal):
    gateway = make_created_gateway(tags=TAGS, **DOMAIN)
    gateway.create_custom_domain()
    assert ["tags" in body for body in bodies(edge, CREATE_DOMAIN)] == [True, False]
    assert len(gateway.notices) == 1
    assert fresh(gateway).has_custom_domain


@pytest.mark.parametrize(
    ("command", "columns"), [("createApiGateway", {}), ("createCustomDomain", {"created": True})]
)
def test_the_commands_print_it(edge, refusal, command, columns):
    make = make_created_gateway if columns else make_gateway
    gateway = make(api_name="Chat", tags=TAGS, **DOMAIN)
    out, err = StringIO(), StringIO()
    call_command(command, "--pk", str(gateway.pk), stdout=out, stderr=err)
    assert len(out.getvalue().splitlines()) == 1
    assert "Chat: The tags could not be set" in err.getvalue()


def test_the_admin_shows_it(admin_client, edge, refusal):
    gateway = make_gateway(api_name="Chat", tags=TAGS)
    url = reverse("admin:django_aws_api_gateway_websockets_apigateway_changelist")
    data = {"action": "create_api_gateway", "_selected_action": [gateway.pk]}
    response = admin_client.post(url, data, follow=True)
    levels = {message.level_tag: str(message) for message in response.context["messages"]}
    assert levels["success"] == "API Gateway endpoint created for Chat"
    assert levels["warning"].startswith("Chat: The tags could not be set")


def test_a_gateway_without_tags_needs_no_permission_for_them(edge, refusal):
    gateway = make_gateway()
    gateway.create_gateway()
    assert len(bodies(edge, CREATE_API)) == 1
    assert gateway.notices == ()


def test_a_notice_of_an_earlier_attempt_is_not_told_again(edge, refusal):
    gateway = make_gateway(tags=TAGS, **DOMAIN)
    gateway.create_gateway()
    gateway.upgrade_gateway()
    assert gateway.notices == ()


def test_who_may_not_create_at_all_gets_that_error(edge):
    edge.when(CREATE_API, 403, error_type="AccessDeniedException")
    with pytest.raises(AwsCallFailed, match="AccessDeniedException"):
        make_gateway(tags=TAGS).create_gateway()


@pytest.mark.parametrize("status", [400, 429, 500])
def test_another_error_is_not_taken_for_a_missing_permission(edge, status, monkeypatch):
    monkeypatch.setattr("django_aws_api_gateway_websockets.aws.THROTTLING_DELAYS", ())
    edge.when(CREATE_API, status, error_type="BadRequestException")
    gateway = make_gateway(tags=TAGS)
    with pytest.raises(CommandError, match="BadRequestException"):
        call_command("createApiGateway", "--pk", str(gateway.pk))
    assert len(bodies(edge, CREATE_API)) == 1


def test_an_api_whose_answer_was_lost_is_found_without_its_tags(edge, refusal):
    lost = edge.when(
        CREATE_API, 500, error_type="InternalServerException", only=lambda r: "tags" not in r.json
    )
    gateway = make_gateway(tags=TAGS)
    with pytest.raises(AwsCallFailed):
        gateway.create_gateway()
    token = fresh(gateway).creation_token
    lost.times = 0
    strangers = [{"apiId": "other", "name": gateway.api_name}, {"apiId": "x", "version": "1"}]
    ours = {"apiId": "ours", "apiEndpoint": "wss://ours", "version": token}
    edge.when("GET /v2/apis$", body={"items": [*strangers, ours]})
    made = len(bodies(edge, CREATE_API))
    gateway.create_gateway()
    assert len(bodies(edge, CREATE_API)) == made
    assert fresh(gateway).api_id == "ours"
