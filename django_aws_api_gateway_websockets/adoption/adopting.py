"""Adopting a database of 3.x or 4.x: its tables become those of this release.

All changes are made in one transaction. MariaDB and MySQL have none for tables; there each step
looks at what is left to do, so that a second run finishes what a first one has begun.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Tuple

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import AddField, CreateModel, RemoveField
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from . import later, memory
from .tables import APP, Tables, table_of

#: The states of 4.1.0 in which a gateway's API is not in service yet. It set api_created all the
#: same, as soon as AWS had the API.
UNFINISHED = ("creating", "api_created", "routes_created")

STATUS = ("apigateway", "provisioning_status")

#: A model, and the name and the field of one of its columns.
Column = Tuple[str, str, "models.Field[Any, Any]"]


class Change(NamedTuple):
    """One change: two verbs, for those who read what was done or what would be, and its object."""

    done: str
    planned: str
    what: str


class Adoption:
    """What is to be done to one database, as it is when this object is made."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.found = later.find(Tables(connection))
        loader = MigrationLoader(connection)
        own = [
            key
            for leaf in loader.graph.leaf_nodes(APP)
            for key in loader.graph.forwards_plan(leaf)
            if key[0] == APP
        ]
        self.pending = [
            loader.graph.nodes[key] for key in own if key not in loader.applied_migrations
        ]
        applied = [key for key in own if key in loader.applied_migrations]
        self.before: ProjectState = loader.project_state(applied) if applied else ProjectState()
        self.tables = [table for _, table in self.found.tables]
        self.columns = self._columns()

    @property
    def is_needed(self) -> bool:
        return bool(self.found)

    @property
    def is_atomic(self) -> bool:
        """True if a run that fails changes nothing."""
        return self.connection.features.can_rollback_ddl

    @property
    def is_over(self) -> bool:
        """True for a database that has all of this release and nothing of a later one."""
        return not self.found and not self.pending

    def changes(self) -> Iterator[Change]:
        """Yield what ``run`` does."""
        columns = [f"column {table_of(model)}.{name}" for model, name, _ in self.columns]
        for what in [*(f"table {table}" for table in self.tables), *columns]:
            yield Change("Dropped", "Would drop", f"the {what}")
        for gateways, column, reason in self._set_back():
            for name in gateways.values_list("api_name", flat=True):
                yield Change("Set", "Would set", f"{column} of {name} to False: {reason}")
        for migration in self.pending:
            yield Change("Applied", "Would apply", f"the migration {migration.name}")
        for forgotten in self.found.migrations:
            yield Change("Forgot", "Would forget", f"the migration {forgotten}")

    def unknown_apis(self) -> list[str]:
        """Return the names of gateways of which nobody knows whether AWS has made their API."""
        if STATUS not in self.found.columns:
            return []
        unknown = self._gateways().filter(provisioning_status="creating", api_id="")
        return list(unknown.values_list("api_name", flat=True))

    def run(self) -> None:
        """Make all changes, and let this release's migrations make theirs."""
        remembered = memory.remember(self.connection, self.found, self.before)
        with self.connection.schema_editor(atomic=True) as editor:
            for gateways, column, _ in self._set_back():
                gateways.update(**{column: False})
            for table in self.tables:
                # Without CASCADE, which would take keys and views of others along.
                editor.execute(f"DROP TABLE {editor.quote_name(table)}")
            after = self._migrate(self._drop_columns(editor), editor)
            memory.write_back(self.connection, remembered, after)
            # They come last: as long as they are recorded, the adoption is not over.
            self._forget_migrations()

    def _columns(self) -> list[Column]:
        """Return the columns that go, and add them to the state that the database is in."""
        goes: list[Column] = [(*key, later.COLUMNS[key]) for key in self.found.columns]
        goes += [column for column in self._broken_off() if column[:2] not in self.found.columns]
        for model, name, field in goes:
            AddField(model, name, field).state_forwards(APP, self.before)
        return goes

    def _broken_off(self) -> Iterator[Column]:
        """Yield the columns of our own migrations that broke off, and let their tables go.

        MariaDB cannot take back what such a migration has done, and it could not run again.
        """
        there = Tables(self.connection)
        operations = [step for migration in self.pending for step in migration.operations]
        for operation in operations if self.found else ():
            if isinstance(operation, CreateModel):
                table = table_of(operation.name_lower)
                # The last one first: it may refer to the others.
                self.tables[:0] = {table} & there.names
            elif isinstance(operation, AddField):
                model, name = operation.model_name_lower, operation.name
                if name in there.columns(table_of(model)):
                    yield model, name, operation.field

    def _gateways(self) -> Any:
        model = self.before.apps.get_model(APP, "apigateway")
        return model._base_manager.using(self.connection.alias).order_by("pk")

    def _set_back(self) -> Iterator[tuple[Any, str, str]]:
        """Yield (gateways, column that 4.1.0 set too early, reason)."""
        if STATUS in self.found.columns:
            rows = self._gateways()
            yield (
                rows.filter(provisioning_status__in=UNFINISHED, api_created=True),
                "api_created",
                "its routes are not deployed",
            )
            yield (
                rows.filter(provisioning_status="domain_created", custom_domain_created=True),
                "custom_domain_created",
                "its domain is not mapped",
            )

    def _drop_columns(self, editor: BaseDatabaseSchemaEditor) -> ProjectState:
        state = self.before
        for model, name, _ in self.columns:
            operation, after = RemoveField(model, name), state.clone()
            operation.state_forwards(APP, after)
            if self.connection.vendor == "sqlite":
                # An old SQLite has to make the whole table anew.
                operation.database_forwards(APP, editor, state, after)
            else:
                table, column = map(editor.quote_name, (table_of(model), name))
                editor.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            state = after
        return state

    def _migrate(self, state: ProjectState, editor: BaseDatabaseSchemaEditor) -> ProjectState:
        recorder = MigrationRecorder(self.connection)
        migration: Migration
        for migration in self.pending:
            state = migration.apply(state, editor)
            recorder.record_applied(APP, migration.name)
        return state

    def _forget_migrations(self) -> None:
        recorder = MigrationRecorder(self.connection)
        for name in self.found.migrations:
            recorder.record_unapplied(APP, name)
