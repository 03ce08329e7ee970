"""The programs that the tests on real queues run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from django.db import connection

from tests.workers.edge import DEADLINE

ROOT = Path(__file__).resolve().parent.parent.parent

#: How a worker of each backend is started. One task at a time, so that a test can tell what a
#: worker was doing when it was killed.
WORKERS = {
    "celery": ["-m", "celery", "--app=tests.workers.celery", "worker", "--concurrency=1"],
    "django": ["-m", "django", "db_worker", "--interval=0.2", "--no-reload"],
}

BROADCAST = """
import sys, django
django.setup()
from django_aws_api_gateway_websockets.models import WebSocketSession
data = {"text": "hello"}
print(WebSocketSession.objects.broadcast(data, at_most_once=sys.argv[1] == "True").pk)
"""


class World:
    """The workers and whoever else uses the queue of one task backend."""

    def __init__(self, backend: str, prefix: str, redis: str) -> None:
        self.backend = backend
        self.variables = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.workers.settings",
            "WORKERS_DATABASE": connection.settings_dict["NAME"],
            "WORKERS_BACKEND": backend,
            "WORKERS_PREFIX": prefix,
            "WORKERS_REDIS": redis,
            "WORKERS_VISIBILITY": "4",
        }
        # Development mode would measure itself.
        self.variables.pop("PYTHONDEVMODE", None)

    def start(self, *arguments: str, edge: str = "http://127.0.0.1:1") -> subprocess.Popen:
        """Start Python in a process group of its own, which can be killed as a whole."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self.variables, "WORKERS_EDGE": edge},
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        """Run Python to its end; return what it printed."""
        with self.start(*arguments) as program:
            output, _ = program.communicate(timeout=DEADLINE)
        assert program.returncode == 0, output
        return output

    @contextmanager
    def workers(self, urls: dict) -> Iterator[dict]:
        """A worker for each of these edges; killed in the end."""
        programs = {
            name: self.start(*WORKERS[self.backend], edge=url) for name, url in urls.items()
        }
        try:
            yield programs
        finally:
            for program in programs.values():
                kill(program)


def kill_children(program: subprocess.Popen) -> None:
    """Kill the processes of its pool, and not itself."""
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    assert children
    for child in children:
        os.kill(int(child), signal.SIGKILL)


def kill(program: subprocess.Popen) -> None:
    """Kill the program and its children with SIGKILL, unless that has been done."""
    if program.returncode is None:
        os.killpg(program.pid, signal.SIGKILL)
    program.communicate(timeout=DEADLINE)
