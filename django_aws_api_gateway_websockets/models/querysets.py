"""Querysets that can be read where they are written, whatever the database router says."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models, router

from ..security.identity import as_backend_gives

Model = TypeVar("Model", bound=models.Model)
Rows = TypeVar("Rows", bound="PrimaryQuerySet[Any]")


class PrimaryQuerySet(models.QuerySet[Model]):
    """A queryset that can read from the database to which its model is written."""

    def on_primary(self: Rows) -> Rows:
        """Return this queryset, read where its rows are written: a replica may lag behind.

        A database that ``using()`` has chosen is kept.
        """
        is_chosen = self._db is not None  # type: ignore[attr-defined]
        return self if is_chosen else self.using(router.db_for_write(self.model))

    def unfiltered(self: Rows) -> Rows:
        """Return all rows, of the database that ``using()`` has chosen, if any."""
        # self.db would be the database to read from, and an UPDATE must go where writes go.
        return type(self)(self.model, using=self._db)  # type: ignore[attr-defined]


def give_user(row: Any) -> Any:
    """Let the row have its user as the site's auth backend gives it, and return that user.

    Its key stays, even if the backend gives nobody: then the row's login does not hold any more.
    """
    user = as_backend_gives(row.user, row.backend)
    row._meta.get_field("user").set_cached_value(row, user)
    return user


def is_ours(rows: models.QuerySet[Any]) -> bool:
    """False for a class of the site's own, which may add other conditions each time."""
    # Those of the site inherit from ours, and never from PrimaryQuerySet itself.
    return type(rows).__bases__ == (PrimaryQuerySet,)
