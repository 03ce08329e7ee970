"""A project that was written for 1.1.1 runs on this package: its user changes one line.

    pytest tests/moving

runs the trial alone. The project is in project_1_1_1, with its own tests. It has a database as
1.1.1 left it, and is then run with this package, as a user would.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection

from tests.moving.facts import FACTS
from tests.moving.projects import Project, new_database

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "project_1_1_1"
SCHEMA = HERE.parent / "schema_1_1_1"

APP = "django_aws_api_gateway_websockets"
#: The tables whose rows were there when the package was changed.
KEPT = [
    "auth_user",
    f"{APP}_apigateway",
    f"{APP}_apigatewayadditionalroute",
    f"{APP}_websocketsession",
    "chat_room",
    "chat_room_listeners",
    "chat_message",
    "chat_presence",
]


@pytest.fixture(scope="module")
def old_project(tmp_path_factory, django_db_blocker):
    """Makes the project, on a database that 1.1.1 has left."""
    with django_db_blocker.unblock(), ExitStack() as made:
        template = None

        def make():
            nonlocal template
            directory = tmp_path_factory.mktemp("moving")
            project = Project(SOURCE, directory, made.enter_context(new_database(directory)))
            if template is None:
                fill(project)
            else:
                shutil.copy(template, project.database)
            if connection.vendor == "sqlite":
                template = shutil.copy(project.database, directory / "template.sqlite3")
            return project

        yield make


def fill(project):
    """Make the tables and rows that 1.1.1 left."""
    project.manage("migrate", "--settings=mysite.settings_before", "--verbosity=0")
    project.execute(SCHEMA / f"{connection.vendor}.sql")
    project.execute(SOURCE / "database" / f"{connection.vendor}.sql")
    project.execute(SOURCE / "database" / "rows.sql")


@pytest.fixture(scope="module")
def moved(old_project):
    """The project after ``migrate`` by this package; its rows before; what was printed."""
    project = old_project()
    rows = project.rows(KEPT)
    printed = [
        project.manage(*command)
        for command in (["check"], ["showmigrations"], ["migrate", "--plan"], ["migrate"])
    ]
    return project, rows, printed


@pytest.fixture(scope="module")
def printed_by_tests(tmp_path_factory):
    """What the project's own tests print; its runner makes their database."""
    project = Project(SOURCE, tmp_path_factory.mktemp("moving"), f"moving_{os.getpid()}")
    return project.try_to("test", "--verbosity=2", "--noinput").stdout


def same_columns(rows, before):
    """Rows without the columns that were added."""
    names = set(before[0])
    return [{name: value for name, value in row.items() if name in names} for row in rows]


# Its database


def test_each_command_that_reads_the_migrations_runs(moved):
    _, _, (checked, shown, _, _) = moved
    assert "no issues" in checked
    assert "[X] 0006_auto_20221215_0847" in shown
    assert "[X] 0002_a_lobby_for_each_gateway" in shown


def test_migrate_brings_an_old_database_up_to_date(moved):
    project, _, _ = moved
    assert "[ ]" not in project.manage("showmigrations")


def test_no_migration_is_missing(moved):
    project, _, _ = moved
    project.manage("makemigrations", "--check", "--dry-run")


def test_all_that_the_project_kept_is_there(moved):
    project, rows, _ = moved
    after = project.rows(KEPT)
    for table, before in rows.items():
        assert before
        assert same_columns(after[table], before) == before


def test_a_fixture_of_1_1_1_is_loaded(old_project):
    project = old_project()
    rows = project.rows(KEPT)
    project.manage("migrate", "--verbosity=0")
    project.manage("flush", "--noinput")
    project.manage("loaddata", "chat")
    after = project.rows(KEPT)
    for table, before in rows.items():
        # A link has no number of its own in a fixture.
        ignored = {"id"} if table == "chat_room_listeners" else set()
        wanted = [{k: v for k, v in row.items() if k not in ignored} for row in before]
        assert same_columns(after[table], wanted) == wanted


def test_the_projects_migrations_are_squashed(old_project):
    project = old_project()
    project.manage("squashmigrations", "chat", "0001", "0002", "--noinput")
    project.manage("migrate")
    project.manage("makemigrations", "--check", "--dry-run")
    shown = project.manage("showmigrations", "chat")
    assert re.search(r"\[X\] 0001_\w*squashed_0002\w* \(2 squashed migrations\)", shown)


def test_the_migrations_go_back_to_1_1_1_and_to_nothing(old_project):
    project = old_project()
    tables = {table: project.columns(table) for table in KEPT}
    rows, names = project.rows(KEPT), set(project.tables())
    project.manage("migrate", "--verbosity=0")
    project.manage("migrate", APP, "0006_auto_20221215_0847")
    assert {table: project.columns(table) for table in KEPT} == tables
    assert (project.rows(KEPT), set(project.tables())) == (rows, names)
    project.manage("migrate", "chat", "zero")
    project.manage("migrate", APP, "zero")
    assert [name for name in project.tables() if name.startswith((APP, "chat_"))] == []


# Its own tests


def test_the_projects_own_tests_pass(printed_by_tests):
    failed = re.findall(r"^(?:FAIL|ERROR): (test_\w+)", printed_by_tests, re.M)
    assert sorted(set(failed)) == [], printed_by_tests
    assert re.search(r"^Ran \d{3} tests in ", printed_by_tests, re.M), printed_by_tests
    assert re.search(r"^OK$", printed_by_tests, re.M), printed_by_tests


def test_each_test_that_a_fact_names_has_run(printed_by_tests):
    ran = set(re.findall(r"^(test_\w+) \(", printed_by_tests, re.M))
    named = {name for fact in FACTS for name in fact.tests.split() if name not in globals()}
    assert named - ran == set()
