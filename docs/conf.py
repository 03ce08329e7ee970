"""Sphinx's settings. Autodoc imports models, so Django is set up first."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django_aws_api_gateway_websockets as package  # noqa: E402 (found through the line above)

settings.configure(
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        package.__name__,
    ],
)
django.setup()

project = "django-aws-api-gateway-websockets"
author = "the django-aws-api-gateway-websockets contributors"
copyright = author
version = release = package.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.extlinks"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"{project} {release}"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
extlinks = {
    "django": ("https://docs.djangoproject.com/en/stable/%s", None),
    "aws": ("https://docs.aws.amazon.com/apigateway/latest/developerguide/%s.html", None),
}


def setup(app: Any) -> None:
    app.connect("include-read", read_changelog)


def read_changelog(app: Any, path: Path, docname: str, content: list[str]) -> None:
    """Make reStructuredText of CHANGELOG.md, which uses headings, bullets and code alone."""
    if path.name == "CHANGELOG.md":
        text = content[0].replace("`", "``")
        content[0] = re.sub(r"^(#+) (.*)$", underlined, text, flags=re.MULTILINE)


def underlined(heading: re.Match[str]) -> str:
    marks, text = heading.groups()
    return f"{text}\n{'=-~'[len(marks) - 1] * len(text)}"
