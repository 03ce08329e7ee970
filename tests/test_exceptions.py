"""The tree of exceptions is the one that its module draws."""

from __future__ import annotations

import inspect
import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_aws_api_gateway_websockets import exceptions

CLASSES = {
    name: found
    for name, found in vars(exceptions).items()
    if inspect.isclass(found) and found.__module__ == exceptions.__name__
}


def drawn():
    """{"RegionMissing": "ConfigurationError"}: each name in the drawing with the one above it."""
    parents, above = {}, []
    for branch, name in re.findall(r"^    ([| `-]*)([A-Z]\w+)", exceptions.__doc__, re.M):
        depth = len(branch) // 4
        above[depth:] = [name]
        parents[name] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_drawing_is_the_tree():
    assert drawn() == {name: found.__bases__[0].__name__ for name, found in CLASSES.items()}


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ConfigurationError", ImproperlyConfigured),
        ("RegionMissing", RuntimeError),
        ("ProvisioningError", RuntimeError),
        ("GatewayNotReady", ValueError),
        ("MessageNotSerializable", TypeError),
        ("MessageNotSerializable", ValueError),
        ("MessageTooLarge", ValueError),
    ],
)
def test_what_callers_already_catch_still_catches_it(name, builtin):
    assert issubclass(CLASSES[name], builtin)


def test_every_refusal_of_a_request_is_a_4xx():
    refusals = [c for c in CLASSES.values() if issubclass(c, exceptions.RequestRefused)]
    assert {refusal.status_code // 100 for refusal in refusals} == {4}
