"""Admin pages for gateways, routes and sessions, with the actions that provision AWS."""

from __future__ import annotations

from operator import attrgetter, methodcaller
from typing import Any, Callable, Iterable, Optional

from botocore import exceptions
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, TabularInline
from django.core.checks import CheckMessage
from django.db import connections, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from . import models
from .exceptions import WebSocketError
from .models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
    WebSocketSessionQuerySet,
)

__all__ = [
    "ApiGatewayAdditionalRouteAdmin",
    "ApiGatewayAdditionalRouteInline",
    "ApiGatewayAdmin",
    # Imported names of 1.1.1's module, which projects import from here.
    "ModelAdmin",
    "TabularInline",
    "WebSocketSessionAdmin",
    "admin",
    "create_api_gateway",
    "create_custom_domain",
    "exceptions",
    "messages",
    "models",
    "upgrade_api_gateway",
]

#: What AWS has a copy of, once the API is created: a change of the row would not change AWS.
FIXED_ONCE_CREATED = (
    "api_name",
    "api_description",
    "target_base_endpoint",
    "api_key_selection_expression",
    "route_selection_expression",
    "route_key",
    "stage_name",
    "tags",
    "api_id",
    "api_endpoint",
)

#: What leads sockets to the custom domain, once that is made. Its certificate may change.
FIXED_ONCE_MAPPED = (
    "domain_name",
    "hosted_zone_id",
    "api_gateway_domain_name",
    "api_mapping_id",
)

#: What provisioning raises. A subclass's own calls of AWS raise botocore's errors as they are.
FAILURES = (WebSocketError, exceptions.ClientError, exceptions.BotoCoreError)

#: The ids of Django's checks of an autocomplete field whose model has no page to search.
NO_AUTOCOMPLETE = {"admin.E039", "admin.E040"}


@admin.action(description="Create API Gateway", permissions=["change"])
def create_api_gateway(
    modeladmin: Any, request: HttpRequest, queryset: QuerySet[ApiGateway]
) -> None:
    """Make the chosen gateways in AWS: an action for any admin of gateways."""
    success = "API Gateway endpoint created for {0.api_name}"
    refusal = attrgetter("creation_refusal")
    provision(request, queryset, methodcaller("create_gateway"), success, refusal)


@admin.action(description="Create Custom Domain record for the API", permissions=["change"])
def create_custom_domain(
    modeladmin: Any, request: HttpRequest, queryset: QuerySet[ApiGateway]
) -> None:
    """Make the custom domains of the chosen gateways: an action for any admin of gateways."""
    success = (
        "Custom Domain setup for {0.api_name}. "
        "Next update DNS to point to {0.api_gateway_domain_name}"
    )
    refusal = attrgetter("domain_refusal")
    provision(request, queryset, methodcaller("create_custom_domain"), success, refusal)


@admin.action(description="Upgrade API Gateway", permissions=["change"])
def upgrade_api_gateway(
    modeladmin: Any, request: HttpRequest, queryset: QuerySet[ApiGateway]
) -> None:
    """Upgrade the chosen gateways in AWS: an action for any admin of gateways."""
    success = "API Gateway upgraded: {0.api_name}"
    provision(request, queryset, methodcaller("upgrade_gateway"), success)


class DatedAdmin(ModelAdmin):  # type: ignore[type-arg]
    """With links to the years, months and days of ``created_on``, if the database can group."""

    date_hierarchy = "created_on"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        if not can_group_by_day(changelist.queryset.db):
            changelist.date_hierarchy = None
        return changelist


class ApiGatewayAdditionalRouteInline(TabularInline):  # type: ignore[type-arg]
    autocomplete_fields = ["api_gateway"]
    model = ApiGatewayAdditionalRoute
    extra = 1
    readonly_fields = ("deployed",)


@admin.register(ApiGateway)
class ApiGatewayAdmin(DatedAdmin):
    actions = [create_api_gateway, create_custom_domain, upgrade_api_gateway]
    inlines = [ApiGatewayAdditionalRouteInline]
    list_display = [
        "api_name",
        "domain_name",
        "default_channel_name",
        "api_id",
        "api_endpoint",
        "api_gateway_domain_name",
        "api_created",
        "custom_domain_created",
        "status",
        "proves_source",
        "created_on",
        "updated_on",
    ]
    list_filter = ["api_created", "custom_domain_created"]
    readonly_fields = (
        "status",
        "proves_source",
        "last_error",
        "api_created",
        "custom_domain_created",
        "deployment_id",
        "created_on",
        "updated_on",
    )
    #: The list's own order, which a search for the gateway of a route has, too.
    ordering = ["-pk"]
    search_fields = ["domain_name", "api_name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Optional[ApiGateway] = None) -> Any:
        fixed = FIXED_ONCE_CREATED if obj is not None and obj.api_created else ()
        mapped = FIXED_ONCE_MAPPED if obj is not None and obj.custom_domain_created else ()
        return (*self.readonly_fields, *fixed, *mapped)

    @admin.display(description="status")
    def status(self, gateway: ApiGateway) -> str:
        return gateway.status

    @admin.display(description="proves its source", boolean=True)
    def proves_source(self, gateway: ApiGateway) -> bool:
        return gateway.source_proof is not None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        show_failure_on_commit(request, form.instance)

    def delete_model(self, request: HttpRequest, obj: ApiGateway) -> None:
        super().delete_model(request, obj)
        warn_of_remaining_apis(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiGateway]) -> None:
        gateways = list(queryset)
        super().delete_queryset(request, queryset)
        warn_of_remaining_apis(request, gateways)


