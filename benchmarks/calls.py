"""Calls: how long a client waits for a reply, beside a message that a handler answers itself.

    python -m benchmarks.calls

serves a site from an SQLite file and the local gateway, both in this process, takes turns between
the kinds, and prints a table for docs/performance.rst. It needs the extra ``local``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Dict, List, NamedTuple

import django
from django.conf import settings
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

PACKAGE = "django_aws_api_gateway_websockets"
STATIC = Path(__file__).resolve().parents[1] / PACKAGE / "static" / PACKAGE
TEXT = "x" * 100


class Kind(NamedTuple):
    """A message, and the gateway that it goes to."""

    title: str
    api_name: str
    message: Dict[str, Any]
    #: Calls of @connections that its answer costs.
    calls: int


KINDS = (
    Kind("a message that its handler answers", "sent", {"action": "echo", "text": TEXT}, 1),
    Kind("a call", "sent", {"action": "answer", "text": TEXT, "ref": "1"}, 1),
    Kind(
        "a call, with ``route_responses``",
        "handed on",
        {"action": "answer", "text": TEXT, "ref": "1"},
        0,
    ),
    Kind("a ping", "sent", {"action": "ping"}, 0),
)


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def configure(directory: Path, endpoint_url: str) -> None:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        AWS_GATEWAY_ENDPOINT_URL=endpoint_url,
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": directory / "db.sqlite3"}
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", PACKAGE],
        LOGGING_CONFIG=None,
        ROOT_URLCONF="benchmarks.calls_site",
        SECRET_KEY="only-for-benchmarks",  # noqa: S106
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def serve(stack: ExitStack) -> str:
    """Serve the site in a thread; return its URL."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler, ipv6=False)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def connect_to(site: str, api_name: str, stack: ExitStack) -> Any:
    """Make a gateway of that name, and open a connection to it."""
    from websockets.sync.client import connect

    from django_aws_api_gateway_websockets.models import ApiGateway

    gateway = ApiGateway.objects.create(
        api_name=api_name,
        target_base_endpoint=f"{site}/ws/",
        route_responses=api_name == "handed on",
    )
    gateway.create_gateway()
    return stack.enter_context(connect(gateway.socket_url, origin=site, proxy=None))


def measure(connection: Any, kind: Kind, count: int) -> float:
    """Return the median of so many round trips, in milliseconds."""
    text, times = json.dumps(kind.message), []
    for _ in range(count):
        began = time.perf_counter()
        connection.send(text)
        connection.recv(10)
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def run(rounds: int, count: int) -> List[List[float]]:
    """Return the medians of each kind's rounds."""
    from django_aws_api_gateway_websockets.local.gateway import LocalGateway

    taken: List[List[float]] = [[] for _ in KINDS]
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        local = stack.enter_context(LocalGateway())
        configure(Path(directory), local.endpoint_url)
        site = serve(stack)
        stack.callback(local.wait_until_quiet)
        names = {kind.api_name for kind in KINDS}
        connections = {name: connect_to(site, name, stack) for name in sorted(names)}
        for kind in KINDS:  # what a process does once
            measure(connections[kind.api_name], kind, 20)
        for _ in range(rounds):
            for kind, times in zip(KINDS, taken):
                times.append(measure(connections[kind.api_name], kind, count))
    return taken


def report(taken: List[List[float]]) -> str:
    base = min(taken[0])
    lines = [f"{'':40}{'ms':>6}  {'ratio':>5}  calls of AWS"]
    for kind, times in zip(KINDS, taken):
        best = min(times)
        lines.append(f"{kind.title:40}{best:6.2f}  {best / base:5.2f}  {kind.calls}")
    content = (STATIC / "client.js").read_bytes()
    packed = len(gzip.compress(content, 9))
    lines.append(f"\nclient.js: {len(content):,} bytes, {packed:,} gzipped")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=300, help="of each kind in each round")
    chosen = parser.parse_args()
    print(report(run(chosen.rounds, chosen.messages)))


if __name__ == "__main__":
    main()
