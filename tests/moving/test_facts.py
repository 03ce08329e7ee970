"""What is the same for a user of 1.1.1, and what is different, is checked and told."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from tests.moving import test_from_1_1_1
from tests.moving.facts import FACTS
from tests.pages import PAGES

pytestmark = pytest.mark.once

TESTS = Path(__file__).resolve().parent / "project_1_1_1" / "chat" / "tests"

CHECKS = [(fact, name) for fact in FACTS for name in fact.tests.split()]
PAGE = " ".join(PAGES["differences"].split())


def functions():
    """The test functions of the project and of its driver."""
    sources = [file.read_text(encoding="utf-8") for file in TESTS.glob("test_*.py")]
    for source in [*sources, inspect.getsource(test_from_1_1_1)]:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node


def has_two_answers(function):
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(call.func, ast.Name) and call.func.id == "differs" for call in calls)


def test_no_two_tests_have_one_name():
    names = [function.name for function in functions()]
    assert len(names) == len(set(names))


def test_each_fact_is_checked_by_tests_that_exist():
    names = {function.name for function in functions()}
    assert [name for _, name in CHECKS if name not in names] == []
    assert all(fact.tests for fact in FACTS)


def test_each_test_with_two_answers_belongs_to_a_fact_that_is_told():
    """A trial that lets an answer differ must not be able to keep it to itself."""
    differing = {function.name for function in functions() if has_two_answers(function)}
    told = {name for fact, name in CHECKS if not fact.is_same}
    assert differing == told


@pytest.mark.parametrize(
    "fact", [fact for fact in FACTS if not fact.is_same], ids=lambda fact: fact.says
)
def test_each_difference_is_told(fact):
    assert " ".join(fact.docs.split()) in PAGE
