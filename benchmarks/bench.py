"""Bench that runs contenders against the sink, each run in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Sequence

from .cases import Case
from .certificates import make_certificates
from .environments import OURS, Contender, make_environments
from .sink import Sink, compile_sink

SCRIPT = Path(__file__).with_name("contender.py")


class Bench:
    """Programs and environments are in the cache; what only this run needs is in the folder."""

    def __init__(self, cache: Path, folder: Path, contenders: Sequence[Contender]) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._program = compile_sink(cache)
        self._certificates = make_certificates(cache)
        self._pythons = make_environments(cache, contenders)
        self._environment = self._make_environment()

    def versions(self) -> Dict[str, str]:
        """Return the versions that the contenders run on."""
        found: Dict[str, str] = self._run(OURS, task="versions", database=":memory:")
        return found

    def measure(
        self, task: str, contender: Contender, case: Case, recipients: int, times: int
    ) -> Any:
        """Run contender.py with a task, and return its answer."""
        database = self._database(contender, recipients)
        options = {"delay": case.delay, "throttled": case.throttled, "gone": case.gone}
        with Sink(self._program, self._certificates, **options) as sink:
            where = {"endpoint": sink.https if case.tls else sink.http, "control": sink.http}
            return self._run(contender, task=task, database=database, times=times, **where)

    def _database(self, contender: Contender, recipients: int) -> str:
        """Return a copy of the contender's database, which is made once."""
        original = self._folder / f"{contender.name}-{recipients}.sqlite3"
        if not original.exists():
            self._run(contender, task="prepare", database=str(original), recipients=recipients)
        return str(shutil.copyfile(original, self._folder / "copy.sqlite3"))

    def _run(self, contender: Contender, **task: Any) -> Any:
        command = [str(self._pythons[contender.name]), str(SCRIPT), json.dumps(task)]
        done = subprocess.run(
            command, env=self._environment, stdout=subprocess.PIPE, check=True, timeout=600
        )
        return json.loads(done.stdout)

    def _make_environment(self) -> Dict[str, str]:
        """Return this machine's environment, without its variables for proxies and AWS."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("AWS_", "PYTHON")) and "_PROXY" not in name.upper()
        }
        return {
            **kept,
            "AWS_CA_BUNDLE": str(self._make_bundle()),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _make_bundle(self) -> Path:
        """Write the public certificates and ours: the time to read so many is measured, too."""
        environment = self._pythons[OURS.name].parent.parent
        (world,) = environment.glob("lib/python*/site-packages/botocore/cacert.pem")
        bundle = self._folder / "bundle.pem"
        bundle.write_text(world.read_text() + self._certificates.authority.read_text())
        return bundle
