"""The check finds what a later release has left, before migrate fails on it."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from django_aws_api_gateway_websockets.checks import check_databases
from tests import databases
from tests.databases import APP, state

pytestmark = pytest.mark.django_db(transaction=True)

DROP = "--drop-channel-permissions"


@pytest.mark.parametrize("release", ["3.0.0", "4.0.0", "4.1.0"])
@pytest.mark.parametrize("command", ["check", "migrate"])
def test_it_names_the_command_to_run(later, release, command):
    later(release)
    before = state()
    options = {"databases": ["default"]} if command == "check" else {"skip_checks": False}
    with pytest.raises(SystemCheckError, match="E030") as problem:
        call_command(command, **options)
    assert "Release 3.x or 4.x has used this database" in str(problem.value)
    assert "Run manage.py adoptLaterRelease --dry-run, and then" in str(problem.value)
    assert state() == before


def test_it_is_silent_after_the_command(later, adopt):
    later("4.1.0")
    adopt(DROP)
    assert check_databases(None, databases=["default"]) == []


def test_it_finds_tables_after_our_migrate_too(later):
    later("4.0.0")
    call_command("migrate", verbosity=0)
    (problem,) = check_databases(None, databases=["default"])
    assert f"{APP}_websockettoken and" in problem.msg


def test_migrate_without_checks_gives_the_reason_and_changes_nothing(later):
    later("4.1.0")
    before = state()
    with pytest.raises(CommandError, match=r"has used this database.*adoptLaterRelease"):
        call_command("migrate", verbosity=0)
    assert state() == before


@pytest.mark.parametrize("release", ["1.1.1", "none", "ours"])
def test_other_databases_are_fine(later, release):
    if release == "1.1.1":
        databases.make_1_1_1()
    elif release == "ours":
        call_command("migrate", verbosity=0)
    assert check_databases(None, databases=["default"]) == []


def test_the_command_has_nothing_to_do_with_a_database_of_1_1_1(later, adopt):
    databases.make_1_1_1()
    before = state()
    assert "There is nothing to adopt" in adopt()
    assert state() == before


def test_a_check_without_databases_asks_none(later):
    later("4.1.0")
    call_command("check", stderr=StringIO())
    assert check_databases(None) == []


def test_a_database_that_cannot_be_reached_is_no_problem_of_ours():
    program = (
        "import django\n"
        "from tests import settings\n"
        "sqlite = 'django.db.backends.sqlite3'\n"
        "settings.DATABASES['default'] = {'ENGINE': sqlite, 'NAME': '/nowhere/at/all'}\n"
        "django.setup()\n"
        "from django_aws_api_gateway_websockets.checks import check_databases\n"
        "assert check_databases(None, databases=['default']) == []\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_a_migration_that_depends_on_one_of_theirs_is_named(settings, adopt):
    settings.MIGRATION_MODULES = {"dependents": "tests.dependents.of_4_1_0.migrations"}
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.dependents"]
    try:
        (problem,) = check_databases(None, databases=["default"])
        with pytest.raises(CommandError) as reason:
            adopt()
    finally:
        settings.INSTALLED_APPS = settings.INSTALLED_APPS[:-1]
    assert problem.id.endswith("E032")
    theirs = "0015_alter_apigateway_provisioning_status"
    assert f"dependents.0001_initial depends on {theirs}" in problem.msg
    assert f"dependents.0001_initial depends on {theirs}" in str(reason.value)
    for text in (problem.hint, str(reason.value)):
        assert f'Let it depend on ("{APP}", "0006_auto_20221215_0847") in its place.' in text
