"""Sink: compiled if sink.c is newer than the program, and run for the length of a `with` block."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Optional, Type

from .certificates import Certificates

SOURCE = Path(__file__).with_name("sink.c")


def compile_sink(folder: Path) -> Path:
    """Return the path of the sink's program in the folder; compile it if need be."""
    program = folder / "sink"
    if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
        command = ["gcc", "-O2", "-o", str(program), str(SOURCE), "-lssl", "-lcrypto"]
        subprocess.run(command, check=True)
    return program


class Sink:
    """A running sink, on free ports of 127.0.0.1: ``http`` and ``https`` are its URLs."""

    def __init__(self, program: Path, certificates: Certificates, **options: float) -> None:
        self._command = [str(program), "--http=0", "--https=0", "--attached"]
        self._command += [f"--certificate={certificates.certificate}", f"--key={certificates.key}"]
        self._command += [f"--{name}={value}" for name, value in options.items()]

    def __enter__(self) -> Sink:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.http = self._process.stdout.readline().strip()
        self.https = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()
