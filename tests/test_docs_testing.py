"""The examples with mocks on the page on testing pass, where moto is installed with moto, too."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.pages import run

pytestmark = pytest.mark.usefixtures("new_session")

MockedTests = run("testing-mocks")["MockedTests"]

if find_spec("moto"):
    MotoTests = run("testing-moto")["MotoTests"]
