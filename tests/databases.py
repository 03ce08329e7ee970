"""Databases that other releases have made, in the place of the suite's own tables."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    Broadcast,
    BroadcastChunk,
    WebSocketSession,
    WebSocketTicket,
)

APP = "django_aws_api_gateway_websockets"
MODELS = [ApiGateway, ApiGatewayAdditionalRoute, WebSocketSession]
TABLES = [model._meta.db_table for model in MODELS]
#: The tables of ours that 1.1.1 has not.
ADDED_TABLES = [model._meta.db_table for model in (BroadcastChunk, Broadcast, WebSocketTicket)]
OF_1_1_1 = Path(__file__).parent / "schema_1_1_1"


def run(file):
    """Run the statements of a file of SQL."""
    lines = file.read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.startswith("--"))
    execute(*filter(None, map(str.strip, code.split(";\n"))))


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def drop_tables():
    """Drop all tables of the app, and forget that it has migrations."""
    for table in [*ADDED_TABLES, *reversed(TABLES)]:
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


def schema():
    """{table: (columns, constraints)} as the database tells them."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            columns = connection.introspection.get_table_description(cursor, table)
            constraints = connection.introspection.get_constraints(cursor, table)
            # MariaDB says how long the longest value is, which is no part of the schema.
            columns = {column.name: column._replace(display_size=None) for column in columns}
            found[table] = (columns, constraints)
    return found


def recorded():
    """The names of the app's migrations that are recorded as applied, in their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = %s ORDER BY name", [APP])
        return [name for (name,) in cursor.fetchall()]
