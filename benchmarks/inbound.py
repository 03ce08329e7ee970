"""Inbound events: what one costs the site, compared with releases of the original package.

    python -m benchmarks.inbound

makes an environment for each contender (once, in build/benchmarks), starts a site in
each and prints a table for docs/performance.rst. It needs PostgreSQL (PGHOST, PGPORT, PGUSER,
PGPASSWORD; 127.0.0.1, 5432, postgres and none by default).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any, Dict, List, Tuple

from .environments import DISTRIBUTION, FOLDER, ROOT, make

COMMON = ("Django~=5.2.0", "psycopg[binary]", "boto3")
OURS, RIVAL = "this version", "4.1.0"
CONTENDERS = (OURS, RIVAL, "1.1.1")
KINDS = {
    "messages": "a message",
    "messages_that_ask_for_the_user": "a message whose handler asks for the user",
    "connects": "``$connect``, with a login",
    "disconnects": "``$disconnect``",
    "requests_to_an_empty_view": "a view that does nothing",
}
#: It has no $connect with a cookie, but asks for a token.
LEFT_OUT = {("connects", RIVAL)}

#: A kind of events and a contender's name.
Pair = Tuple[str, str]
Taken = Dict[Pair, List[float]]


class Contender:
    """A site in an environment of its own, which answers calls."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        python = make_environment(name)
        is_ours = name == OURS
        # Run in another directory: in the checkout's the other contenders would import ours.
        program = [str(python), str(ROOT / "benchmarks" / "inbound_site.py")]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self.name = name
        self.process: Any = stack.enter_context(
            subprocess.Popen(
                program + ["ours"] * is_ours,
                env={**environment, **({"PYTHONPATH": str(ROOT)} if is_ours else {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )

    def ask(self, *call: Any) -> Any:
        print(json.dumps(call), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} failed at {call}")
        return json.loads(answer)

    def end(self) -> None:
        """Let it drop its database."""
        self.process.stdin.close()


def make_environment(name: str) -> Path:
    """Return the Python of a contender's environment; make it if it is missing."""
    own = [] if name == OURS else [f"{DISTRIBUTION}=={name}"]
    return make(FOLDER / f"inbound-{name.replace(' ', '-')}", [*COMMON, *own])


def measure(contenders: List[Contender], rounds: int, events: int) -> Taken:
    """Return the seconds that an event took, once for each round.

    The contenders take turns, so that other load on the machine affects all of them.
    """
    pairs = [
        (kind, each) for kind in KINDS for each in contenders if (kind, each.name) not in LEFT_OUT
    ]
    for kind, contender in pairs:
        contender.ask("measure", kind, events)  # warms up
    taken: Taken = {(kind, each.name): [] for kind, each in pairs}
    for number in range(rounds):
        print(f"Round {number + 1} of {rounds}", file=sys.stderr)
        for kind, contender in pairs if number % 2 else reversed(pairs):
            taken[kind, contender.name].append(contender.ask("measure", kind, events))
    return taken


def table(taken: Taken, statements: Dict[Pair, float]) -> str:
    """Return an RST table: a row for each kind of event, the median of each contender."""
    rows = [["CPU time, statements", *CONTENDERS, f"{OURS} / {RIVAL}"]]
    for kind, title in KINDS.items():
        cells = [
            f"{median(taken[pair]) * 1e6:.0f} µs, {statements[pair]:g}" if pair in taken else "--"
            for pair in ((kind, name) for name in CONTENDERS)
        ]
        ratios = [
            ours / rival for ours, rival in zip(taken[kind, OURS], taken.get((kind, RIVAL), []))
        ]
        rows.append([title, *cells, f"{median(ratios):.2f}" if ratios else "--"])
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def circumstances(versions: Dict[str, str]) -> str:
    """Name the machine, the versions and the day."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    machine = f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores"
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    today = datetime.now(timezone.utc).date()
    return f"{machine}; Python {platform.python_version()}, {used}; {today}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inbound")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=1000, help="of each kind, in each round")
    options = parser.parse_args()
    with ExitStack() as stack:
        contenders = [Contender(name, stack) for name in CONTENDERS]
        taken = measure(contenders, options.rounds, options.events)
        by_name = {each.name: each for each in contenders}
        statements = {(kind, name): by_name[name].ask("statements", kind) for kind, name in taken}
        versions = by_name[OURS].ask("versions")
        for contender in contenders:
            contender.end()
    print(table(taken, statements))
    print(f"\n{circumstances(versions)} The median of {options.rounds} rounds of {options.events}")
    print("events of each kind::\n\n   python -m benchmarks.inbound")


if __name__ == "__main__":
    main()
