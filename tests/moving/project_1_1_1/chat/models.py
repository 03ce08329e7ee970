"""Rooms and messages, tied to the gateways, routes and sessions of the package."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)


class ChatGateway(ApiGateway):
    """Its domain is made by somebody else: both steps tell what that one has made."""

    class Meta:
        proxy = True

    def _create_domain_name(self, client):
        configuration = {"ApiGatewayDomainName": f"edge.{self.domain_name}"}
        return {"DomainNameConfigurations": [configuration]}

    def _create_api_mapping(self, client):
        return f"mapping-of-{self.api_id}"


class TeamGateway(ApiGateway):
    """With helpers of its own, by the names that helpers get."""

    class Meta:
        proxy = True

    def _tags(self):
        return "tags of the team"

    def _claim(self):
        return "claim of the team"

    def _deploy(self):
        return "deployed by the team"


class ChatSession(WebSocketSession):
    class Meta:
        proxy = True

    def _remember(self):
        return "remembered by the chat"

    def _loaded(self):
        return "loaded by the chat"

    def say(self, text):
        return self.send_message({"say": text})


class Room(models.Model):
    name = models.CharField(max_length=128, unique=True)
    gateway = models.ForeignKey(ApiGateway, models.CASCADE, related_name="rooms")
    route = models.ForeignKey(
        ApiGatewayAdditionalRoute, models.SET_NULL, null=True, blank=True, related_name="rooms"
    )
    listeners = models.ManyToManyField(WebSocketSession, blank=True, related_name="rooms")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    def __str__(self):
        return self.name


class Message(models.Model):
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    session = models.ForeignKey(
        WebSocketSession, models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    text = models.TextField()

    def __str__(self):
        return self.text


class Presence(models.Model):
    """Who is there, kept by a listener of the sessions' post_save."""

    connection_id = models.CharField(max_length=255, unique=True)
    is_there = models.BooleanField(default=True)
    saves = models.PositiveIntegerField(default=0)

    def __str__(self):
        return self.connection_id
