"""The README and the pages of docs/, and the blocks of code on them.

A block has a name: `:name:` on the pages, its place in the README.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any, Dict, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.rst")}

#: A directive with its options and its indented content.
CODE_BLOCK = re.compile(
    r"^( *)\.\. code-block:: (\S+)\n((?:\1   :\w+: .*\n)*)\n((?:\1   .*\n|\n)+)", re.MULTILINE
)


class Block(NamedTuple):
    language: str
    code: str
    name: str = ""
    #: The file that it is to be written to.
    caption: str = ""

    @property
    def commands(self) -> list[str]:
        return [line[2:] for line in self.code.splitlines() if line.startswith("$ ")]


def blocks_of_page(text: str) -> list[Block]:
    found = []
    for _, language, options, code in CODE_BLOCK.findall(text):
        named = dict(re.findall(r":(name|caption): (.*)", options))
        found.append(Block(language, textwrap.dedent(code).strip() + "\n", **named))
    return found


def blocks_of_readme() -> list[Block]:
    fences = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    count: Dict[str, int] = {}
    found = []
    for language, code in fences:
        count[language] = count.get(language, 0) + 1
        found.append(Block(language, code, f"readme-{language}-{count[language]}"))
    return found


ALL = [block for text in PAGES.values() for block in blocks_of_page(text)] + blocks_of_readme()
BLOCKS = {block.name: block for block in ALL if block.name}


def run(name: str, **names: Any) -> Dict[str, Any]:
    """Execute a block; return its names."""
    namespace = {"__name__": name, **names}
    exec(compile(BLOCKS[name].code, f"<{name}>", "exec"), namespace)  # noqa: S102 - our own pages
    return namespace
