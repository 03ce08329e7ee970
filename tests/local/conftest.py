"""The fixtures of the local gateway's tests."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import boto3
import pytest


@pytest.fixture(scope="session")
def session():
    """One for all, since it is slow to make."""
    return boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    )


@pytest.fixture
def world(session):
    """What a test of the gateway needs; all of it is closed in the end, and no thread is left."""
    from .world import World  # needs websockets

    before = set(threading.enumerate())
    with ExitStack() as stack:
        yield World(session, stack)
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(1)  # the client's own threads may take a moment
    assert not [thread.name for thread in left if thread.is_alive()]
