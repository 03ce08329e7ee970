"""The tables of supported versions, which several files of the repository must repeat, agree."""

from __future__ import annotations

import configparser
import json
import re
import runpy
from itertools import product
from pathlib import Path

import pytest

import django_aws_api_gateway_websockets

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def pythons():
    """{"4.2": ("3.8", ...)}: each supported Django with its Pythons."""
    return runpy.run_path(str(ROOT / "requirements" / "compile.py"))["PYTHONS"]


@pytest.fixture(scope="module")
def cells(pythons):
    return {
        f"py{python}-django{django}".replace(".", "")
        for django, of_django in pythons.items()
        for python in of_django
    }


def classifiers(prefix):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return set(re.findall(rf'"{re.escape(prefix)} :: (\d+\.\d+)"', text))


def expanded(pattern):
    """tox's `py310-django{42, 50}` as the names that it stands for."""
    parts = re.split(r"\{(.*?)\}", pattern)
    choices = [
        [choice.strip() for choice in part.split(",")] if index % 2 else [part]
        for index, part in enumerate(parts)
    ]
    return {"".join(chosen) for chosen in product(*choices)}


def test_each_supported_cell_has_its_lock_file_and_no_other_has(cells):
    assert {path.stem for path in (ROOT / "requirements").glob("py*.txt")} == cells


def test_tox_runs_each_supported_cell(cells):
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    lines = tox["tox"]["env_list"].split("\n")
    assert set().union(*(expanded(line) for line in lines if line)) == cells


def test_the_classifiers_name_each_supported_django_and_python(pythons):
    assert classifiers("Framework :: Django") == set(pythons)
    named = {python for of_django in pythons.values() for python in of_django}
    assert classifiers("Programming Language :: Python") == named


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_a_lock_file_names_no_place_but_the_index(lock):
    text = lock.read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert re.findall(r"^.*(?:://|--index|--find-links| @ ).*$", text, re.M) == []


def test_the_lock_file_of_the_clients_tests_pins_by_hash_and_names_no_place():
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    packages = {name: of for name, of in json.loads(text)["packages"].items() if name}
    assert [name for name, of in packages.items() if "integrity" not in of] == []
    assert "://" not in text
    assert {f"node_modules/{name}": pin for name, pin in wanted.items()} == {
        name: of["version"] for name, of in packages.items()
    }


def test_ci_runs_each_of_its_legs():
    legs = (ROOT / ".ci" / "leg").read_text(encoding="utf-8")
    named = re.findall(r"^([a-z][a-z0-9 |-]*)\)$", legs, re.M)
    run = re.search(r"^ALL=\(([^)]*)\)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)
    assert run
    assert {leg for pattern in named for leg in pattern.split(" | ")} == set(run.group(1).split())


def test_the_changelog_begins_with_the_present_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (\S+)", text, re.M)
    assert first
    assert first.group(1) == django_aws_api_gateway_websockets.__version__
