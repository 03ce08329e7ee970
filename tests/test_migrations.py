"""A database that 1.1.1 made is served as it is, and a new one has the same schema.

The schema of 1.1.1 is written down in schema_1_1_1, for each database.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
)
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests import databases
from tests.databases import APP, schema

pytestmark = pytest.mark.django_db(transaction=True)

OURS = [
    "0007_attempts_tickets_and_broadcasts",
    "0008_exact_names_and_data",
    databases.NEWEST,
]
#: The columns that compare every character, on databases that would not.
EXACT = ("connection_id", "channel_name")
#: The columns of ours that 1.1.1 has not.
ADDED = {
    ApiGateway: {
        "creation_token",
        "provisioning_since",
        "last_error",
        "throttling_rate_limit",
        "throttling_burst_limit",
        "source_proof",
        "ip_address_type",
        "route_responses",
    },
    WebSocketSession: {"auth_hash", "login", "backend", "data", "gone_on"},
}


@pytest.fixture
def tables_of_1_1_1():
    with databases.without_own_tables():
        databases.make_1_1_1()
        yield


@pytest.fixture
def migrated(tables_of_1_1_1):
    """The database of 1.1.1 after our ``migrate``, and what that printed."""
    out = StringIO()
    call_command("migrate", stdout=out, no_color=True)
    return out.getvalue()


# The schema


def test_a_new_database_has_the_schema_of_1_1_1_and_nullable_columns(request):
    ours = schema()
    for model, names in ADDED.items():
        columns, constraints = ours[model._meta.db_table]
        assert all(columns.pop(name).null_ok for name in names)
        for name in [n for n, found in constraints.items() if names & {*found["columns"]}]:
            del constraints[name]
    columns, _ = ours[WebSocketSession._meta.db_table]
    for name in EXACT if connection.vendor == "mysql" else ():
        assert columns[name].collation.endswith("_bin")
        columns[name] = columns[name]._replace(collation=None)
    request.getfixturevalue("tables_of_1_1_1")
    assert ours == schema()


def test_a_migrated_database_has_the_schema_of_a_new_one(request):
    ours = schema()
    request.getfixturevalue("migrated")
    assert schema() == ours


def test_the_models_need_no_further_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_migrations_can_be_taken_back(tables_of_1_1_1):
    before = schema()
    call_command("migrate", verbosity=0)
    call_command("migrate", APP, "0006", verbosity=0)
    assert schema() == before


def test_they_can_be_taken_back_to_nothing_and_applied_again():
    before = schema()
    call_command("migrate", APP, "zero", verbosity=0)
    assert not {*databases.TABLES} & {*connection.introspection.table_names()}
    call_command("migrate", verbosity=0)
    assert schema() == before


@pytest.mark.parametrize("name", ["0001_initial", "0003_auto_20220706_1018"])
def test_taking_back_those_of_1_1_1_changes_no_table(tables_of_1_1_1, name):
    before = schema()
    call_command("migrate", APP, name, verbosity=0)
    assert (schema(), databases.recorded()[-1]) == (before, name)
    call_command("migrate", verbosity=0)
    assert databases.recorded()[-1] == OURS[-1]


# Its life goes on


def test_migrating_applies_only_what_is_new(migrated):
    applied = [line.strip() for line in migrated.splitlines() if line.startswith("  Applying")]
    assert applied == [f"Applying {APP}.{name}... OK" for name in OURS]
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("migrate", check_unapplied=True, verbosity=0)


def test_the_rows_survive(migrated):
    chat, news = ApiGateway.objects.order_by("pk")
    assert (chat.api_id, chat.tags, chat.status) == (
        "old1",
        {"team": "web"},
        "created, with custom domain",
    )
    assert (news.api_created, news.status) == (False, "not created")
    route = chat.additional_routes.get()
    assert (route.route_key, route.deployed) == ("join", True)
    counts = chat.sessions.order_by("pk").values_list("connection_id", "request_count")
    assert list(counts) == [("open=", 3), ("closed=", 9)]


def test_the_view_serves_an_open_connection_and_a_new_one(migrated, websocket):
    chat = ApiGateway.objects.get(api_id="old1")
    known = WebSocketClient("/ws/", gateway=chat, connection_id="open=")
    newcomer = websocket("/ws/", gateway=chat)
    assert newcomer.session.channel_name == "lobby"
    assert known.send({"action": "chat", "text": "hello"}).status_code == 200
    assert known.received == newcomer.received == [{"text": "hello"}]
    known.disconnect()
    assert (known.session.connected, known.session.request_count) == (False, 5)


def test_a_process_of_1_1_1_still_writes_its_rows_and_ours_serves_them(migrated):
    """As in a rolling deployment: it knows the columns of its own release alone."""
    table = WebSocketSession._meta.db_table
    columns = {"connection_id": "'theirs='", "channel_name": "''", "connected": "%s"}
    columns.update(request_count="1", created_on="CURRENT_TIMESTAMP")
    columns.update(updated_on="CURRENT_TIMESTAMP", api_gateway_id="1")
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(insert, [True])
    chat = ApiGateway.objects.get(api_id="old1")
    WebSocketSession.objects.filter(connection_id="theirs=").update(api_gateway=chat)
    theirs = WebSocketClient("/ws/", gateway=chat, connection_id="theirs=")
    assert theirs.send({"action": "whoami"}).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET connected = %s", [False])  # noqa: S608
    assert theirs.send({"action": "whoami"}).status_code == 400


def test_a_message_is_sent_to_the_endpoint_of_1_1_1(migrated, websocket_outbox):
    report = ApiGateway.objects.get(api_id="old1").sessions.send_message({"text": "hello"})
    assert report.sent == 1
    (message,) = websocket_outbox
    assert message.connection_id == "open="
    assert message.url == "https://old1.execute-api.eu-west-1.amazonaws.com/production"


def test_a_gateway_that_1_1_1_did_not_create_is_created(migrated, edge):
    news = ApiGateway.objects.get(api_name="News")
    news.create_gateway()
    news.refresh_from_db()
    assert news.status == "created"


def test_1_1_1_can_still_write_to_it(migrated):
    WebSocketSession.objects.all().delete()
    ApiGatewayAdditionalRoute.objects.all().delete()
    ApiGateway.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = %s", [APP])
    databases.run(databases.OF_1_1_1 / "rows.sql")
    assert ApiGateway.objects.count() == 2
