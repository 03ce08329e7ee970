"""Presence: each save of a session is heard, as 1.1.1 sends them."""

from __future__ import annotations

from django.db.models.signals import post_save
from django.dispatch import receiver

from django_aws_api_gateway_websockets.models import WebSocketSession

from .models import Presence


@receiver(post_save, sender=WebSocketSession)
def keep_presence(sender, instance, created, raw=False, **kwargs):
    if raw:
        return
    presence, _ = Presence.objects.get_or_create(connection_id=instance.connection_id)
    presence.is_there = instance.connected
    presence.saves += 1
    presence.save()
