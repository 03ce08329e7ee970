"""A database that did not come to the end of 1.1.1's migrations is refused, unchanged.

The states are those in which 1.1.1's own ``migrate <app> 000N`` leaves the tables.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from django_aws_api_gateway_websockets.models import ApiGatewayAdditionalRoute
from tests import databases
from tests.databases import APP

pytestmark = pytest.mark.django_db(transaction=True)

GATEWAYS, ROUTES, SESSIONS = databases.TABLES
NAMES = (
    "0001_initial",
    "0002_rename_author_websocketsession_user",
    "0003_auto_20220706_1018",
    "0004_auto_20221208_1227",
    "0005_apigatewayadditionalroute_deployed",
    "0006_auto_20221215_0847",
)
COLUMNS_OF_0001 = (
    "id bigint NOT NULL PRIMARY KEY, connection_id varchar(255) NOT NULL UNIQUE, "
    "channel_name varchar(128) NOT NULL, connected boolean NOT NULL, "
    "request_count bigint NOT NULL, created_on date NOT NULL, updated_on date NOT NULL"
)


def take_back(last):
    """Take the tables of 1.1.1 back to what they are after its migration number ``last``."""
    if last < 6:
        pair = {("api_gateway", "route_key")}
        with connection.schema_editor() as editor:
            editor.alter_unique_together(ApiGatewayAdditionalRoute, pair, set())
    if last < 5:
        databases.execute(f"ALTER TABLE {ROUTES} DROP COLUMN deployed")
    if last < 4:
        databases.execute(
            f"DROP TABLE {ROUTES}", f"ALTER TABLE {GATEWAYS} DROP COLUMN deployment_id"
        )
    if last < 3:
        user = "user_id" if last == 2 else "author_id"
        databases.execute(
            f"DROP TABLE {SESSIONS}",
            f"DROP TABLE {GATEWAYS}",
            f"CREATE TABLE {SESSIONS} ({COLUMNS_OF_0001}, {user} integer NULL)",
        )
    with connection.cursor() as cursor:
        later = "DELETE FROM django_migrations WHERE app = %s AND name > %s"
        cursor.execute(later, [APP, NAMES[last - 1]])


def schema():
    """What the database has of the app's tables."""
    tables = [
        table for table in databases.TABLES if table in connection.introspection.table_names()
    ]
    with connection.cursor() as cursor:
        return {
            table: (
                connection.introspection.get_table_description(cursor, table),
                connection.introspection.get_constraints(cursor, table),
            )
            for table in tables
        }


@pytest.fixture
def tables_of_1_1_1():
    with databases.without_own_tables():
        databases.make_1_1_1()
        yield


@pytest.fixture(params=[1, 2, 3, 4, 5])
def halfway(request, tables_of_1_1_1):
    """A database of 1.1.1 that stopped after one of its migrations; what is missing."""
    take_back(request.param)
    return NAMES[request.param]


def test_migrate_says_what_to_do_and_changes_nothing(halfway):
    before = schema(), databases.recorded()
    with pytest.raises(CommandError, match=f"its migration {halfway} has not run here") as refused:
        call_command("migrate", verbosity=0)
    assert "Install django-aws-api-gateway-websockets==1.1.1, run its migrate" in str(
        refused.value
    )
    assert "\n" not in str(refused.value)
    assert (schema(), databases.recorded()) == before


def test_the_check_says_it_before_the_migrations_of_any_app(halfway):
    with pytest.raises(SystemCheckError, match="E031") as refused:
        call_command("migrate", verbosity=0, skip_checks=False)
    assert f"its migration {halfway} has not run here" in str(refused.value)
    with pytest.raises(SystemCheckError, match=r"django-aws-api-gateway-websockets==1\.1\.1"):
        call_command("check", databases=["default"])


def test_so_does_a_database_whose_rest_was_recorded_only(tables_of_1_1_1):
    take_back(4)
    call_command("migrate", APP, "0006", fake=True, verbosity=0)
    with pytest.raises(CommandError, match=f"its migration {NAMES[4]} has not run here"):
        call_command("migrate", verbosity=0)
    assert databases.recorded()[-1] == NAMES[5]


def test_after_1_1_1_has_finished_it_goes_on(halfway):
    databases.drop_tables()
    databases.make_1_1_1()
    call_command("migrate", verbosity=0, skip_checks=False)
    call_command("migrate", check_unapplied=True, verbosity=0)


def test_a_complete_database_and_a_new_one_pass_the_check(tables_of_1_1_1):
    call_command("check", databases=["default"])
    databases.drop_tables()
    call_command("check", databases=["default"])
    call_command("migrate", verbosity=0)
    call_command("check", databases=["default"])


def test_the_plan_of_a_new_database_can_be_shown(tables_of_1_1_1):
    databases.drop_tables()
    out = StringIO()
    call_command("migrate", plan=True, skip_checks=False, stdout=out, no_color=True)
    shown = out.getvalue()
    assert all(f"{APP}.{name}" in shown for name in NAMES)
    assert databases.recorded() == []


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", NAMES[1:])
def test_the_sql_of_those_of_1_1_1_is_none_even_halfway(tables_of_1_1_1, name, backwards):
    take_back(3)
    shown = call_command("sqlmigrate", APP, name, backwards=backwards, stdout=StringIO())
    assert not any(word in shown for word in ("CREATE", "ALTER", "DROP"))


class Nowhere:
    """A router that keeps the app out of every database."""

    def allow_migrate(self, db, app_label, **hints):
        return app_label != APP


class OnlySessions:
    """A router that leaves the gateways to another database."""

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return app_label != APP or model_name == "websocketsession"


def test_a_database_that_the_app_is_kept_out_of_is_migrated_without_it(tables_of_1_1_1, settings):
    databases.drop_tables()
    settings.DATABASE_ROUTERS = [Nowhere()]
    call_command("migrate", verbosity=0, skip_checks=False)
    assert not {*databases.TABLES} & {*connection.introspection.table_names()}
    call_command("migrate", APP, "zero", verbosity=0)


def test_what_the_router_puts_elsewhere_is_not_missed(tables_of_1_1_1, settings):
    take_back(2)
    databases.execute(f"ALTER TABLE {SESSIONS} ADD COLUMN api_gateway_id bigint NULL")
    settings.DATABASE_ROUTERS = [OnlySessions()]
    call_command("check", databases=["default"])
    MigrationExecutor(connection).migrate([(APP, NAMES[5])])
    assert databases.recorded()[-1] == NAMES[5]