@admin.register(ApiGatewayAdditionalRoute)
class ApiGatewayAdditionalRouteAdmin(DatedAdmin):
    autocomplete_fields = ["api_gateway"]
    list_display = ["name", "api_gateway", "route_key", "integration_url", "deployed"]
    list_filter = ["api_gateway"]
    list_select_related = ("api_gateway",)
    readonly_fields = ("deployed", "created_on", "updated_on")
    search_fields = ["name", "route_key"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        show_failure_on_commit(request, obj.api_gateway)

    def delete_model(self, request: HttpRequest, obj: ApiGatewayAdditionalRoute) -> None:
        super().delete_model(request, obj)
        show_failure_on_commit(request, obj.api_gateway)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[ApiGatewayAdditionalRoute]
    ) -> None:
        # One by one: a queryset's own delete() would leave the routes in AWS.
        for route in queryset:
            self.delete_model(request, route)


@admin.register(WebSocketSession)
class WebSocketSessionAdmin(DatedAdmin):
    """Read-only: an edited row could give a live connection to another user."""

    actions = ["close_connections"]
    autocomplete_fields = ["user"]
    list_display = [
        "connection_id",
        "channel_name",
        "api_gateway",
        "user",
        "connected",
        "request_count",
        "created_on",
        "updated_on",
    ]
    list_filter = ["connected", "channel_name"]
    list_select_related = ("api_gateway", "user")
    search_fields = ["connection_id", "channel_name"]

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        # A read-only page searches for no user, so users need no page in this admin.
        return [found for found in super().check(**kwargs) if found.id not in NO_AUTOCOMPLETE]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: WebSocketSession) -> None:
        obj.close(on_commit=True)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        queryset.close(on_commit=True)
        super().delete_queryset(request, queryset)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """True for users who may change sessions; there is no other page for that permission."""
        return super().has_change_permission(request)

    @admin.action(description="Close the connections", permissions=["close"])
    def close_connections(self, request: HttpRequest, queryset: WebSocketSessionQuerySet) -> None:
        report = queryset.close()
        level = messages.ERROR if report.failed else messages.SUCCESS
        text = f"{report.closed} closed, {report.gone} were gone, {report.failed} failed"
        reasons = "".join(f"; {reason}" for reason in report.reasons)
        self.message_user(request, f"{text}{reasons}", level)


def provision(
    request: HttpRequest,
    gateways: Iterable[ApiGateway],
    action: Callable[[ApiGateway], None],
    success: str,
    refusal: Callable[[ApiGateway], str] = lambda gateway: "",
) -> None:
    """Run an action on each gateway, and show a message of how each went.

    ``refusal`` says why there is nothing to do, unless AWS differs from the row.
    """
    for gateway in gateways:
        reason = refusal(gateway)
        try:
            action(gateway)
        except FAILURES as error:
            messages.error(request, f"{error} occurred when processing {gateway.api_name}")
        else:
            if reason and not gateway.has_written:
                messages.warning(request, reason)
            else:
                messages.success(request, success.format(gateway))
        for notice in gateway.notices:
            messages.warning(request, f"{gateway}: {notice}")


def can_group_by_day(database: str) -> bool:
    """False for a MariaDB or MySQL that would have to know a time zone, and has none loaded."""
    connection = connections[database]
    is_same_zone = timezone.get_current_timezone_name() == connection.timezone_name
    return is_same_zone or connection.features.has_zoneinfo_database


def show_failure_on_commit(request: HttpRequest, gateway: ApiGateway) -> None:
    """Show why the changed routes of a live gateway could not be deployed.

    They are deployed when the transaction has committed, just before this shows the failure.
    """

    def show() -> None:
        gateway.refresh_from_db(fields=["last_error"])
        if gateway.last_error:
            messages.error(request, f"{gateway.last_error} occurred when processing {gateway}")

    if gateway.is_live:
        transaction.on_commit(show)


def warn_of_remaining_apis(request: HttpRequest, gateways: Iterable[ApiGateway]) -> None:
    """Warn that the APIs of deleted gateways still exist in AWS: clients may be connected."""
    for gateway in gateways:
        if gateway.api_id:
            text = f"The API {gateway.api_id} ({gateway}) still exists in AWS: delete it there."
            messages.warning(request, text)
