"""The admin as projects of 1.1.1 extend it: lists, functions as actions, subclasses, proxies."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.db import connection
from django.urls import path, reverse

from django_aws_api_gateway_websockets.admin import (
    ApiGatewayAdditionalRouteAdmin,
    ApiGatewayAdditionalRouteInline,
    ApiGatewayAdmin,
    WebSocketSessionAdmin,
    create_api_gateway,
    create_custom_domain,
)
from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
    get_boto3_client,
)
from tests.factories import make_created_gateway, make_gateway, make_route, make_session
from tests.pages import run

ADMINS = {
    ApiGateway: ApiGatewayAdmin,
    ApiGatewayAdditionalRoute: ApiGatewayAdditionalRouteAdmin,
    WebSocketSession: WebSocketSessionAdmin,
}

#: The options that 1.1.1's classes set, each of them a list but the date.
OPTIONS = {
    ApiGatewayAdmin: {
        "date_hierarchy": "created_on",
        "list_display": [
            "api_name",
            "domain_name",
            "default_channel_name",
            "api_id",
            "api_endpoint",
            "api_gateway_domain_name",
            "api_created",
            "custom_domain_created",
            "created_on",
            "updated_on",
        ],
        "list_filter": ["api_created", "custom_domain_created"],
        "search_fields": ["domain_name", "api_name"],
        "actions": [create_api_gateway, create_custom_domain],
        "inlines": [ApiGatewayAdditionalRouteInline],
    },
    ApiGatewayAdditionalRouteAdmin: {
        "autocomplete_fields": ["api_gateway"],
        "date_hierarchy": "created_on",
        "list_display": ["name", "api_gateway", "route_key", "integration_url", "deployed"],
        "list_filter": ["api_gateway"],
        "search_fields": ["name"],
    },
    WebSocketSessionAdmin: {
        "autocomplete_fields": ["user"],
        "date_hierarchy": "created_on",
        "list_display": [
            "connection_id",
            "channel_name",
            "api_gateway",
            "user",
            "connected",
            "request_count",
            "created_on",
            "updated_on",
        ],
        "list_filter": ["connected", "channel_name"],
        "search_fields": ["connection_id", "channel_name"],
    },
    ApiGatewayAdditionalRouteInline: {
        "autocomplete_fields": ["api_gateway"],
        "extra": 1,
        "model": ApiGatewayAdditionalRoute,
    },
}


@pytest.mark.parametrize(
    ("page", "name"), [(page, name) for page in OPTIONS for name in OPTIONS[page]]
)
def test_an_option_has_the_type_of_1_1_1_and_all_that_it_had(page, name):
    before, now = OPTIONS[page][name], getattr(page, name)
    assert type(now) is type(before)
    if isinstance(before, list):
        assert [each for each in now if each in before] == before
    else:
        assert now == before


@pytest.mark.parametrize("page", ADMINS.values())
def test_tuples_of_django_stay_tuples(page):
    assert isinstance(page.readonly_fields, tuple)


@pytest.mark.parametrize(
    ("model", "name", "plural"),
    [
        (ApiGateway, "api gateway", "api gateways"),
        (
            ApiGatewayAdditionalRoute,
            "api gateway additional route",
            "api gateway additional routes",
        ),
        (WebSocketSession, "web socket session", "web socket sessions"),
    ],
)
def test_the_models_are_called_as_in_1_1_1(model, name, plural):
    assert (model._meta.verbose_name, model._meta.verbose_name_plural) == (name, plural)


# Subclasses


class OwnGatewayAdmin(ApiGatewayAdmin):
    actions = ApiGatewayAdmin.actions + ["rename"]
    list_display = ApiGatewayAdmin.list_display + ["mine"]
    list_filter = ApiGatewayAdmin.list_filter + ["stage_name"]
    search_fields = ApiGatewayAdmin.search_fields + ["api_id"]
    readonly_fields = ("api_id",)

    def mine(self, gateway):
        return f"mine: {gateway}"

    def rename(self, request, queryset):
        queryset.update(api_description="renamed")


class PlainGatewayAdmin(admin.ModelAdmin):
    actions = [create_api_gateway, create_custom_domain]
    inlines = [ApiGatewayAdditionalRouteInline]
    search_fields = ["api_name"]


@pytest.fixture
def registered(settings):
    """``registered(Page)`` puts a page in the place of the package's own for gateways."""

    def replace(page):
        site = AdminSite()
        site.register(ApiGateway, ApiGatewayAdmin)
        site.unregister(ApiGateway)
        site.register(ApiGateway, page)
        settings.ROOT_URLCONF = (path("admin/", site.urls),)
        assert site._registry[ApiGateway].check() == []

    return replace


