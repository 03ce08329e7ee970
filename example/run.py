"""Run the demo: the local gateway in this process, Django's development server in another.

    python example/run.py               the site on port 8000, the gateway on 9000 and 9001
    python example/run.py --port 8100   on 8100, 9100 and 9101

Django reloads when code changes. The gateway does not, so open sockets stay open.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Optional

HOST = "127.0.0.1"
MANAGE = Path(__file__).resolve().with_name("manage.py")


class DemoFailed(Exception):
    """The demo cannot run; the text says why."""


class Demo:
    """The gateway and the site: how they start and how they end."""

    def __init__(self, port: int) -> None:
        # Imported here, so that main() already handles a Ctrl-C during the import.
        try:
            from django_aws_api_gateway_websockets.local.gateway import LocalGateway
        except ModuleNotFoundError as error:
            raise DemoFailed(f"{error}. Run `make demo`, which installs what it needs.") from error
        self.port = port
        self.gateway = LocalGateway(HOST, socket_port=port + 1000, control_port=port + 1001)
        self.site: Optional[subprocess.Popen[bytes]] = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start both; return when the site answers."""
        self.gateway.start()
        self.prepare()
        self.site = subprocess.Popen(
            [sys.executable, str(MANAGE), "runserver", f"{HOST}:{self.port}"],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "DJANGO_RUNSERVER_HIDE_WARNING": "true", "PYTHONUNBUFFERED": "1"},
            # In a session of its own, so that a Ctrl-C in the terminal goes to this process only.
            # It closes the sockets first, see stop().
            start_new_session=True,
        )
        while not self.answers():
            self.wait(0.1)

    def prepare(self) -> None:
        """Make what the site needs. Both processes read the settings from the environment."""
        os.environ["DJANGO_SETTINGS_MODULE"] = "chat.settings"
        os.environ["AWS_GATEWAY_ENDPOINT_URL"] = self.gateway.endpoint_url
        import django
        from django.db import connections

        django.setup()
        from chat import prepare

        prepare.make_tables()
        prepare.make_users()
        prepare.make_gateway(self.url)
        connections.close_all()

    def answers(self) -> bool:
        # Django listens when it has loaded the whole site.
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=5):
            return True
        return False

    def wait(self, seconds: Optional[float] = None) -> None:
        """Wait for so many seconds, or forever; raise DemoFailed when the site ends."""
        with suppress(subprocess.TimeoutExpired):
            status = self.site.wait(seconds)
            raise DemoFailed(f"Django has ended with status {status}.")

    def stop(self) -> None:
        # The sockets are closed first, while Django still takes each $disconnect.
        self.gateway.stop()
        if self.site is not None:
            end_group(self.site)


def end_group(leader: subprocess.Popen[bytes]) -> None:
    """End Django's autoreloader and the server that it has started."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader.pid, signum)
        with suppress(subprocess.TimeoutExpired):
            leader.wait(5)


def check_ports(port: int) -> None:
    for number in (port, port + 1000, port + 1001):
        with socket.socket() as probe:
            # As the servers do: then a port can be used again right after its last use.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, number))
            except OSError as error:
                raise DemoFailed(
                    f"Port {number} cannot be had: {error.strerror}.{holder_of(number)} "
                    "Choose others: make demo PORT=8100, or run.py --port 8100."
                ) from error


def holder_of(port: int) -> str:
    """Say which process listens at a port, a demo that was killed perhaps, where Linux tells."""
    with suppress(OSError):
        table = Path("/proc/net/tcp").read_text().splitlines()[1:]
        rows = [line.split() for line in table]
        listening = {row[9] for row in rows if row[3] == "0A" and int(row[1][-4:], 16) == port}
        sockets = {f"socket:[{inode}]" for inode in listening}
        for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):  # of another user, or closed meanwhile
                if os.readlink(descriptor) in sockets:
                    return f" The process {descriptor.parts[2]} has it."
    return ""


def port_of_a_site(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536 - 1001:
        raise ValueError(port)
    return port


def interrupt(signum: int, frame: Optional[FrameType]) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the demo.")
    parser.add_argument("--port", type=port_of_a_site, default=8000, help="of the site (8000)")
    port = parser.parse_args().port
    # Closing the terminal's window and `kill` end the demo as Ctrl-C does.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
    demo = None
    try:
        check_ports(port)
        demo = Demo(port)
        demo.start()
        print(f"\nThe demo is at {demo.url}/ (Ctrl-C ends it)\n", flush=True)
        demo.wait()
    except DemoFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass  # This is how the demo is ended.
    finally:
        # A second Ctrl-C must not leave a process behind.
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        if demo is not None:
            demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
