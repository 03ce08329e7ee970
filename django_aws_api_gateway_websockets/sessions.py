"""The live connections. Fields and thin verbs."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional

from django.conf import settings
from django.db import models

from .querysets import WebSocketSessionQuerySet
from .sending import Report


class WebSocketSession(models.Model):
    """One connection, from its $connect on."""

    connection_id = models.CharField(max_length=255, unique=True)
    channel_name = models.CharField(max_length=128, blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="websocket_sessions",
    )
    connected = models.BooleanField(default=True)
    api_gateway = models.ForeignKey(
        "django_aws_api_gateway_websockets.ApiGateway",
        on_delete=models.SET_NULL,
        null=True,
        related_name="sessions",
    )
    request_count = models.PositiveBigIntegerField(default=1)
    created_on = models.DateTimeField(auto_now_add=True)
    updated_on = models.DateTimeField(auto_now=True)
    # By which login it was opened: see identity.py. Nullable, for rows of older releases.
    auth_hash = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    login = models.CharField(  # noqa: DJ001
        max_length=64, null=True, editable=False, db_index=True
    )

    #: The row as it was when it was read or written.
    _stored: Mapping[str, Any] = {}

    objects = WebSocketSessionQuerySet.as_manager()

    class Meta:
        verbose_name = "WebSocket session"
        indexes = [
            models.Index(fields=["connection_id", "connected"]),
            models.Index(fields=["channel_name", "connection_id"]),
            models.Index(fields=["channel_name", "connected"]),
        ]

    def __str__(self) -> str:
        return self.connection_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; of a row that exists, only what has been changed since it was read or saved.

        What other processes have written meanwhile (that the connection has ended, say) is kept.
        """
        if self._is_stored and not args and not _chooses(kwargs, self._state.db):
            kwargs["update_fields"] = [*self._changed(), "updated_on"]
        super().save(*args, **kwargs)
        if not args:  # which may say that only some columns were written
            self._remember(kwargs.get("update_fields"))

    @property
    def _is_stored(self) -> bool:
        """True unless it is new, deleted, or a copy that will get a row of its own."""
        key = self._meta.pk.attname
        return not self._state.adding and self.pk == self._stored.get(key)

    def _changed(self) -> list[str]:
        return [
            name
            for name, value in self._values().items()
            if name not in self._stored or value != self._stored[name]
        ]

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> WebSocketSession:
        session = super().from_db(*args, **kwargs)
        session._remember()
        return session

    def refresh_from_db(  # type: ignore[override] # Django 4.2 has no from_queryset
        self, using: Any = None, fields: Any = None, **kwargs: Any
    ) -> None:
        super().refresh_from_db(using, fields, **kwargs)
        self._remember(fields)

    def note_written(self, **columns: Any) -> None:
        """Take over what has been written to the row already."""
        for name, value in columns.items():
            setattr(self, name, value)
        self._remember(columns)

    def _remember(self, names: Optional[Iterable[str]] = None) -> None:
        self._stored = {**self._stored, **self._values(names)}

    def _values(self, names: Optional[Iterable[str]] = None) -> dict[str, Any]:
        """The columns of these names, or all, as far as they are loaded."""
        chosen = None if names is None else set(names)
        return {
            field.attname: self.__dict__[field.attname]
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__
            and (chosen is None or chosen & {field.name, field.attname})
        }

    def send_message(self, data: Any, *, on_commit: bool = False) -> Report:
        """Send ``data`` as JSON to this connection; see the queryset's ``send_message``.

        The connection is tried even if the row says that it is closed.
        """
        return type(self).objects.send_to(self, data, on_commit=on_commit)

    async def asend_message(self, data: Any) -> Report:
        """Send as ``send_message`` does, without blocking the event loop."""
        return await type(self).objects.asend_to(self, data)

    def close(self, *, on_commit: bool = False) -> Report:
        """Close the connection; see the queryset's ``close``. It is tried as above."""
        return type(self).objects.close_one(self, on_commit)

    close.alters_data = True  # type: ignore[attr-defined]


def _chooses(options: Mapping[str, Any], database: Optional[str]) -> bool:
    """True if save() is told which columns, or another database, to write."""
    return bool(options.get("force_insert") or options.get("update_fields") is not None) or (
        options.get("using") not in (None, database)
    )
