"""Fixtures for commands that are started as programs: a site of their own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A copy of the test's database as it is now, in an SQLite file; AWS is the test's edge."""

    def __init__(self, folder, edge):
        self.file = folder / "site.sqlite3"
        copy = sqlite3.connect(self.file)
        connection.connection.backup(copy)
        copy.close()
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.file)}
        (folder / "site_settings.py").write_text(
            "from tests.settings import *\n"
            f"DATABASES = {{'default': {database!r}}}\n"
            f"AWS_GATEWAY_ENDPOINT_URL = {edge.url!r}\n"
        )
        settings = {"PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "site_settings"}
        self.environment = {**os.environ, **settings}
        self.started = []

    def start(self, *arguments, **streams):
        """Start a command, with pipes where nothing else is said."""
        process = subprocess.Popen(
            [sys.executable, "-m", "django", *arguments],
            env=self.environment,
            cwd=ROOT,
            universal_newlines=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )
        self.started.append(process)
        return process


@pytest.fixture
def open_site(edge, tmp_path):
    """``open_site()`` copies the database, for which the test has to be transactional."""
    if connection.vendor != "sqlite":
        pytest.skip("It copies an SQLite database")
    sites = []

    def start():
        sites.append(Site(tmp_path, edge))
        return sites[-1]

    yield start
    for site in sites:
        for process in site.started:
            with process:  # It waits for the program, and closes its pipes.
                process.kill()
