"""The admin where it reaches AWS: the actions on gateways, and the routes of a live gateway."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from django_aws_api_gateway_websockets.models import ApiGateway, ApiGatewayAdditionalRoute
from tests.factories import make_created_gateway, make_gateway, make_route

#: Routes are deployed when a real transaction commits.
pytestmark = pytest.mark.django_db(transaction=True)

GATEWAYS = reverse("admin:django_aws_api_gateway_websockets_apigateway_changelist")
ROUTES = reverse("admin:django_aws_api_gateway_websockets_apigatewayadditionalroute_changelist")

DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}


def act(client, action, *rows, url=GATEWAYS, **data):
    """Choose an action for some rows; the page that follows."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], **data}
    return client.post(url, data, follow=True)


def said(response):
    """[("success", "Done."), ...]: what the page tells, with its level."""
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def deployments(edge):
    return [line for line in edge.lines if line.endswith("/deployments")]


# The actions


def test_the_gateways_are_created_and_each_is_told_of(admin_client, edge):
    gateways = [make_gateway(api_name="Chat"), make_gateway(api_name="News")]
    response = act(admin_client, "create_api_gateway", *gateways)
    assert sorted(said(response)) == [
        ("success", "API Gateway endpoint created for Chat"),
        ("success", "API Gateway endpoint created for News"),
    ]
    assert not ApiGateway.objects.exclude(api_created=True).exists()


#: The columns of a finished domain.
MADE = {
    **DOMAIN,
    "custom_domain_created": True,
    "api_gateway_domain_name": "d-0.example.com",
    "api_mapping_id": "m0",
}


@pytest.mark.parametrize(
    ("action", "columns", "text"),
    [
        ("create_api_gateway", {}, "Chat has been created already."),
        ("create_custom_domain", MADE, "Chat has its custom domain already."),
    ],
)
def test_what_is_done_already_is_not_told_as_a_success(admin_client, edge, action, columns, text):
    response = act(admin_client, action, make_created_gateway(api_name="Chat", **columns))
    assert said(response) == [("warning", text)]
    assert {request.method for request in edge.requests} <= {"GET"}


def test_a_domain_that_1_1_1_left_half_made_is_finished(admin_client, edge):
    columns = {**MADE, "api_mapping_id": ""}
    gateway = make_created_gateway(api_name="Chat", **columns)
    ((level, text),) = said(act(admin_client, "create_custom_domain", gateway))
    assert level == "success"
    assert text.endswith("Next update DNS to point to d-1.execute-api.eu-west-1.amazonaws.com")
    gateway.refresh_from_db()
    assert gateway.api_mapping_id == "m1"


def test_a_domain_without_an_answer_is_no_success(admin_client, edge):
    edge.when("POST /v2/domainnames$", body={"domainNameConfigurations": [{}]})
    gateway = make_created_gateway(api_name="Chat", **DOMAIN)
    error = "AWS's answer has no ApiGatewayDomainName. occurred when processing Chat"
    assert said(act(admin_client, "create_custom_domain", gateway)) == [("error", error)]
    gateway.refresh_from_db()
    assert not gateway.custom_domain_created


def test_the_custom_domain_is_made_and_the_next_step_told(admin_client, edge):
    gateway = make_created_gateway(api_name="Chat", **DOMAIN)
    response = act(admin_client, "create_custom_domain", gateway)
    assert said(response) == [
        (
            "success",
            (
                "Custom Domain setup for Chat. "
                "Next update DNS to point to d-1.execute-api.eu-west-1.amazonaws.com"
            ),
        )
    ]


def test_the_gateways_are_upgraded_and_the_list_says_so(admin_client, edge):
    gateway = make_created_gateway(api_name="Chat")
    assert proving(admin_client) == {"Chat": False}
    response = act(admin_client, "upgrade_api_gateway", gateway)
    assert said(response) == [("success", "API Gateway upgraded: Chat")]
    assert proving(admin_client) == {"Chat": True}


