"""A project's own migrations may depend on each of 1.1.1's six."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from tests import databases

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def app(settings):
    """An app with keys to all three models, and a proxy. Its tables are dropped in the end."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.dependents"]
    apps.clear_cache()  # Our models have not heard of the keys to them.
    yield "dependents"
    call_command("migrate", "dependents", "zero", verbosity=0)
    settings.INSTALLED_APPS = settings.INSTALLED_APPS[:-1]
    apps.clear_cache()


def use():
    """Write a row that refers to rows of ours."""
    from tests.dependents.models import Room, Visitor

    room = Room.objects.create(gateway=ApiGateway.objects.create(api_name="New"))
    session = WebSocketSession.objects.create(connection_id="new=", api_gateway=room.gateway)
    room.sessions.add(session)
    assert list(Visitor.objects.filter(room=room)) == [session]
    room.gateway.delete()
    session.delete()


def test_they_are_applied_to_a_new_database_and_taken_back(app):
    with databases.without_own_tables():
        call_command("migrate", verbosity=0, skip_checks=False)
        use()
        call_command("migrate", app, "zero", verbosity=0)


def test_they_are_applied_to_a_database_of_1_1_1(app):
    with databases.without_own_tables():
        databases.make_1_1_1()
        call_command("migrate", verbosity=0, skip_checks=False)
        use()
        call_command("migrate", app, "zero", verbosity=0)


def test_a_project_that_1_1_1_has_migrated_gets_what_is_new_alone(app):
    with databases.without_own_tables():
        databases.make_1_1_1()
        call_command("migrate", app, verbosity=0)
        out = StringIO()
        call_command("migrate", stdout=out, no_color=True)
        applied = [line.split()[1] for line in out.getvalue().splitlines() if "Applying" in line]
        assert [name.partition(".")[2][:4] for name in applied] == ["0007", "0008", "0009"]
        call_command("migrate", app, "zero", verbosity=0)


def test_taking_back_ours_takes_theirs_with_it(app):
    with databases.without_own_tables():
        call_command("migrate", verbosity=0)
        call_command("migrate", databases.APP, "zero", verbosity=0)
        call_command("migrate", verbosity=0)
        use()
        call_command("migrate", app, "zero", verbosity=0)


def test_nothing_is_left_for_makemigrations(app):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_they_can_be_squashed(app, tmp_path, monkeypatch, settings):
    package = tmp_path / "squashed"
    shutil.copytree(Path(__file__).parent / app / "migrations", package)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {app: "squashed"}
    call_command("squashmigrations", app, "0002", interactive=False, verbosity=0)
    assert list(package.glob("0001_*squashed*.py"))
    call_command("migrate", verbosity=0)
    use()
