"""Admin page for messages. The package has those for gateways, routes and sessions."""

from __future__ import annotations

from django.contrib import admin

from .models import Message


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ["room", "name", "text", "sent_at"]
    list_filter = ["room"]
