#!/usr/bin/env python3
"""Write the lock files: one for each supported Python and Django, tools.txt and databases.txt.

    python requirements/compile.py              # keeps the pins that still fit
    python requirements/compile.py --upgrade    # takes the newest of everything

What is locked stands in pyproject.toml alone: a cell holds the package's dependencies with its
extras `celery`, `fast`, `local`, `tasks` and `test`; tools.txt holds every extra and what checks,
builds and documents the project, Node.js among it; databases.txt, installed beside a cell, holds
the drivers, of which one wants a compiler, the task queue that lives in a database, moto, and
Sentry. The latter two are for Python 3.10 and newer. Needs uv (`pip install uv`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: Each Django with the Pythons that it supports, from its release notes.
PYTHONS = {
    "4.2": ("3.8", "3.9", "3.10", "3.11", "3.12"),
    "5.0": ("3.10", "3.11", "3.12"),
    "5.1": ("3.10", "3.11", "3.12", "3.13"),
    "5.2": ("3.10", "3.11", "3.12", "3.13", "3.14"),
    "6.0": ("3.12", "3.13", "3.14"),
    "6.1": ("3.12", "3.13", "3.14"),
}

#: The cell beside which .ci/run installs databases.txt.
BESIDE_DATABASES = "py313-django61"

CELL_EXTRAS = [f"--extra={name}" for name in ("celery", "fast", "local", "tasks", "test")]


def lock(name: str, *options: str, also: str = "") -> None:
    """Compile requirements/<name>.txt; `also` is what the source `-` holds."""
    command = ["uv", "pip", "compile", "--quiet", "--generate-hashes"]
    command += [f"--output-file=requirements/{name}.txt", *options, *sys.argv[1:]]
    # The header of a lock file names this program, and uv need not fetch the Python it is for.
    environment = {
        **os.environ,
        "UV_CUSTOM_COMPILE_COMMAND": "requirements/compile.py",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    print(name, flush=True)
    subprocess.run(command, cwd=ROOT, env=environment, input=also, text=True, check=True)


def cell(python: str, django: str) -> None:
    lock(
        f"py{python}-django{django}".replace(".", ""),
        *("pyproject.toml", "-", *CELL_EXTRAS, f"--python-version={python}"),
        also=f"django~={django}.0",
    )


def main() -> None:
    for django, pythons in PYTHONS.items():
        for python in pythons:
            cell(python, django)
    # Universal, and so right for any Python from that version on, each with its newest Django.
    universal = ("--universal", "--python-version=3.10")
    groups = [f"--group={name}" for name in ("client", "lint", "package", "types")]
    lock("tools", "pyproject.toml", "--all-extras", *groups, *universal)
    groups = ["--group=databases", "--group=green", "--group=moto", "--group=trackers"]
    lock("databases", "-", *groups, *universal, also=pins_of_boto3(BESIDE_DATABASES))


def pins_of_boto3(name: str) -> str:
    """Return the lines of a lock file that pin what its neighbour needs, too."""
    locked = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^(?:boto3|botocore)==[^ ]+", locked, re.M))


if __name__ == "__main__":
    main()