def proving(client):
    """{"Chat": True}: which gateways the list says to prove their source."""
    html = client.get(GATEWAYS).content.decode()
    rows = re.findall(r'field-api_name.*?>([^<]+)</a>.*?field-proves_source.*?alt="(\w+)"', html)
    return {name: alt == "True" for name, alt in rows}


@pytest.mark.parametrize(
    ("action", "columns", "error"),
    [
        (
            "create_api_gateway",
            {"target_base_endpoint": ""},
            "The target base endpoint is required: https://example.com/ws/",
        ),
        (
            "create_custom_domain",
            {},
            "The API needs to be created before calling this method",
        ),
        ("create_custom_domain", {"api_created": True}, "A Certificate ARN is required"),
        ("upgrade_api_gateway", {}, "The API needs to be created before it can be upgraded"),
    ],
)
def test_what_a_gateway_lacks_is_told(admin_client, edge, action, columns, error):
    gateway = make_gateway(api_name="Chat", **columns)
    response = act(admin_client, action, gateway)
    assert said(response) == [("error", f"{error} occurred when processing Chat")]


def test_one_gateway_that_fails_does_not_stop_the_others(admin_client, edge):
    edge.when("POST /v2/apis$", 403, error_type="AccessDeniedException", times=1)
    gateways = [make_gateway(api_name="A"), make_gateway(api_name="B")]
    response = act(admin_client, "create_api_gateway", *gateways)
    assert response.status_code == 200
    levels = dict(said(response))
    assert set(levels) == {"error", "success"}
    assert "AccessDeniedException" in levels["error"]
    assert " occurred when processing " in levels["error"]
    assert "Traceback" not in response.content.decode()
    failed = ApiGateway.objects.get(api_created=False)
    assert (failed.status, failed.last_error in levels["error"]) == ("failed", True)


def test_a_missing_region_is_told(admin_client, settings):
    settings.AWS_REGION_NAME = None
    response = act(admin_client, "create_api_gateway", make_gateway(api_name="Chat"))
    ((level, text),) = said(response)
    assert level == "error"
    assert "Set AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME" in text


# Routes on a live gateway


def save(client, gateway, **fields):
    """Save the gateway's page; the page that follows."""
    url = reverse("admin:django_aws_api_gateway_websockets_apigateway_change", args=[gateway.pk])
    forms = {"additional_routes-TOTAL_FORMS": "0", "additional_routes-INITIAL_FORMS": "0"}
    return client.post(url, {**forms, **fields}, follow=True)


def save_inline(client, gateway, **route):
    """Save the gateway's page with one new route."""
    fields = {f"additional_routes-0-{name}": value for name, value in route.items()}
    return save(client, gateway, **{**fields, "additional_routes-TOTAL_FORMS": "1"})


JOIN = {"name": "Join", "route_key": "join", "integration_url": "https://www.example.com/ws/join"}


def test_a_route_that_is_added_on_a_live_gateways_page_is_deployed(admin_client, edge):
    gateway = make_created_gateway(api_id="api1")
    response = save_inline(admin_client, gateway, **JOIN)
    assert [level for level, _ in said(response)] == ["success"]
    assert gateway.additional_routes.get().deployed
    assert deployments(edge) == ["POST /v2/apis/api1/deployments"]


def test_a_route_of_a_live_gateways_page_that_cannot_be_deployed_is_told(admin_client, edge):
    edge.when("POST .*/routes", 403, error_type="AccessDeniedException")
    gateway = make_created_gateway(api_name="Chat")
    response = save_inline(admin_client, gateway, **JOIN)
    assert [level for level, _ in said(response)] == ["success", "error"]
    assert "AccessDeniedException" in said(response)[1][1]
    assert said(response)[1][1].endswith("occurred when processing Chat")
    assert not gateway.additional_routes.get().deployed


