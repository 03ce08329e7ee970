"""An install line of the README, a page or a message brings this package, with what it says.

The package index has another project's releases under this package's name. So a line names a clone
or a wheel, never the name alone. .ci/leg runs the lines, which takes the network.
"""

from __future__ import annotations

import re
import shlex

import pytest

import django_aws_api_gateway_websockets
from tests.install_lines import install_lines, texts
from tests.pages import BLOCKS, ROOT

pytestmark = pytest.mark.once

NAME = "django-aws-api-gateway-websockets"
VERSION = django_aws_api_gateway_websockets.__version__
WHEEL = f"{NAME.replace('-', '_')}-{VERSION}-py3-none-any.whl"
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
#: The tables of [project.optional-dependencies]: each extra with what it installs.
EXTRAS = PROJECT.split("[project.optional-dependencies]")[1].split("\n[")[0]

LINES = list(dict.fromkeys(install_lines()))


def requirements(line):
    """The operands of a command: what follows its verb and is no option."""
    words = shlex.split(line)
    verb = next(i for i, word in enumerate(words) if word in ("install", "wheel"))
    return [word for word in words[verb + 1 :] if not word.startswith("-")]


def test_there_are_lines_for_each_optional_part_of_the_package():
    extras = re.findall(r"\[([\w,]+)\]", "".join(LINES))
    assert {"celery", "local", "tasks"} <= {*",".join(extras).split(",")}


@pytest.mark.parametrize("line", LINES)
def test_a_line_installs_the_clone_or_its_wheel(line):
    assert requirements(line)
    for requirement in requirements(line):
        found = re.fullmatch(r"\./([\w.-]+)(?:\[([\w,]+)\])?", requirement)
        assert found, f"pip would ask the index for {requirement}"
        assert found[1] in (NAME, WHEEL)
        extras = {*found[2].split(",")} if found[2] else set()
        assert extras <= {*re.findall(r"^(\w+) = ", EXTRAS, re.M)}


def test_the_directory_of_the_clone_is_told_where_the_lines_are():
    assert f'\nname = "{NAME}"\n' in PROJECT
    page = (ROOT / "docs" / "quickstart.rst").read_text(encoding="utf-8")
    told = page.index(f"``{NAME}``")
    assert told < page.index("./" + NAME)


def test_a_wheel_is_installed_after_it_has_been_made():
    make, install = BLOCKS["quickstart-wheel"].commands
    assert requirements(make) == [f"./{NAME}"]
    assert WHEEL in install


def test_no_other_line_names_an_extra():
    """An installer that COMMAND does not know would escape the tests above."""
    named = sum(text.count(f"{NAME}[") + text.count(".whl[") for text in texts())
    assert named == sum("[" in line for line in install_lines())


def test_the_version_is_above_every_release_of_the_original():
    assert tuple(map(int, VERSION.split(".")[:2])) > (4, 1)


@pytest.mark.parametrize(
    "file",
    sorted((ROOT / NAME.replace("-", "_")).rglob("*.py")),
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_a_message_installs_what_an_extra_holds(file):
    text = file.read_text(encoding="utf-8")
    assert f"{NAME}[" not in text, "the index has another project of this name"
    for requirement in re.findall(r'pip install "?([^"\s]+)', text):
        assert f'"{requirement}' in EXTRAS
