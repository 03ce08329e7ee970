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
    _columns_stored: Mapping[str, Any] = {}

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; of a row that exists, save only the changed columns."""
        if is_stored(self) and not args and _is_plain_save(kwargs, self._state.db):
            kwargs["update_fields"] = [*changed_fields(self), "updated_on"]
        super().save(*args, **kwargs)
        # Positional arguments may have chosen some columns, so it is not known which were written.
        if not args:
            remember(self, kwargs.get("update_fields"))

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().from_db(*args, **kwargs)
        remember(instance)
        return instance

    def refresh_from_db(  # type: ignore[override] # Django 4.2 has no from_queryset
        self, using: Any = None, fields: Any = None, **kwargs: Any
    ) -> None:
        super().refresh_from_db(using, fields, **kwargs)
        remember(self, fields)

    def mark_saved(self, **columns: Any) -> None:
        """Set these columns as unchanged, because an UPDATE has written them already."""
        for name, value in columns.items():
            setattr(self, name, value)
        remember(self, columns)


def is_stored(row: ChangeTracking) -> bool:
    """False for a row that is new or deleted, and for a copy that will get its own row."""
    key = row._meta.pk.attname
    return not row._state.adding and row.pk == row._columns_stored.get(key)


def changed_fields(row: ChangeTracking) -> list[str]:
    """Return the names of the columns that are not as they were read or written."""
    stored = row._columns_stored
    return [
        name for name, value in loaded(row).items() if name not in stored or value != stored[name]
    ]


def remember(row: ChangeTracking, names: Optional[Iterable[str]] = None) -> None:
    """Note the columns of these names, or all columns, as unchanged."""
    row._columns_stored = {**row._columns_stored, **loaded(row, names)}


def loaded(row: ChangeTracking, names: Optional[Iterable[str]] = None) -> dict[str, Any]:
    """Return the columns of these names, or all columns, as far as they are loaded."""
    chosen = None if names is None else set(names)
    return {
        field.attname: row.__dict__[field.attname]
        for field in row._meta.concrete_fields
        if field.attname in row.__dict__
        and (chosen is None or chosen & {field.name, field.attname})
    }


def _is_plain_save(options: Mapping[str, Any], database: Optional[str]) -> bool:
    """True if save() is not told to insert, which columns to write, or another database."""
    return (
        not options.get("force_insert")
        and options.get("update_fields") is None
        and options.get("using") in (None, database)
    )
