"""Databases that other releases have made, in the place of the suite's own tables."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)

APP = "django_aws_api_gateway_websockets"
MODELS = [ApiGateway, ApiGatewayAdditionalRoute, WebSocketSession]
TABLES = [model._meta.db_table for model in MODELS]
OF_1_1_1 = Path(__file__).parent / "schema_1_1_1"
#: Our newest migration.
NEWEST = "0009_route_responses"
OF_LATER = Path(__file__).parent / "schema_later"


def run(file):
    """Run the statements of a file of SQL."""
    lines = file.read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.startswith("--"))
    for statement in filter(None, map(str.strip, code.split(";\n"))):
        execute(_with_cut_names(statement))


def _with_cut_names(statement):
    """The statement, with the one name that Django cuts to the length that a database allows."""
    rule = f"{APP}_channelpermissionrule_"
    if not statement.startswith(f"INSERT INTO {rule}"):
        return statement
    (table,) = [table for table in app_tables() if table.startswith(rule)]
    return statement.replace(f"{rule}permissions", table)


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def app_tables():
    """The tables of the app, whichever release has made them, in the order of their names."""
    return sorted(
        name
        for name in connection.introspection.table_names()
        if name.startswith(APP) or name in ("websocket_tokens", "connection_rate_limits")
    )


def drop_tables():
    """Drop all tables of the app, and forget that it has migrations."""
    referred = [
        f"{APP}_{name}" for name in ("channelpermissionrule", "channelpermission", "broadcast")
    ]
    first = [table for table in app_tables() if table not in [*referred, *TABLES]]
    for table in [*first, *referred, *reversed(TABLES)]:
        execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = %s", [APP])


@contextmanager
def without_own_tables():
    """The suite's database without the app's tables, which come back in the end."""
    drop_tables()
    try:
        yield
    finally:
        drop_tables()
        call_command("migrate", verbosity=0)


def make_1_1_1():
    """Make the tables and the rows of 1.1.1."""
    run(OF_1_1_1 / f"{connection.vendor}.sql")
    run(OF_1_1_1 / "rows.sql")
    execute(*connection.ops.sequence_reset_sql(no_style(), MODELS))


def make_later(release):
    """Make the tables and the rows of a later release; its users are alice, bob and carol."""
    folder = OF_LATER / f"release_{release.replace('.', '_')}"
    run(folder / f"{connection.vendor}.sql")
    run(folder / "rows.sql")
    execute(*connection.ops.sequence_reset_sql(no_style(), [*MODELS, get_user_model()]))


def schema(tables=tuple(TABLES)):
    """{table: (columns, constraints)} as the database tells them."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            columns = connection.introspection.get_table_description(cursor, table)
            constraints = connection.introspection.get_constraints(cursor, table)
            # MariaDB says how long the longest value is, which is no part of the schema.
            columns = {column.name: column._replace(display_size=None) for column in columns}
            found[table] = (columns, constraints)
    return found


def shape():
    """{table: (columns, constraints)} of all tables of the app, whatever a constraint is called.

    SQLite numbers foreign keys in the order in which they were written. PostgreSQL keeps the name
    of an index whose column is renamed, as 1.1.1 has done.
    """
    return {
        table: (columns, sorted(map(repr, constraints.values())))
        for table, (columns, constraints) in schema(app_tables()).items()
    }


def recorded():
    """The names of the app's migrations that are recorded as applied, in their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = %s ORDER BY name", [APP])
        return [name for (name,) in cursor.fetchall()]


def rows(table):
    """All rows of a table, in the order of their ids."""
    with connection.cursor() as cursor:
        quoted = connection.ops.quote_name(table)
        cursor.execute(f"SELECT * FROM {quoted} ORDER BY id")  # noqa: S608
        return cursor.fetchall()


def column(table, name):
    """The values of a column."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {table} ORDER BY {name}")  # noqa: S608
        return [value for (value,) in cursor.fetchall()]


def state():
    """All that a command could change: the tables, their rows, and what is recorded."""
    tables = app_tables()
    return schema(tables), {table: rows(table) for table in tables}, recorded()
