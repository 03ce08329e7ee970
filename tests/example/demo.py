"""The demo as a program: copied, started, listened to and ended. Knows nothing of its inside."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.settings import PASSWORD_HASHERS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "django_aws_api_gateway_websockets"

#: Seconds for whatever the demo is waited for.
PATIENCE = 30


class Demo:
    """One copy of the demo and of the package, whose code a test may change."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "example"
        ours = shutil.ignore_patterns("*.sqlite3*")
        shutil.copytree(ROOT / "example", self.directory, ignore=ours)
        shutil.copytree(ROOT / PACKAGE, directory / PACKAGE)
        # The demo's users are no secret; their hashes may be fast ones.
        with (self.directory / "chat" / "settings.py").open("a", encoding="utf-8") as settings:
            settings.write(f"\nPASSWORD_HASHERS = {PASSWORD_HASHERS!r}\n")
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(directory),
            "PYTHONFAULTHANDLER": "1",
        }
        self.sockets_code = self.directory / "chat" / "sockets.py"
        self.port = free_port()
        self.lines: list[str] = []
        self._news = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start the program, in a process group as a shell would."""
        self.lines.clear()
        self.process = subprocess.Popen(
            [sys.executable, str(self.directory / "run.py"), "--port", str(self.port)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self) -> None:
        """Start the program and wait until it says that the site answers."""
        self.launch()
        self.wait_for(f"The demo is at {self.url}/")

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until the output holds so many lines with that text."""
        with self._news:
            self._news.wait_for(lambda: self.count(text) >= times or self._has_ended(), PATIENCE)
        assert self.count(text) >= times, f"{text!r} is not in the output:\n{self.output}"

    def reload_with(self, code: str) -> None:
        """Write sockets.py, and again until Django's autoreloader sees it.

        What changes before its first look, shortly after Django's start, it takes for unchanged.
        """
        reloads = self.count("changed, reloading")
        deadline = time.monotonic() + PATIENCE
        while self.count("changed, reloading") == reloads:
            assert time.monotonic() < deadline, f"Django does not reload:\n{self.output}"
            self.sockets_code.write_text(code)
            with self._news:
                self._news.wait_for(lambda: self.count("changed, reloading") > reloads, 2)

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def complaints(self, since: int = 0) -> list[str]:
        """Return the lines of the output, from that one on, in which something has gone wrong."""
        signs = ("Traceback", "Error:", " ERROR ", "locked", '" 500 ', "ResourceWarning")
        return [line for line in self.lines[since:] if any(sign in line for sign in signs)]

    def press_ctrl_c(self) -> None:
        """Do what a terminal does: send SIGINT to the program's process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self) -> int:
        """Return the exit status of the program, once no process of its family is left.

        They all have inherited its output, so the output ends with the last of them.
        """
        self._reader.join(PATIENCE)
        if self._reader.is_alive():
            self.process.send_signal(signal.SIGABRT)  # It then says where each thread is.
            self.process.wait(PATIENCE)
            pytest.fail(f"A process is left:\n{self.output}")
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Leave nothing behind, whatever state the test has left it in."""
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._hear(line)
        self._hear("")

    def _hear(self, line: str) -> None:
        with self._news:
            self.lines.append(line)
            self._news.notify_all()

    def _has_ended(self) -> bool:
        return self.lines[-1:] == [""]


def free_port() -> int:
    """Return a port that is free, and so are the two that the demo takes with it.

    They are below those of outgoing connections, one of which could take it between two runs.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        if all(map(is_free, (port, port + 1000, port + 1001))):
            return port


def is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except (OSError, OverflowError):
        return False
