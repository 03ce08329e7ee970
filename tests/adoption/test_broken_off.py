"""An adoption that breaks off is finished by a second run.

What breaks it off is a view with the name of one of our tables.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from tests import databases
from tests.databases import APP, state

pytestmark = pytest.mark.django_db(transaction=True)

DROP = "--drop-channel-permissions"


@contextmanager
def view(name, query):
    """While this lasts there is such a view."""
    databases.execute(f"CREATE VIEW {name} AS {query}")
    try:
        yield
    finally:
        databases.execute(f"DROP VIEW {name}")


@pytest.mark.parametrize("model", ["websocketticket", "broadcast", "broadcastchunk"])
def test_a_second_run_finishes_it(own_tables, later, adopt, model):
    later("4.1.0")
    before = state()
    with view(f"{APP}_{model}", "SELECT 1 AS one"):
        with pytest.raises(CommandError, match="run this again when that is mended"):
            adopt(DROP)
        is_unchanged = state() == before
    assert is_unchanged or not connection.features.can_rollback_ddl
    assert "Adopted." in adopt(DROP)
    assert databases.shape() == own_tables
    assert databases.recorded()[-1] == databases.NEWEST
    half = ApiGateway.objects.get(api_name="Half")
    assert (half.api_created, half.api_id) == (False, "half1")
    assert bool(WebSocketSession.objects.get(connection_id="alice=").login) == is_unchanged
    User.objects.all().delete()
    call_command("check", databases=["default"])
    assert adopt().startswith("Adopted already")


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="the other databases let a view refer to nothing"
)
def test_a_view_on_a_table_that_goes_is_not_dropped_with_it(later, adopt):
    later("4.1.0")
    before = state()
    query = f"SELECT provisioning_status FROM {APP}_apigateway"  # noqa: S608
    with view("report", query), pytest.raises(CommandError, match="Nothing has been changed"):
        adopt(DROP)
    assert state() == before