def test_a_route_of_its_own_page_that_cannot_be_deployed_is_told(admin_client, edge):
    edge.when("POST .*/deployments", 403, error_type="AccessDeniedException")
    gateway = make_created_gateway(api_name="Chat")
    url = reverse("admin:django_aws_api_gateway_websockets_apigatewayadditionalroute_add")
    response = admin_client.post(url, {"api_gateway": gateway.pk, **JOIN}, follow=True)
    assert [level for level, _ in said(response)] == ["success", "error"]
    assert "AccessDeniedException" in said(response)[1][1]
    assert not gateway.additional_routes.get().deployed


def test_a_route_of_a_gateway_that_is_not_created_is_only_saved(admin_client, edge):
    gateway = make_gateway()
    url = reverse("admin:django_aws_api_gateway_websockets_apigatewayadditionalroute_add")
    response = admin_client.post(url, {"api_gateway": gateway.pk, **JOIN}, follow=True)
    assert [level for level, _ in said(response)] == ["success"]
    assert edge.requests == []


def test_a_change_that_aws_knows_nothing_of_asks_nothing_of_it(admin_client, edge):
    gateway = make_created_gateway()
    save_inline(admin_client, gateway, **JOIN)
    edge.requests.clear()
    response = save(admin_client, gateway, default_channel_name="lobby")
    assert [level for level, _ in said(response)] == ["success"]
    gateway.refresh_from_db()
    assert gateway.default_channel_name == "lobby"
    assert edge.requests == []


def test_a_failure_of_yesterday_is_not_told_of_a_gateway_that_is_not_created(admin_client, edge):
    gateway = make_gateway(last_error="AccessDeniedException")
    response = save(
        admin_client,
        gateway,
        api_name=gateway.api_name,
        target_base_endpoint="https://new.example.com/ws/",
        api_key_selection_expression="$request.header.x-api-key",
        route_selection_expression="$request.body.action",
        route_key="$default",
        tags="{}",
    )
    assert [level for level, _ in said(response)] == ["success"]
    gateway.refresh_from_db()
    assert gateway.target_base_endpoint == "https://new.example.com/ws/"


def test_routes_that_are_deleted_from_the_list_go_from_aws(admin_client, edge):
    gateway = make_created_gateway(api_id="api1")
    routes = [make_route(gateway, route_key=key, deployed=True) for key in ("join", "leave")]
    edge.requests.clear()
    live = [
        {
            "routeKey": route.route_key,
            "routeId": f"r-{route.route_key}",
            "target": "integrations/i",
        }
        for route in routes
    ]
    edge.when("GET .*/routes", body={"items": live})
    act(admin_client, "delete_selected", *routes, url=ROUTES, post="yes")
    assert not ApiGatewayAdditionalRoute.objects.exists()
    deleted = [line for line in edge.lines if line.startswith("DELETE")]
    assert sorted(deleted) == [f"DELETE /v2/apis/api1/routes/r-{key}" for key in ("join", "leave")]
    assert len(deployments(edge)) == 2


def test_a_route_that_cannot_be_removed_from_aws_is_told(admin_client, edge):
    edge.when("POST .*/deployments", 403, error_type="AccessDeniedException")
    route = make_route(make_gateway(api_name="Chat"))
    ApiGateway.objects.update(api_created=True, api_id="api1")
    url = reverse(
        "admin:django_aws_api_gateway_websockets_apigatewayadditionalroute_delete", args=[route.pk]
    )
    response = admin_client.post(url, {"post": "yes"}, follow=True)
    assert [level for level, _ in said(response)] == ["success", "error"]
    assert "AccessDeniedException" in said(response)[1][1]


def test_routes_of_the_list_that_cannot_be_removed_from_aws_are_told(admin_client, edge):
    edge.when("POST .*/deployments", 403, error_type="AccessDeniedException")
    gateway = make_gateway(api_name="Chat")
    routes = [make_route(gateway), make_route(gateway)]
    ApiGateway.objects.update(api_created=True, api_id="api1")
    response = act(admin_client, "delete_selected", *routes, url=ROUTES, post="yes")
    assert [level for level, _ in said(response)] == ["error", "error", "success"]
