"""Environments of the contenders: the same Python, the same Django and the same boto3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parent.parent

#: What is installed, compiled and signed.
FOLDER = ROOT / "build" / "benchmarks"

DISTRIBUTION = "django-aws-api-gateway-websockets"


class Contender(NamedTuple):
    """A contender: a release, or a checkout of this package."""

    name: str
    requirement: str
    #: How many messages a broadcast has, if the case does not say: some seconds of work.
    recipients: int
    #: How many single messages.
    singles: int


OURS = Contender("this", str(ROOT), 20_000, 1_000)
RIVAL = Contender("4.1.0", f"{DISTRIBUTION}==4.1.0", 2_000, 500)
CONTRACT = Contender("1.1.1", f"{DISTRIBUTION}==1.1.1", 100, 50)


def another(text: str) -> Contender:
    """Return the contender of ``NAME=REQUIREMENT``, for example of another checkout's path."""
    name, _, requirement = text.partition("=")
    if not (name and requirement):
        raise ValueError(f"{text!r} is not NAME=REQUIREMENT")
    return Contender(name, requirement, 5_000, 1_000)


def make_environments(folder: Path, contenders: Sequence[Contender]) -> Dict[str, Path]:
    """Make the environments that a folder lacks; return their Pythons, and this checkout's."""
    constraints = folder / "constraints.txt"
    # This one decides the versions of Django and boto3, which the others must have as well.
    ours = make(folder / OURS.name, ["-e", OURS.requirement])
    constraints.write_text(_versions(ours))
    pythons = {OURS.name: ours}
    for contender in contenders:
        if contender is not OURS:
            options = [contender.requirement, "boto3", "django", "-c", str(constraints)]
            pythons[contender.name] = make(folder / contender.name, options)
    return pythons


def make(folder: Path, options: List[str]) -> Path:
    """Return the Python of an environment with this installed; make it if it is missing."""
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    # The file says what it was made from. If that differs, or a run was interrupted, it is remade.
    recipe = "\n".join([sys.version, *map(_contents, options)])
    if not stamp.exists() or stamp.read_text() != recipe:
        print(f"Making {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, *options], check=True)
        stamp.write_text(recipe)
    return python


def _contents(option: str) -> str:
    if option.startswith(str(ROOT)):
        source = Path(option) if option.endswith(".txt") else ROOT / "pyproject.toml"
        return f"{option}\n{source.read_text()}"
    return option


def _versions(python: Path) -> str:
    command = [str(python), "-m", "pip", "freeze", "--exclude-editable"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
