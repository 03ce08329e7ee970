"""Models of the chat: the last messages. The sessions are the package's, and hold the names."""

from __future__ import annotations

from typing import Any

from django.db import models

from django_aws_api_gateway_websockets.models import WebSocketSession

#: The rooms are the channels of the sessions.
ROOMS = ("Lobby", "Garden", "Tea kitchen")

#: Messages that a room keeps for those who come later. All of them fit into one frame of 128 KiB.
KEPT = 30


def names_in(room: str) -> list[str]:
    """Return the names in a room. A name with several windows is there once."""
    here = WebSocketSession.objects.filter(channel_name=room, connected=True)
    return sorted({data["name"] for data in here.values_list("data", flat=True)})


class MessageManager(models.Manager["Message"]):
    def post(self, room: str, name: str, text: str) -> Message:
        """Store a message, and delete those that are too old."""
        message = self.create(room=room, name=name, text=text)
        older = self.filter(room=room).order_by("-pk").values("pk")[KEPT:]
        self.filter(pk__in=older).delete()
        return message

    def latest_in(self, room: str) -> list[dict[str, Any]]:
        """Return what a page needs of the room's messages, oldest first."""
        return [message.for_page() for message in self.filter(room=room).order_by("pk")]


class Message(models.Model):
    """One of the last messages of a room."""

    room = models.CharField(max_length=128, db_index=True)
    name = models.CharField(max_length=150)
    text = models.CharField(max_length=500)
    sent_at = models.DateTimeField(auto_now_add=True)

    objects = MessageManager()

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"

    def for_page(self) -> dict[str, Any]:
        return {"id": self.pk, "name": self.name, "text": self.text, "at": self.sent_at}
