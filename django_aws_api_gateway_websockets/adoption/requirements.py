"""Requirements of our migrations: what a database must be before they change it.

A refusal is a CommandError, so that ``migrate`` prints one sentence and no traceback.
"""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from . import halfway, later
from .tables import Tables


class Requirement(Operation):
    """An operation of a migration that changes nothing, and may refuse to go on."""

    def refusal(self, connection: BaseDatabaseWrapper) -> str | None:
        """Say why the database is refused; return None if it is not."""
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        # sqlmigrate only collects statements, perhaps with a database that is empty.
        if schema_editor.collect_sql:
            return
        if refusal := self.refusal(schema_editor.connection):
            raise CommandError(refusal)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        pass


class RequireCompleteSchema(Requirement):
    """Requires that all migrations of 1.1.1 have run."""

    def refusal(self, connection: BaseDatabaseWrapper) -> str | None:
        missing = halfway.missing_migration(Tables(connection))
        return f"{halfway.sentence(missing)} {halfway.HINT}" if missing else None

    def describe(self) -> str:
        return "Require that the tables of 1.1.1 are complete"


class RequireAdoption(Requirement):
    """Requires that no table has columns of 4.x, whose names would be taken."""

    def refusal(self, connection: BaseDatabaseWrapper) -> str | None:
        found = later.find(Tables(connection))
        return f"{later.sentence(found)} {later.hint(connection)}" if found.columns else None

    def describe(self) -> str:
        return "Require that no column of 4.x is left"
