"""Programs that send, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.edge import DEADLINE

ROOT = Path(__file__).resolve().parents[3]

#: In Python 3.8's no forked child survives its own end, whatever it did.
DEV_MODE = {"PYTHONDEVMODE": "1" if sys.version_info >= (3, 9) else ""}

#: What all programs begin with. Each is told the transport, the endpoint and a child's deadline.
BEGINNING = """
import faulthandler, gc, multiprocessing, os, random, signal, sys, threading, warnings
import django
django.setup()
from django.conf import settings
from django_aws_api_gateway_websockets import aws, sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
# A child that hangs says where, and ends.
faulthandler.register(signal.SIGALRM, chain=True)
os.register_at_fork(after_in_child=lambda: signal.alarm(int(sys.argv[3])))
# The modules cost each end of a process a third of a second. What is made from now on does matter.
gc.freeze()
settings.WEBSOCKETS = {"transport": sys.argv[1]}
endpoint = Endpoint(sys.argv[2], "eu-west-1")

def send(name, number):
    recipients = [Recipient(f"{name}{i}", endpoint) for i in range(number)]
    outcomes = [outcome for _, outcome in sending.fan_out(b"x", recipients)]
    assert outcomes == [sending.SENT] * number, outcomes

def wait_for(pid):
    assert os.waitpid(pid, 0)[1] == 0
"""


def run(lines, transport, url, first=""):
    """Run ``first``, the beginning and these lines, which must end well and say nothing."""
    found = subprocess.run(
        [sys.executable, "-c", f"{first}\n{BEGINNING}{lines}", transport, url, str(DEADLINE)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **DEV_MODE},
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
        check=False,
    )
    said = found.stdout + found.stderr
    assert said == "", said
    assert found.returncode == 0
