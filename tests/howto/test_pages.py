"""Every how-to is in the index and has a module of tests, which runs all of its code."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.howto.project import BLOCKS, DIRECTORY, TEXTS

HERE = Path(__file__).parent


def file_of(page):
    return HERE / f"test_{page.replace('-', '_')}.py"


def test_every_page_is_in_the_index():
    index = (DIRECTORY / "index.rst").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^   ([a-z-]+)$", index, re.M)) == sorted(TEXTS)


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_every_page_has_tests_that_use_its_project(page):
    assert re.search(r"^def test_\w+\((.*\b)?project\b", file_of(page).read_text(), re.M)


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_every_block_is_a_file_of_the_project_or_run_by_name(page):
    tests = file_of(page).read_text()
    code = [block for block in BLOCKS[page] if block.language not in ("console", "javascript")]
    assert [block for block in code if not (block.caption or block.name)] == []
    named = [block.name for block in code if not block.caption]
    assert [name for name in named if f'"{name}"' not in tests] == []


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_a_page_is_short(page):
    assert len(TEXTS[page].splitlines()) <= 120


def test_every_command_takes_the_options_that_are_shown():
    shown = [line for page in BLOCKS for block in BLOCKS[page] for line in block.commands]
    ours = get_commands()
    for line in shown:
        _, program, *arguments = shlex.split(line)
        if program == "manage.py" and arguments[0] in ours:
            name, *options = arguments
            load_command_class(ours[name], name).create_parser(program, name).parse_args(options)
    assert shown


def test_every_script_is_javascript(node):
    scripts = {}
    for page, blocks in BLOCKS.items():
        for number, block in enumerate(blocks):
            if block.language == "javascript":
                scripts[f"{page} {number}"] = block.code
            if block.language == "html+django":
                for script in re.findall(r"<script\b[^>]*>(.*?)</script>", block.code, re.DOTALL):
                    scripts[f"{page} {number}"] = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "x", script)
    assert scripts
    check = """
        const errors = {};
        for (const [name, code] of Object.entries(scripts)) {
          try { new SourceTextModule(code) } catch (error) { errors[name] = String(error) }
        }
        console.log(JSON.stringify(errors));
    """
    modules = 'const { SourceTextModule } = require("vm");'
    options = ["--experimental-vm-modules"]
    assert node(check, modules, f"const scripts = {json.dumps(scripts)};", options=options) == {}
