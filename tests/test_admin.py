"""The admin's three pages, as somebody with a browser sees them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)
from tests.factories import make_created_gateway, make_gateway, make_route, make_session

pytestmark = pytest.mark.django_db

MODELS = [ApiGateway, ApiGatewayAdditionalRoute, WebSocketSession]


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def rows():
    """A row of each model, each to be found by its name."""
    gateway = make_created_gateway(api_name="Needle gateway", domain_name="needle.example.com")
    return {
        ApiGateway: gateway,
        ApiGatewayAdditionalRoute: make_route(gateway, name="Needle route"),
        WebSocketSession: make_session(gateway, connection_id="Needle", channel_name="room"),
    }


@pytest.fixture
def viewer(client):
    """A browser of somebody who may look at everything and change nothing."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


# Every page


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("searched", "found"), [("needle", 1), ("haystack", 0)])
def test_every_page_is_searched(admin_client, rows, model, searched, found):
    response = admin_client.get(page(model, "changelist"), {"q": searched})
    assert response.status_code == 200
    assert response.context["cl"].result_count == found


@pytest.mark.parametrize("model", MODELS)
def test_every_row_has_its_pages(admin_client, rows, model):
    pk = rows[model].pk
    for name in ("change", "delete", "history"):
        assert admin_client.get(page(model, name, pk)).status_code == 200


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (
            ApiGateway,
            (
                "api_name domain_name default_channel_name api_id api_endpoint "
                "api_gateway_domain_name api_created custom_domain_created status "
                "proves_source created_on updated_on"
            ),
        ),
        (ApiGatewayAdditionalRoute, "name api_gateway route_key integration_url deployed"),
        (
            WebSocketSession,
            (
                "connection_id channel_name api_gateway user connected request_count created_on "
                "updated_on"
            ),
        ),
    ],
)
def test_every_list_has_its_columns(admin_client, rows, model, columns):
    response = admin_client.get(page(model, "changelist"))
    shown = [name for name in response.context["cl"].list_display if name != "action_checkbox"]
    assert shown == columns.split()


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (ApiGateway, {"api_created__exact": "1"}),
        (ApiGateway, {"custom_domain_created__exact": "0"}),
        (WebSocketSession, {"connected__exact": "1"}),
        (WebSocketSession, {"channel_name": "room"}),
    ],
)
def test_a_list_is_filtered(admin_client, rows, model, query):
    response = admin_client.get(page(model, "changelist"), query)
    assert response.context["cl"].result_count == 1
    (parameter,) = query
    offered = [spec.expected_parameters() for spec in response.context["cl"].filter_specs]
    assert any(parameter in parameters for parameters in offered)


def test_gateways_are_found_by_date(admin_client, rows):
    response = admin_client.get(page(ApiGateway, "changelist"))
    assert response.context["cl"].date_hierarchy == "created_on"


@pytest.mark.parametrize("model", MODELS)
def test_a_list_of_many_rows_takes_no_query_for_each(
    admin_client, rows, django_assert_max_num_queries, model
):
    gateway = rows[ApiGateway]
    for _ in range(20):
        make_route(gateway)
        make_session(gateway, user=User.objects.get(username="admin"))
        make_gateway()
    with django_assert_max_num_queries(12):
        admin_client.get(page(model, "changelist"))


# Gateways


def test_a_gateway_is_added_with_its_routes(admin_client, edge):
    response = admin_client.post(
        page(ApiGateway, "add"),
        {
            **form_of(ApiGateway(api_name="Chat", target_base_endpoint="http://web:8000/ws")),
            "additional_routes-TOTAL_FORMS": "1",
            "additional_routes-0-name": "Join",
            "additional_routes-0-route_key": "join",
            "additional_routes-0-integration_url": "http://web:8000/ws/join",
        },
    )
    assert response.status_code == 302, response.context["errors"]
    gateway = ApiGateway.objects.get()
    assert gateway.target_base_endpoint == "http://web:8000/ws/"
    assert gateway.additional_routes.get().route_key == "join"
    assert edge.requests == []


def test_an_endpoint_that_is_no_url_is_refused(admin_client):
    data = form_of(ApiGateway(api_name="Chat", target_base_endpoint="example.com/ws/"))
    response = admin_client.post(page(ApiGateway, "add"), data)
    assert "Enter an absolute URL: https://www.example.com/ws/" in response.content.decode()
    assert not ApiGateway.objects.exists()


