"""Install lines of the README and of docs/: the commands by which a user gets the package.

    python -m tests.install_lines

prints them, and nothing besides: .ci/leg runs each, word for word.
"""

from __future__ import annotations

import re
import sys

from tests.pages import README, ROOT

#: A command of an installer, to the end of its line or of its literal.
COMMAND = re.compile(
    r"(?:python3? -m )?\b(?:pip3?|pipx|uv|poetry|pdm|conda|easy_install) "
    r"(?:pip )?(?:install|wheel|download|add|run|tool)\b[^`\n]*"
)


def install_lines() -> list[str]:
    """Return each command that installs something, or makes a wheel, in the order of the pages."""
    found = [line for text in texts() for line in COMMAND.findall(text)]
    # An option alone, as in "pip install --upgrade", is talked about, and not to be run.
    talk = re.compile(r"(?:\S+ )*?(?:install|wheel)(?: -\S+)*\s*")
    return [line for line in found if not talk.fullmatch(line)]


def texts() -> list[str]:
    pages = sorted((ROOT / "docs").rglob("*.rst"))
    return [README, *(page.read_text(encoding="utf-8") for page in pages)]


def main() -> None:
    for line in dict.fromkeys(install_lines()):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
