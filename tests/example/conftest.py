from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import pytest

from tests.example.demo import Demo


@contextmanager
def running(demo: Demo) -> Iterator[Demo]:
    try:
        demo.start()
        yield demo
    finally:
        demo.kill()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo, shared by a module's tests."""
    with running(Demo(tmp_path_factory.mktemp("demo"))) as shared:
        yield shared


@pytest.fixture
def own_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo that a test may end."""
    with running(Demo(tmp_path_factory.mktemp("demo"))) as own:
        yield own
