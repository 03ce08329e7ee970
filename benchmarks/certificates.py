"""Certificates by openssl: an authority of the benchmarks' own, and the sink's certificate."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

#: The names of the sink; the last is the one of API Gateway itself.
NAMES = "IP:127.0.0.1,DNS:localhost,DNS:*.execute-api.eu-west-1.amazonaws.com"

#: Keys on elliptic curves, so that many handshakes cost the sink little.
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificates(NamedTuple):
    """Paths of PEM files."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make the certificates in a folder, unless an earlier run has made them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("authority.pem", "certificate.pem", "key.pem")
    made = Certificates(*(folder / name for name in names))
    if not made.certificate.exists():
        _make(folder, made)
    return made


def _make(folder: Path, made: Certificates) -> None:
    authority_key = folder / "authority-key.pem"
    _request(
        *("-subj", "/CN=Benchmarks", "-addext", "keyUsage=critical,keyCertSign"),
        *("-keyout", authority_key, "-out", made.authority),
    )
    _request(
        *("-subj", "/CN=localhost", "-addext", f"subjectAltName={NAMES}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", made.authority, "-CAkey", authority_key),
        *("-keyout", made.key, "-out", made.certificate),
    )


def _request(*options: object) -> None:
    command = ["openssl", "req", "-x509", "-days", "3650", *KEY, *map(str, options)]
    subprocess.run(command, check=True, capture_output=True)
