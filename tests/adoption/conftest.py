from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from tests import databases


@pytest.fixture
def own_tables():
    """The shape of the tables of a new database of ours."""
    return databases.shape()


@pytest.fixture
def later(own_tables):
    """``later("4.1.0")`` makes the database of that release in the place of ours."""
    with databases.without_own_tables():
        yield databases.make_later


@pytest.fixture
def adopt():
    """``adopt("--dry-run")`` runs the command; what it prints."""

    def run(*arguments):
        out = StringIO()
        call_command("adoptLaterRelease", *arguments, stdout=out, no_color=True)
        return out.getvalue()

    return run
