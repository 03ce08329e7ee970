"""Tables as a database has them, read by introspection. Knows no model and writes nothing."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

APP = "django_aws_api_gateway_websockets"


class Tables:
    """The tables of one database, each read once: make a new one after a change."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        with connection.cursor() as cursor:
            self.names = set(connection.introspection.table_names(cursor))
        self._columns: dict[str, dict[str, bool]] = {}

    def columns(self, table: str) -> dict[str, bool]:
        """Return {column: whether it may be NULL}; nothing if there is no such table."""
        if table not in self._columns:
            self._columns[table] = self._read_columns(table) if table in self.names else {}
        return self._columns[table]

    def constraints(self, table: str) -> list[Any]:
        """Return the table's keys, indexes and constraints, as Django describes them."""
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_constraints(cursor, table)
        return list(found.values())

    def foreign_keys(self, table: str) -> dict[str, str]:
        """Return {column: the table that it refers to}."""
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_relations(cursor, table)
        return {column: target[1] for column, target in found.items()}

    def migrations(self) -> set[str]:
        """Return the names of the app's migrations that are recorded as applied."""
        applied = MigrationRecorder(self.connection).applied_migrations()
        return {name for app, name in applied if app == APP}

    def _read_columns(self, table: str) -> dict[str, bool]:
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_table_description(cursor, table)
        return {column.name: bool(column.null_ok) for column in found}


def table_of(model: str) -> str:
    """Return the table of a model of the app, whose name is given in lower case."""
    return f"{APP}_{model}"


def belongs_here(connection: BaseDatabaseWrapper, model: str) -> bool:
    """True if the site's routers let this database have the table of the model."""
    return bool(router.allow_migrate(connection.alias, APP, model_name=model))


def claimed_tables() -> set[str]:
    """Return the tables that models of the site have."""
    return {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
