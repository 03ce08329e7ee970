"""The package's pages, taken over; and its actions and inline on pages of the chat's own."""

from __future__ import annotations

from django.contrib import admin

from django_aws_api_gateway_websockets.admin import (
    ApiGatewayAdditionalRouteAdmin,
    ApiGatewayAdditionalRouteInline,
    ApiGatewayAdmin,
    WebSocketSessionAdmin,
    create_api_gateway,
    create_custom_domain,
)
from django_aws_api_gateway_websockets.models import ApiGateway, ApiGatewayAdditionalRoute

from .models import ChatGateway, ChatSession, Room


class RoomInline(admin.TabularInline):
    model = Room
    extra = 0
    fields = ["name", "owner"]


class SiteGatewayAdmin(ApiGatewayAdmin):
    list_display = ApiGatewayAdmin.list_display + ["number_of_rooms"]
    list_filter = ApiGatewayAdmin.list_filter + ["stage_name"]
    search_fields = ApiGatewayAdmin.search_fields + ["api_id"]
    inlines = ApiGatewayAdmin.inlines + [RoomInline]

    @admin.display(description="Rooms")
    def number_of_rooms(self, gateway):
        return gateway.rooms.count()


class SiteRouteAdmin(ApiGatewayAdditionalRouteAdmin):
    list_display = ApiGatewayAdditionalRouteAdmin.list_display + ["created_on"]
    list_filter = ApiGatewayAdditionalRouteAdmin.list_filter + ["deployed"]
    search_fields = ["name", "route_key"]


@admin.register(ChatGateway)
class ChatGatewayAdmin(admin.ModelAdmin):
    list_display = ["api_name", "domain_name"]
    actions = [create_api_gateway, create_custom_domain]
    inlines = [ApiGatewayAdditionalRouteInline]


@admin.register(ChatSession)
class ChatSessionAdmin(WebSocketSessionAdmin):
    list_display = WebSocketSessionAdmin.list_display + ["messages_sent"]
    list_filter = WebSocketSessionAdmin.list_filter + ["api_gateway"]
    search_fields = WebSocketSessionAdmin.search_fields + ["user__username"]

    @admin.display(description="Messages")
    def messages_sent(self, session):
        return session.messages.count()


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ["name", "gateway"]
    autocomplete_fields = ["gateway", "route"]


admin.site.unregister(ApiGateway)
admin.site.register(ApiGateway, SiteGatewayAdmin)
admin.site.unregister(ApiGatewayAdditionalRoute)
admin.site.register(ApiGatewayAdditionalRoute, SiteRouteAdmin)
