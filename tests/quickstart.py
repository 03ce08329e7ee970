"""The quickstart's chat: its project, made as the page says, and its three terminals."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urlsplit

from tests.pages import BLOCKS, ROOT

#: Seconds after which what a test waits for has failed to happen.
DEADLINE = 60

#: What startproject and startapp write and the page replaces.
REPLACED = ("chat/views.py", "chat/tests.py", "mysite/urls.py")
FILES = ("quickstart-settings", "quickstart-views", "quickstart-template", "quickstart-urls")


class Project:
    """A directory with a Django project, and the commands of the pages run in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        ours = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        self.options: Any = {
            "cwd": directory,
            "env": {**os.environ, **ours},
            "stderr": subprocess.STDOUT,
            "text": True,
        }
        self.options["env"].pop("DJANGO_SETTINGS_MODULE", None)

    def run(self, *command: str, given: str = "") -> str:
        """Run a command to its end; return what it printed."""
        done = subprocess.run(
            command,
            input=given,
            stdout=subprocess.PIPE,
            check=False,
            timeout=DEADLINE,
            **self.options,
        )
        assert done.returncode == 0, done.stdout
        return str(done.stdout)

    def follow(self, name: str, given: str = "") -> str:
        """Run a page's commands, but for those that install; return what they printed."""
        commands = [command for command in commands_of(name) if "pip" not in command]
        return "".join(self.run(*command, given=given) for command in commands)

    def write(self, name: str) -> None:
        """Add a block to the file that its caption names."""
        file = self.directory / BLOCKS[name].caption
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{BLOCKS[name].code}")

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.directory / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def commands_of(name: str) -> list[list[str]]:
    lines = [line[2:].split() for line in BLOCKS[name].code.splitlines() if line.startswith("$ ")]
    return [[sys.executable, *command[1:]] for command in lines]


def make_project(directory: Path) -> Project:
    """Make the project as it is before anything runs."""
    project = Project(directory)
    project.follow("quickstart-install")
    for generated in REPLACED:
        (directory / generated).unlink()
    for name in FILES:
        project.write(name)
    return project


@contextmanager
def running_chat(project: Project) -> Iterator[str]:
    """Start the gateway and the site and make the gateway's row; yield the page's URL."""
    with ExitStack() as terminals:
        (command,) = commands_of("quickstart-gateway")
        ports = ("--socket-port=0", "--control-port=0")
        gateway = terminals.enter_context(running(project, *command, *ports))
        endpoint = gateway.wait_for(r'AWS_GATEWAY_ENDPOINT_URL = "(\S+)"')
        project.replace("mysite/settings.py", "http://127.0.0.1:9001", endpoint)

        migrate, command = commands_of("quickstart-site")
        project.run(*migrate)
        site = f"127.0.0.1:{free_port()}"
        # Without the reloader it is one process, which can be stopped.
        terminals.enter_context(running(project, *command, "--noreload", site)).wait_for(
            "Quit the server"
        )
        row = BLOCKS["quickstart-row"].code
        assert "http://127.0.0.1:8000/ws/" in row
        project.follow("quickstart-create", given=row.replace("127.0.0.1:8000", site))
        project.follow("quickstart-provision")
        yield f"http://{site}/"


class Running:
    """A command that goes on; its output is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output = ""
        self._changed = threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with self._changed:
                self.output += line
                self._changed.notify_all()

    def wait_for(self, pattern: str) -> str:
        """Return what the pattern's group, or the pattern, has found in the output."""
        with self._changed:
            found = self._changed.wait_for(lambda: re.search(pattern, self.output), DEADLINE)
            assert found, self.output
            return str(found[found.re.groups])


@contextmanager
def running(project: Project, *command: str) -> Iterator[Running]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, **project.options) as process:
        started = Running(process)
        try:
            yield started
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            finally:
                process.kill()
                started.reader.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> str:
    page = urlsplit(url)
    connection = HTTPConnection(page.netloc, timeout=DEADLINE)
    try:
        connection.request("GET", page.path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
