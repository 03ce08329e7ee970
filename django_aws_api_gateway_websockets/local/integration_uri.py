"""Integration URI: which URLs the gateway could call. Knows no network."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, unquote, urlsplit

from .errors import BadRequest

#: What a URL may hold (RFC 3986), the braces of a path parameter, and letters beyond ASCII, which
#: are encoded when the URL is called.
_CHARACTERS = re.compile(r"""[^\x00-\x20\x7f-\xa0"<>\\^`|\ud800-\udfff]+""")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: A name. Docker Compose has names with underscores.
_NAME = re.compile(r"(?!.{254})[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def check_uri(uri: str) -> None:
    """BadRequest unless it is an HTTP URL that could be called."""
    if not (_CHARACTERS.fullmatch(uri) and uri.startswith(("http://", "https://"))):
        raise _invalid(uri)
    if _PERCENT.search(uri) or "${" in uri:
        # AWS would put a stage variable into ${stageVariables.x}. The local gateway does not.
        raise _invalid(uri)
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise _invalid(uri) from None
    if port == 0 or "#" in uri or "@" in parts.netloc or not _has_host(parts):
        raise _invalid(uri)


def _has_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        if parts.netloc.startswith("["):
            return bool(IPv6Address(unquote(host)))
        if re.search(r"(^|\.)[0-9]+\.?$", host):  # It is no name if its last part is a number.
            return bool(IPv4Address(host))
    except AddressValueError:
        return False
    return _NAME.fullmatch(host) is not None


def _invalid(uri: str) -> BadRequest:
    return BadRequest(f"Invalid HTTP endpoint specified for URI: {uri}")
