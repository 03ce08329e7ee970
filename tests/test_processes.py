"""What a process keeps for itself. Forked children are in sending/sockets/test_forks.py."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django_aws_api_gateway_websockets.processes import per_process
from tests.edge import DEADLINE


def test_each_set_of_arguments_is_made_once():
    made = []
    keep = per_process(lambda *names: made.append(names) or [names])
    assert keep("a") is keep("a")
    assert keep("a") is not keep("b")
    assert made == [("a",), ("b",)]


def test_another_process_makes_its_own(monkeypatch):
    """A fork here would copy the threads' locks of the whole suite, so only the id changes."""
    keep = per_process(list)
    of_the_parent = keep()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert keep() is not of_the_parent
    assert keep() is keep()


def test_threads_that_ask_at_the_same_time_get_the_same():
    barrier = Barrier(2)

    @per_process
    def make():
        barrier.wait(DEADLINE)
        return object()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: make(), range(2))
    assert first is second
