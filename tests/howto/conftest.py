"""The project of the page that a module of tests is about, and a Node.js to run its scripts."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from functools import partial

import pytest

from tests.howto import project as projects
from tests.howto.window import run_script


@pytest.fixture(scope="session")
def all_projects():
    return {page: projects.Project(page) for page in projects.TEXTS}


@pytest.fixture(scope="module")
def project(request, all_projects, tmp_path_factory, django_db_setup, django_db_blocker):
    """The page's project, in service."""
    project = all_projects[projects.page_of(request.module.__name__)]
    with ExitStack() as undo:
        undo.enter_context(project.in_service(tmp_path_factory.mktemp(project.page)))
        with django_db_blocker.unblock():
            made = undo.enter_context(ExitStack())
            made.enter_context(projects.tables(project.apps))
        yield project
        with django_db_blocker.unblock():
            made.close()


@pytest.fixture(scope="session")
def node():
    """``node(script, *files)`` runs the script after the files, and returns what it prints."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not on PATH")
    return projects.node


@pytest.fixture
def script(node, tmp_path):
    """``script(page, story)`` runs the page's script with the client; see window.py."""
    return partial(run_script, tmp_path)


@pytest.fixture
def connect(project, websocket):
    """``connect(user, ...)`` opens a connection to the project's view at /ws/."""
    return lambda user=None, **options: websocket("/ws/", user=user, **options)
