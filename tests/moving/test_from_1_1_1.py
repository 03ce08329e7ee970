"""A project that was written for 1.1.1 runs on this package: its user changes one line.

    pytest tests/moving

runs the trial alone. The project is in project_1_1_1, with its own tests. It has a database as
1.1.1 left it, and is then run with this package, as a user would.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection

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
    with django_db_blocker.unblock():
        made = []

        def make():
            directory = tmp_path_factory.mktemp("moving")
            database = new_database(directory)
            project = Project(SOURCE, directory, database.__enter__())
            made.append(database)
            project.manage("migrate", "--settings=mysite.settings_before", "--verbosity=0")
            project.execute(SCHEMA / f"{connection.vendor}.sql")
            project.execute(SOURCE / "database" / f"{connection.vendor}.sql")
            project.execute(SOURCE / "database" / "rows.sql")
            return project

        yield make
        for database in made:
            database.__exit__(None, None, None)


@pytest.fixture(scope="module")
def rows_of_1_1_1():
    """{table: rows}, filled before the move."""
    return {}


@pytest.fixture(scope="module")
def moved(old_project, rows_of_1_1_1):
    """The project after ``migrate`` by this package."""
    project = old_project()
    rows_of_1_1_1.update(project.rows(KEPT))
    project.manage("migrate")
    return project


@pytest.fixture(scope="module")
def results(old_project):
    """{test: how it ended} of the project's own tests, and all that they printed."""
    project = old_project()
    printed = project.try_to("test", "--verbosity=2", "--noinput").stdout
    ended = re.findall(r"^(test_\w+) \(.*?\) \.\.\.(?:.*\n)*?.*?(ok|FAIL|ERROR)$", printed, re.M)
    return dict(ended), printed


def same_columns(rows, before):
    """Rows without the columns that were added."""
    names = set(before[0])
    return [{name: value for name, value in row.items() if name in names} for row in rows]


# Its database


def test_each_command_that_reads_the_migrations_runs(old_project):
    project = old_project()
    project.manage("check")
    assert "[X] 0006_auto_20221215_0847" in project.manage("showmigrations", APP)
    assert "[X] 0002_a_lobby_for_each_gateway" in project.manage("showmigrations", "chat")
    project.manage("migrate", "--plan")
    project.manage("sqlmigrate", "chat", "0001")


def test_migrate_brings_an_old_database_up_to_date(moved):
    moved.manage("migrate", "--check")
    assert "[ ]" not in moved.manage("showmigrations")


def test_no_migration_is_missing(moved):
    moved.manage("makemigrations", "--check", "--dry-run")


def test_all_that_the_project_kept_is_there(moved, rows_of_1_1_1):
    after = moved.rows(KEPT)
    for table, before in rows_of_1_1_1.items():
        assert before
        assert same_columns(after[table], before) == before


def test_a_fixture_of_1_1_1_is_loaded(old_project, moved, rows_of_1_1_1):
    project = old_project()
    project.manage("migrate", "--verbosity=0")
    project.manage("flush", "--noinput")
    project.manage("loaddata", "chat")
    after = project.rows(KEPT)
    for table, before in rows_of_1_1_1.items():
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
    assert re.search(r"\[X\] 0001_squashed_0002\w* \(2 squashed migrations\)", shown)


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


def test_the_projects_own_tests_pass(results):
    ended, printed = results
    failed = {name: end for name, end in ended.items() if end != "ok"}
    assert failed == {}
    assert re.search(r"^Ran \d{3} tests in ", printed, re.M), printed
    assert re.search(r"^OK$", printed, re.M), printed
