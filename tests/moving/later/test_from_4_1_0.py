"""A site of 4.1.0 comes here by one command more, as its user would do it.

The site is in project_4_1_0, with a table of its own that refers to ours and tests of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import DEFAULT_DB_ALIAS, ConnectionHandler, connection

from tests.databases import APP
from tests.pages import ROOT
from tests.settings import DATABASES

SOURCE = Path(__file__).parent / "project_4_1_0"
OWN_TABLES = Path(__file__).parent / "own_tables.sql"
DROP = "--drop-channel-permissions"
KEPT = [
    "auth_user",
    "news_desk",
    "news_desk_readers",
    f"{APP}_apigateway",
    f"{APP}_apigatewayadditionalroute",
    f"{APP}_websocketsession",
]
THEIRS = "0015_alter_apigateway_provisioning_status"


class Site:
    """A copy of the project, its manage.py and its database."""

    def __init__(self, directory, database):
        self.directory = directory / "site"
        shutil.copytree(SOURCE, self.directory)
        self.database = database
        self.environment = {
            **os.environ,
            "TRIAL_DATABASE": json.dumps(database, default=str),
            "PYTHONPATH": str(ROOT),
        }

    def manage(self, *arguments, fails=False):
        """Run manage.py, which must succeed or fail; what it printed."""
        run = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--no-color"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert bool(run.returncode) == fails, run.stdout
        assert "Traceback" not in run.stdout
        return run.stdout

    def query(self, query):
        with open_database(self.database) as opened, opened.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def counts(self):
        """How many rows there are in each table that stays."""
        return {table: self.query(f"SELECT COUNT(*) FROM {table}") for table in KEPT}  # noqa: S608

    @property
    def own_migration(self):
        return self.directory / "news" / "migrations" / "0001_initial.py"

    def mend_dependency(self):
        """Do what E032 says."""
        code = self.own_migration.read_text(encoding="utf-8")
        mended = code.replace(THEIRS, "0006_auto_20221215_0847")
        self.own_migration.write_text(mended, encoding="utf-8")


@contextmanager
def open_database(settings):
    handler = ConnectionHandler({DEFAULT_DB_ALIAS: settings})
    with closing(handler[DEFAULT_DB_ALIAS]) as opened:
        yield opened


@pytest.fixture
def database(tmp_path, django_db_blocker):
    """The settings of a new database on the suite's server."""
    settings = DATABASES["default"]
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            yield {**settings, "NAME": tmp_path / "db.sqlite3"}
            return
        name = f"later_{os.getpid()}"
        with open_database({**settings, "NAME": None}) as server:
            with server._nodb_cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name}")
            yield {**settings, "NAME": name}
            with server._nodb_cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def site(tmp_path, database):
    """The site with the database of 4.1.0, and this package in the place of 4.1.0."""
    site = Site(tmp_path, database)
    migration = site.own_migration.read_text(encoding="utf-8")
    site.mend_dependency()
    for app in ("auth", "sessions"):
        site.manage("migrate", app, "--skip-checks")
    site.own_migration.write_text(migration, encoding="utf-8")
    program = (
        "from pathlib import Path\n"
        "from tests import databases\n"
        "databases.make_later('4.1.0')\n"
        f"databases.run(Path({str(OWN_TABLES)!r}))\n"
    )
    site.manage("shell", "-c", program)
    return site


def test_it_is_told_what_to_do_step_by_step_and_then_runs(site):
    before = site.counts()

    assert "E032" in site.manage("migrate", fails=True)
    told = site.manage("adoptLaterRelease", "--dry-run", fails=True)
    assert f"news.0001_initial depends on {THEIRS}" in told
    site.mend_dependency()

    told = site.manage("migrate", fails=True)
    assert "E030" in told
    assert "Run manage.py adoptLaterRelease --dry-run" in told

    told = site.manage("adoptLaterRelease", "--dry-run", fails=True)
    method = told[told.index("def can_join_channel") :]
    with (site.directory / "news" / "views.py").open("a", encoding="utf-8") as file:
        file.write("\n" + textwrap.indent(method, "    "))
    told = site.manage("adoptLaterRelease", "--dry-run", DROP)
    assert f"Would drop the table {APP}_channelpermission." in told
    assert site.counts() == before

    assert "Adopted." in site.manage("adoptLaterRelease", DROP)
    site.manage("migrate")
    assert "no issues" in site.manage("check", "--database", "default")
    assert "No changes detected" in site.manage("makemigrations", "--check", "--dry-run")
    assert "Adopted already" in site.manage("adoptLaterRelease")
    assert site.counts() == before

    assert "OK" in site.manage("test")


def test_its_users_can_be_deleted_and_stale_content_types_removed(site):
    site.mend_dependency()
    site.manage("adoptLaterRelease", DROP)
    site.manage("migrate")
    site.manage("remove_stale_contenttypes", "--noinput")
    delete = "from django.contrib.auth.models import User; User.objects.all().delete()"
    site.manage("shell", "-c", delete)
    assert [count for (count,) in site.query("SELECT COUNT(*) FROM auth_user")] == [0]
