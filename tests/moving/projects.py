"""A project that was written for another release, on a database of the suite's server.

With TRIAL_PYTHON as the Python of an environment that holds the other release, everything runs
there instead: so it is seen that the project's tests pass on what it was written for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Iterator

from django.db import DEFAULT_DB_ALIAS, ConnectionHandler
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.pages import ROOT
from tests.settings import DATABASES

#: Seconds after which a command has failed to end.
DEADLINE = 300

#: A port that nobody listens on: nothing that a project sends leaves the machine.
NOWHERE = "http://127.0.0.1:9"


class Project:
    """A copy of a project, the database that it is on, and its manage.py."""

    def __init__(self, source: Path, directory: Path, database: str) -> None:
        self.directory = directory / "project"
        shutil.copytree(source, self.directory)
        self.database = database
        self.environment = {
            **os.environ,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HTTPS_PROXY": NOWHERE,
            # Each command would compile the package anew.
            "PYTHONDONTWRITEBYTECODE": "",
            "TRIAL_DATABASE": database,
        }
        del self.environment["DJANGO_SETTINGS_MODULE"]
        self.python = os.environ.get("TRIAL_PYTHON", sys.executable)
        if self.python == sys.executable:
            self.environment["PYTHONPATH"] = str(ROOT)

    def try_to(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py; return how it ended and what it printed."""
        return subprocess.run(
            [self.python, "manage.py", *arguments, "--no-color"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=DEADLINE,
        )

    def manage(self, *arguments: str) -> str:
        """Run manage.py; return what it printed."""
        done = self.try_to(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextmanager
    def connected(self) -> Iterator[BaseDatabaseWrapper]:
        with connect(self.database) as connection:
            yield connection

    def rows(self, tables: list[str]) -> dict[str, list[dict[str, Any]]]:
        """{table: its rows}, each row as {column: value}."""
        found = {}
        with self.connected() as connection, connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - a test's own names
                columns = [column[0] for column in cursor.description]
                rows = [dict(zip(columns, row)) for row in cursor.fetchall()]
                found[table] = sorted(rows, key=lambda row: row["id"])
        return found

    def tables(self) -> list[str]:
        with self.connected() as connection:
            return connection.introspection.table_names()

    def columns(self, table: str) -> set[str]:
        with self.connected() as connection, connection.cursor() as cursor:
            described = connection.introspection.get_table_description(cursor, table)
        return {column.name for column in described}

    def execute(self, file: Path) -> None:
        """Run the statements of a file of SQL."""
        lines = file.read_text(encoding="utf-8").splitlines()
        code = "\n".join(line for line in lines if not line.startswith("--"))
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in filter(None, map(str.strip, re.split(r";(?:\n|$)", code))):
                cursor.execute(statement)


@contextmanager
def connect(name: Any) -> Iterator[BaseDatabaseWrapper]:
    """A connection to another database of the suite's server, or to a file."""
    handler = ConnectionHandler({DEFAULT_DB_ALIAS: {**DATABASES["default"], "NAME": name}})
    with closing(handler[DEFAULT_DB_ALIAS]) as connection:
        yield connection


@contextmanager
def new_database(directory: Path) -> Iterator[str]:
    """Make an empty database; yield its name; drop it."""
    if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield str(directory / "db.sqlite3")
        return
    name = f"moving_{os.getpid()}_{abs(hash(directory)) % 10_000}"
    with connect(None) as connection, connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        with connect(None) as connection, connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
