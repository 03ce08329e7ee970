"""Querysets that can be read where they are written, whatever the database router says."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models, router

Model = TypeVar("Model", bound=models.Model)
Rows = TypeVar("Rows", bound="PrimaryQuerySet[Any]")


class PrimaryQuerySet(models.QuerySet[Model]):
    """A queryset that knows the database to which its model is written."""

    def on_primary(self: Rows) -> Rows:
        """Return these rows, read where they are written: a replica may not have the latest.

        A database that ``using()`` has chosen stays chosen.
        """
        is_chosen = self._db is not None  # type: ignore[attr-defined]
        return self if is_chosen else self.using(router.db_for_write(self.model))
