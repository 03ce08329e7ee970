"""The quickstart's chat works when it is made step by step, and testing.rst tests it."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec

import pytest

from tests.quickstart import DEADLINE, fetch, make_project, running_chat

#: The examples with real sockets are for Python 3.10 and newer.
HAS_SOCKETS = find_spec("websockets") is not None

#: So is moto, which not every environment has.
HAS_MOTO = find_spec("moto") is not None


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("quickstart"))


def test_the_project_passes_djangos_checks(project):
    project.run(sys.executable, "manage.py", "check", "--fail-level=WARNING")


def test_the_examples_of_the_testing_page_pass_in_a_testcase(project):
    labels = {"chat.tests": 6, "chat.test_mocks": 3}
    for name in ("testing-testcase", "testing-refusal", "testing-closed", "testing-text"):
        project.write(name)
    for name in ("mocks-patch", "mocks-stubber", "mocks-hook"):
        project.write(name)
    if HAS_MOTO:
        project.write("moto-send")
        project.write("moto-create")
        labels["chat.test_moto"] = 2
    if HAS_SOCKETS:
        project.write("testing-live")
        project.write("testing-inject")
        labels["chat.test_live"] = 2
    printed = project.run(sys.executable, "manage.py", "test", "--verbosity=2", *labels)
    for label, number in labels.items():
        assert len(re.findall(rf"^test_\w+ \({label}\.", printed, re.M)) == number
    assert re.search(rf"^Ran {sum(labels.values())} tests in ", printed, re.M)


def test_the_examples_of_the_testing_page_pass_with_pytest(project):
    files = {"test_chat.py": 2}
    for name in ("testing-conftest", "testing-pytest"):
        project.write(name)
    if HAS_SOCKETS:
        project.write("testing-live-pytest")
        files["test_live.py"] = 1
    options = ("-rA", "-p", "no:cacheprovider", "-W", "error", "--ds=mysite.settings")
    printed = project.run(sys.executable, "-m", "pytest", *files, *options)
    for file, number in files.items():
        assert len(re.findall(rf"^PASSED {file}::", printed, re.M)) == number
    assert f" {sum(files.values())} passed" in printed


def test_who_follows_the_quickstart_can_chat(project):
    connect = pytest.importorskip("websockets.sync.client").connect
    with running_chat(project) as page:
        found = re.search(r'id="websocket" type="application/json">(.*)</script>', fetch(page))
        socket_url = json.loads(found[1])["url"]
        options = {"origin": page.rstrip("/"), "proxy": None, "open_timeout": DEADLINE}
        with connect(socket_url, **options) as one, connect(socket_url, **options) as other:
            one.send(json.dumps({"action": "chat", "text": "hello"}))
            received = [json.loads(socket.recv(DEADLINE)) for socket in (one, other)]
    assert received == [{"from": "guest", "text": "hello"}] * 2
