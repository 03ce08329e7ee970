"""Sending: how fast messages are sent, compared with releases in use. Prints tables.

README.md beside this file says how to run it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Sequence

from .bench import Bench
from .cases import CASES, FEW, MANY, MEMORY, SINGLE, Case
from .environments import CONTRACT, FOLDER, OURS, RIVAL, Contender, another
from .results import Results, Run


class Series:
    """All measurements of one run of this program."""

    def __init__(
        self, bench: Bench, contenders: Sequence[Contender], options: argparse.Namespace
    ) -> None:
        self.bench = bench
        self.results = Results()
        self.contenders = contenders
        self.scale = 10 if options.quick else 1
        self.log: Any = options.log

    def broadcast(self, contender: Contender, case: Case) -> None:
        recipients = case.recipients or contender.recipients // self.scale
        self._measure("broadcast", contender, case, recipients, times=2)

    def single(self, contender: Contender) -> None:
        self._measure("single", contender, SINGLE, 1, times=contender.singles // self.scale)

    def memory(self, contender: Contender) -> None:
        for recipients in (FEW, MANY):
            told = self._measure("broadcast", contender, MEMORY, recipients, times=1)
            self.results.add_peak(contender.name, recipients, told["peak"])

    def _measure(
        self, task: str, contender: Contender, case: Case, recipients: int, times: int
    ) -> Any:
        told = self.bench.measure(task, contender, case, recipients, times)
        runs = [Run.of(run) for run in told["runs"]]
        self.results.add(case.name, contender.name, runs)
        say(f"{contender.name:8} {case.name:24} {runs[-1].rate:8.0f}/s")
        if self.log:
            print(json.dumps([contender.name, case.name, told]), file=self.log, flush=True)
        return told


def measure(series: Series, rounds: int) -> None:
    """Run each case for all contenders in turn, so that other load affects all of them."""
    for turn in range(rounds):
        say(f"Round {turn + 1} of {rounds}")
        for case in CASES:
            for contender in series.contenders:
                if contender.name not in case.without:
                    series.broadcast(contender, case)
        for contender in series.contenders:
            series.single(contender)
    for contender in series.contenders:
        if contender not in (CONTRACT, RIVAL):
            series.memory(contender)


def machine(versions: Dict[str, str]) -> str:
    """Return the machine, the day and the versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    (model, *_) = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    command = " ".join(["python -m benchmarks.sending", *sys.argv[1:]])
    today = datetime.now(timezone.utc).date()
    return f"``{command}`` on {today}: {os.cpu_count()} cores of {model}; {software}."


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.sending", description="Measure how fast messages are sent."
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, one round")
    parser.add_argument("--rounds", type=int, help="how often each is measured (2)")
    parser.add_argument("--only", nargs="+", help="names of contenders; the others are left out")
    parser.add_argument(
        "--also",
        type=another,
        action="append",
        default=[],
        metavar="NAME=REQUIREMENT",
        help="one more contender, for example another checkout",
    )
    parser.add_argument("--cache", type=Path, default=FOLDER, help="where environments are kept")
    parser.add_argument("--log", type=argparse.FileType("w"), help="each measurement, as JSON")
    return parser.parse_args()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    options = parse()
    # Ending this program must also end the processes that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder:
        contenders = [
            contender
            for contender in (CONTRACT, RIVAL, *options.also, OURS)
            if not options.only or contender.name in options.only
        ]
        bench = Bench(options.cache, Path(folder), contenders)
        series = Series(bench, contenders, options)
        measure(series, options.rounds or (1 if options.quick else 2))
        print(machine(series.bench.versions()), series.results.report(), sep="\n\n")


if __name__ == "__main__":
    main()
