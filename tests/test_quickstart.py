"""The quickstart's chat works when it is made step by step, and testing.rst tests it."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.quickstart import DEADLINE, fetch, make_project, running_chat


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("quickstart"))


@pytest.fixture(scope="module")
def conftest(project):
    project.write("testing-conftest")


def run_tests(project, label):
    return project.run(sys.executable, "manage.py", "test", label)


def run_pytest(project, file):
    options = ("-p", "no:cacheprovider", "-W", "error", "--ds=mysite.settings")
    return project.run(sys.executable, "-m", "pytest", file, *options)


def test_the_project_passes_djangos_checks(project):
    project.run(sys.executable, "manage.py", "check", "--fail-level=WARNING")


def test_the_examples_of_the_testing_page_pass_in_a_testcase(project):
    project.write("testing-testcase")
    project.write("testing-refusal")
    project.write("testing-closed")
    assert re.search(r"^Ran 5 tests in ", run_tests(project, "chat.tests"), re.M)


def test_the_examples_of_the_testing_page_pass_with_pytest(project, conftest):
    project.write("testing-pytest")
    assert " 2 passed" in run_pytest(project, "test_chat.py")


def test_the_examples_with_real_sockets_pass_in_a_testcase(project):
    pytest.importorskip("websockets")
    project.write("testing-live")
    project.write("testing-inject")
    assert re.search(r"^Ran 2 tests in ", run_tests(project, "chat.test_live"), re.M)


def test_the_example_with_real_sockets_passes_with_pytest(project, conftest):
    pytest.importorskip("websockets")
    project.write("testing-live-pytest")
    assert " 1 passed" in run_pytest(project, "test_live.py")


def test_who_follows_the_quickstart_can_chat(project):
    connect = pytest.importorskip("websockets.sync.client").connect
    with running_chat(project) as page:
        found = re.search(r'id="websocket-url" type="application/json">(.*)</script>', fetch(page))
        socket_url = json.loads(found[1])
        options = {"origin": page.rstrip("/"), "proxy": None, "open_timeout": DEADLINE}
        with connect(socket_url, **options) as one, connect(socket_url, **options) as other:
            one.send(json.dumps({"action": "chat", "text": "hello"}))
            received = [json.loads(socket.recv(DEADLINE)) for socket in (one, other)]
    assert received == [{"from": "guest", "text": "hello"}] * 2
