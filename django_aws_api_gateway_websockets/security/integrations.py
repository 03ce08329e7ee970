"""Integrations: to which hosts a gateway may post. Knows settings, no model."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.http.request import validate_host

from ..conf import conf

#: A host with or without a port, and nothing that two parsers of URLs read as two hosts: no user
#: information, no backslash, none of API Gateway's ${variables}.
_PLAIN_NETLOC = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?", re.IGNORECASE)

#: What ALLOWED_HOSTS may hold: a host, a domain with its sub-domains (".example.com"), or "*".
_PATTERN = re.compile(r"\*|\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)


def integration_refusal(url: str) -> str:
    """Why no integration may post to this URL, or an empty string."""
    patterns = conf.allowed_integration_hosts
    if not patterns or validate_host(_host_of(url), patterns):
        return ""
    return f'The host of {url} is not in WEBSOCKETS["allowed_integration_hosts"].'


def is_host_pattern(text: str) -> bool:
    """True for what WEBSOCKETS["allowed_integration_hosts"] may hold: no scheme, port or path."""
    return _PATTERN.fullmatch(text) is not None


def _host_of(url: str) -> str:
    """Return the host as ALLOWED_HOSTS has it, or an empty string if it is not certain."""
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        return ""
    # urlsplit() drops line ends and tabs without a word.
    if re.search(r"[\s\\]", url) or not _PLAIN_NETLOC.fullmatch(netloc):
        return ""
    return re.sub(r":[0-9]+$", "", netloc).lower().rstrip(".")