def page_of(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.django_db
def test_a_subclass_adds_to_the_lists(admin_client, registered, edge):
    registered(OwnGatewayAdmin)
    gateway = make_gateway(api_name="Chat")
    response = admin_client.get(page_of(ApiGateway, "changelist"))
    assert "mine: Chat" in response.content.decode()
    offered = [name for name, _ in response.context["action_form"].fields["action"].choices]
    assert {"create_api_gateway", "create_custom_domain", "rename"} <= {*offered}
    assert admin_client.get(page_of(ApiGateway, "change", gateway.pk)).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("page", [OwnGatewayAdmin, PlainGatewayAdmin])
def test_the_actions_work_in_any_admin(admin_client, registered, edge, page):
    registered(page)
    gateway = make_gateway(api_name="Chat")
    data = {"action": "create_api_gateway", "_selected_action": [gateway.pk]}
    response = admin_client.post(page_of(ApiGateway, "changelist"), data, follow=True)
    assert [*map(str, response.context["messages"])] == ["API Gateway endpoint created for Chat"]
    gateway.refresh_from_db()
    assert gateway.api_created


class OwnGateway(ApiGateway):
    """Calls AWS itself, outside an attempt."""

    class Meta:
        proxy = True
        app_label = "tests"

    def create_gateway(self):
        get_boto3_client().create_api(
            Name="own", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )


class ProxyAdmin(ApiGatewayAdmin):
    def get_queryset(self, request):
        return OwnGateway.objects.all()


@pytest.mark.django_db
def test_an_error_of_botocore_is_told_as_it_was(admin_client, registered, edge):
    registered(ProxyAdmin)
    edge.when("POST /v2/apis$", 403, error_type="AccessDeniedException")
    data = {
        "action": "create_api_gateway",
        "_selected_action": [make_gateway(api_name="Chat").pk],
    }
    response = admin_client.post(page_of(ApiGateway, "changelist"), data, follow=True)
    (text,) = map(str, response.context["messages"])
    assert text.startswith("An error occurred (AccessDeniedException)")
    assert text.endswith(" occurred when processing Chat")


@pytest.fixture
def _own_page_again():
    yield
    admin.site.unregister(ApiGateway)
    admin.site.register(ApiGateway, ApiGatewayAdmin)


@pytest.mark.usefixtures("_own_page_again")
def test_the_page_of_the_docs_takes_the_place_of_ours():
    own = run("admin-subclass")["OwnApiGatewayAdmin"]
    (page,) = [page for model, page in admin.site._registry.items() if model is ApiGateway]
    assert type(page) is own
    assert page.check() == []


# Filters, dates, autocompletion


@pytest.mark.django_db
@pytest.mark.parametrize("model", ADMINS)
def test_rows_are_found_by_date(admin_client, model):
    gateway = make_created_gateway()
    make_route(gateway)
    make_session(gateway)
    year = model.objects.get().created_on.year
    response = admin_client.get(page_of(model, "changelist"), {"created_on__year": year})
    assert response.context["cl"].date_hierarchy == "created_on"
    assert response.context["cl"].result_count == 1


@pytest.mark.django_db
@pytest.mark.parametrize("model", ADMINS)
def test_a_database_without_time_zones_shows_the_list_without_dates(
    admin_client, model, settings, monkeypatch
):
    """MariaDB and MySQL would answer 500: they cannot group by a day of a zone unknown to them."""
    settings.TIME_ZONE = "Europe/Vienna"
    monkeypatch.setattr(connection.features, "has_zoneinfo_database", False)
    make_session(make_created_gateway())
    response = admin_client.get(page_of(model, "changelist"))
    assert response.status_code == 200
    assert response.context["cl"].date_hierarchy is None


@pytest.mark.django_db
def test_routes_are_filtered_by_their_gateway(admin_client):
    route, _ = make_route(make_gateway()), make_route(make_gateway())
    url = page_of(ApiGatewayAdditionalRoute, "changelist")
    response = admin_client.get(url, {"api_gateway__id__exact": route.api_gateway_id})
    assert [*response.context["cl"].queryset] == [route]
    assert response.context["cl"].has_filters


@pytest.mark.django_db
def test_the_gateway_of_a_route_is_searched_for(admin_client):
    make_gateway(api_name="Chat")
    make_gateway(api_name="News")
    query = {
        "app_label": "django_aws_api_gateway_websockets",
        "model_name": "apigatewayadditionalroute",
        "field_name": "api_gateway",
        "term": "cha",
    }
    response = admin_client.get(reverse("admin:autocomplete"), query)
    assert [found["text"] for found in response.json()["results"]] == ["Chat"]


def test_an_admin_without_a_page_for_users_has_no_error():
    bare = AdminSite()
    assert WebSocketSessionAdmin(WebSocketSession, bare).check() == []


@pytest.mark.parametrize("keys", [{}, {"user": None, "api_gateway": None}])
@pytest.mark.django_db
def test_a_session_without_user_and_gateway_is_valid(keys):
    WebSocketSession(connection_id="a", **keys).full_clean()


@pytest.mark.django_db
def test_a_gateways_page_has_a_form_for_one_more_route(admin_client):
    response = admin_client.get(page_of(ApiGateway, "add"))
    (formset,) = response.context["inline_admin_formsets"]
    assert len(formset.formset.extra_forms) == 1