def test_the_state_of_a_gateway_is_shown(admin_client):
    gateway = make_gateway(last_error="AccessDeniedException: not you")
    for path in (page(ApiGateway, "change", gateway.pk), page(ApiGateway, "changelist")):
        assert "failed" in admin_client.get(path).content.decode()
    form = admin_client.get(page(ApiGateway, "change", gateway.pk)).content.decode()
    assert "AccessDeniedException: not you" in form


def test_what_aws_was_told_is_fixed_once_the_gateway_is_created(admin_client):
    gateway = make_gateway()
    open_fields = fields(admin_client.get(page(ApiGateway, "change", gateway.pk)))
    assert {"target_base_endpoint", "stage_name", "api_name"} <= open_fields
    ApiGateway.objects.update(api_created=True)
    left = fields(admin_client.get(page(ApiGateway, "change", gateway.pk)))
    told = {"target_base_endpoint", "stage_name", "api_name", "api_id", "tags", "route_key"}
    assert not left & told
    assert {"default_channel_name", "domain_name", "certificate_arn"} <= left


@pytest.mark.parametrize("obvious", ["api_created", "custom_domain_created", "last_error"])
def test_what_provisioning_records_is_never_edited(admin_client, obvious):
    response = admin_client.get(page(ApiGateway, "change", make_gateway().pk))
    assert obvious not in fields(response)
    assert obvious in response.context["adminform"].readonly_fields


def test_deleting_a_gateway_says_that_its_api_is_left(admin_client, edge):
    gateway = make_created_gateway(api_name="Chat", api_id="api1")
    url = page(ApiGateway, "delete", gateway.pk)
    response = admin_client.post(url, {"post": "yes"}, follow=True)
    assert "The API api1 (Chat) still exists in AWS: delete it there." in said(response)
    assert not ApiGateway.objects.exists()
    assert edge.requests == []


def test_deleting_several_gateways_says_it_of_those_that_have_an_api(admin_client, edge):
    live, other = make_created_gateway(api_name="Chat", api_id="api1"), make_gateway()
    data = {"action": "delete_selected", "_selected_action": [live.pk, other.pk], "post": "yes"}
    response = admin_client.post(page(ApiGateway, "changelist"), data, follow=True)
    warnings = [text for text in said(response) if "still exists" in text]
    assert warnings == ["The API api1 (Chat) still exists in AWS: delete it there."]
    assert not ApiGateway.objects.exists()


# Sessions


def test_sessions_are_neither_added_nor_changed(admin_client, rows):
    """An edited row could give a live connection to another user."""
    session = rows[WebSocketSession]
    assert admin_client.get(page(WebSocketSession, "add")).status_code == 403
    url = page(WebSocketSession, "change", session.pk)
    assert fields(admin_client.get(url)) == set()
    assert admin_client.post(url, {"connection_id": "mine"}).status_code == 403
    session.refresh_from_db()
    assert session.connection_id == "Needle"


def test_sessions_may_be_deleted(admin_client, rows):
    url = page(WebSocketSession, "delete", rows[WebSocketSession].pk)
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert not WebSocketSession.objects.exists()


# Permissions


@pytest.mark.parametrize("model", MODELS)
def test_somebody_who_may_only_look_sees_and_changes_nothing(viewer, rows, model):
    assert viewer.get(page(model, "changelist")).status_code == 200
    url = page(model, "change", rows[model].pk)
    assert fields(viewer.get(url)) == set()
    assert viewer.post(url, {}).status_code == 403


@pytest.mark.parametrize(
    "action", ["create_api_gateway", "create_custom_domain", "upgrade_api_gateway"]
)
def test_somebody_who_may_only_look_is_offered_no_provisioning(viewer, edge, action):
    gateway = make_gateway()
    url = page(ApiGateway, "changelist")
    response = viewer.get(url)
    assert not response.context["action_form"]
    viewer.post(url, {"action": action, "_selected_action": [gateway.pk]})
    assert edge.requests == []


def fields(response):
    """The names of the fields that a page lets one edit."""
    return set(response.context["adminform"].form.fields)


def said(response):
    return [str(message) for message in response.context["messages"]]


def form_of(gateway):
    """What the browser sends for a gateway's page, without routes."""
    columns = "api_key_selection_expression route_selection_expression route_key stage_name"
    shown = {name: getattr(gateway, name) for name in columns.split()}
    return {
        **shown,
        "api_name": gateway.api_name,
        "target_base_endpoint": gateway.target_base_endpoint,
        "tags": "{}",
        "additional_routes-TOTAL_FORMS": "0",
        "additional_routes-INITIAL_FORMS": "0",
    }
