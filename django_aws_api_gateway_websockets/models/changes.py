"""Changes of a model's columns since its row was read or written."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional

from django.db import models


class ChangeTracking(models.Model):
    """Knows which columns have changed, so that ``save()`` writes those and ``updated_on`` alone.

    The other columns keep what other processes have written meanwhile, such as that a connection
    has ended.
    """

    #: The columns as they were when the row was read or written.
    _stored: Mapping[str, Any] = {}

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; of a row that exists, save only the changed columns."""
        if self._is_stored and not args and _is_plain_save(kwargs, self._state.db):
            kwargs["update_fields"] = [*self._changed_fields(), "updated_on"]
        super().save(*args, **kwargs)
        # Positional arguments may have chosen some columns, so it is not known which were written.
        if not args:
            self._remember(kwargs.get("update_fields"))

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().from_db(*args, **kwargs)
        instance._remember()
        return instance

    def refresh_from_db(  # type: ignore[override] # Django 4.2 has no from_queryset
        self, using: Any = None, fields: Any = None, **kwargs: Any
    ) -> None:
        super().refresh_from_db(using, fields, **kwargs)
        self._remember(fields)

    def mark_saved(self, **columns: Any) -> None:
        """Set these columns as unchanged, because an UPDATE has written them already."""
        for name, value in columns.items():
            setattr(self, name, value)
        self._remember(columns)

    @property
    def _is_stored(self) -> bool:
        """False for a row that is new or deleted, and for a copy that will get its own row."""
        key = self._meta.pk.attname
        return not self._state.adding and self.pk == self._stored.get(key)

    def _changed_fields(self) -> list[str]:
        return [
            name
            for name, value in self._loaded().items()
            if name not in self._stored or value != self._stored[name]
        ]

    def _remember(self, names: Optional[Iterable[str]] = None) -> None:
        self._stored = {**self._stored, **self._loaded(names)}

    def _loaded(self, names: Optional[Iterable[str]] = None) -> dict[str, Any]:
        """Return the columns of these names, or all columns, as far as they are loaded."""
        chosen = None if names is None else set(names)
        return {
            field.attname: self.__dict__[field.attname]
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__
            and (chosen is None or chosen & {field.name, field.attname})
        }


def _is_plain_save(options: Mapping[str, Any], database: Optional[str]) -> bool:
    """True if save() is not told to insert, which columns to write, or another database."""
    return (
        not options.get("force_insert")
        and options.get("update_fields") is None
        and options.get("using") in (None, database)
    )
