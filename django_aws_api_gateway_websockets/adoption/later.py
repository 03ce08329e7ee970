"""Later releases, 3.0 to 4.1.0: what they have left in a database.

Theirs are the tables of tokens, of attempts to connect and of channel permissions, nine
migrations, and some columns in the tables that 1.1.1 has, too. 2.x left nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from .tables import APP, Tables, belongs_here, claimed_tables, table_of

COMMAND = "adoptLaterRelease"

MIGRATIONS = (
    "0007_connectionratelimit_websockettoken",
    "0008_remove_websockettoken_websocket_t_created_c55db3_idx_and_more",
    "0009_alter_connectionratelimit_table_and_more",
    "0010_hash_websockettoken_session_key",
    "0011_channelpermission_channelpermissionrule",
    "0012_apigateway_provisioning_status",
    "0013_apigatewayadditionalroute_aws_ids",
    "0014_websocketsession_auth_hash_and_more",
    "0015_alter_apigateway_provisioning_status",
)

LAST_OF_1_1_1 = "0006_auto_20221215_0847"
HINT_FOR_DEPENDENTS = f'Let it depend on ("{APP}", "{LAST_OF_1_1_1}") in its place.'

#: Their models, in the order in which their tables can be dropped. The table between rules and
#: permissions has no model.
BETWEEN, RULE, CHANNEL = (
    "channelpermissionrule_permissions",
    "channelpermissionrule",
    "channelpermission",
)
TOKEN, ATTEMPT = "websockettoken", "connectionratelimit"

#: The columns of each table. 3.0 gave two of them names that another app may have, too.
TABLES = {
    BETWEEN: {"id", "channelpermissionrule_id", "permission_id"},
    RULE: {"id", "channel_permission_id"},
    CHANNEL: {"id", "channel_name", "access", "description", "created_on", "updated_on"},
    TOKEN: {"id", "token", "session_key", "created_at", "used", "user_id"},
    ATTEMPT: {"id", "ip_address", "attempt_time", "successful", "user_id"},
}
NAMES_OF_3_0 = {TOKEN: "websocket_tokens", ATTEMPT: "connection_rate_limits"}

#: Their columns in the tables of 1.1.1. Two have the names of columns of ours; ours may be NULL.
COLUMNS = {
    ("apigateway", "last_error"): models.CharField(max_length=255, default=""),
    ("apigateway", "provisioning_status"): models.CharField(max_length=16, default="pending"),
    ("apigatewayadditionalroute", "route_id"): models.CharField(max_length=32, default=""),
    ("apigatewayadditionalroute", "integration_id"): models.CharField(max_length=32, default=""),
    ("websocketsession", "auth_hash"): models.CharField(max_length=64, default=""),
    ("websocketsession", "session_key_hash"): models.CharField(
        max_length=64, default="", db_index=True
    ),
}


class Leftovers(NamedTuple):
    """What is left of a later release."""

    #: (model, table) pairs, in the order in which the tables can be dropped.
    tables: list[tuple[str, str]]
    #: (model, column) pairs, which are keys of COLUMNS.
    columns: list[tuple[str, str]]
    #: The names of their migrations that are recorded as applied.
    migrations: list[str]

    def __bool__(self) -> bool:
        return any(self)

    def tables_of(self, model: str) -> list[str]:
        """Return the tables of one of their models."""
        return [table for owner, table in self.tables if owner == model]


def find(tables: Tables) -> Leftovers:
    """Return what is left in this database, as far as it is the app's to have."""
    recorded = tables.migrations()
    return Leftovers(
        [(model, name) for model in TABLES for name in _find_tables(tables, model)],
        [key for key in COLUMNS if _has_column(tables, *key)],
        [name for name in MIGRATIONS if name in recorded],
    )


def dependents() -> list[tuple[str, str]]:
    """Return (migration of another app, migration of theirs on which it depends) pairs.

    Django cannot load the migrations of a site that has any.
    """
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return [
        (f"{app}.{name}", parent)
        for (app, name), migration in sorted(loader.disk_migrations.items())
        for parent_app, parent in migration.dependencies
        if parent_app == APP and parent in MIGRATIONS
    ]


def sentence(found: Leftovers) -> str:
    """Say what is left."""
    columns = [f"{table_of(model)}.{name}" for model, name in found.columns]
    names = [*(table for _, table in found.tables), *columns] or [
        f"{APP}.{name}" for name in found.migrations
    ]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"Release 3.x or 4.x has used this database, and left {names[0]}{more}."


def hint(connection: BaseDatabaseWrapper) -> str:
    """Say which command to run."""
    alias = connection.alias
    database = "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"
    return f"Run manage.py {COMMAND}{database} --dry-run, and then without --dry-run."


def _find_tables(tables: Tables, model: str) -> list[str]:
    if not belongs_here(tables.connection, model):
        return []
    candidates = {table_of(model), NAMES_OF_3_0.get(model, "")}
    if model == BETWEEN:  # Django cuts this name to the length that the database allows.
        candidates = {name for name in tables.names if name.startswith(table_of(f"{RULE}_"))}
    return [
        name
        for name in sorted(tables.names & candidates - claimed_tables())
        if TABLES[model] == {*tables.columns(name)}
    ]


def _has_column(tables: Tables, model: str, name: str) -> bool:
    may_be_null = tables.columns(table_of(model)).get(name, True)
    return not may_be_null and belongs_here(tables.connection, model)
