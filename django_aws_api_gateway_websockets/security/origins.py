"""Origins of pages: which of them may open a socket. Knows settings, no request."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple, Optional, Sequence
from urllib.parse import urlsplit

from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from ..conf import DEFAULT_PORTS, conf

#: The Origin of an app or an extension of a browser: "capacitor://localhost".
_APP_ORIGIN = re.compile(r"(?!https?:|wss?:|ftp:|file:)[a-z][a-z0-9+.-]*://[a-z0-9._-]+(:[0-9]+)?")


class Origin(NamedTuple):
    """The scheme, host and port of an Origin header, parsed."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, value: str) -> Optional[Origin]:
        """Return the origin, or None for other text ("null", a path, user information)."""
        try:
            url = urlsplit(value)
            port = url.port or DEFAULT_PORTS[url.scheme]
        except (ValueError, KeyError):
            return None
        host = url.hostname or ""
        host = f"[{host}]" if ":" in host else host
        plain = f"{url.scheme}://{host}"
        # urlsplit() is lenient. A browser sends an origin in one form, and nothing after it.
        if not host or value.lower() not in (plain, f"{plain}:{port}"):
            return None
        return cls(url.scheme, host, port)

    @property
    def netloc(self) -> str:
        return self.host if self.has_default_port else f"{self.host}:{self.port}"

    @property
    def has_default_port(self) -> bool:
        return self.port == DEFAULT_PORTS[self.scheme]


def host_of(url: str) -> str:
    """Return the host name of a URL in lower case, or an empty string."""
    return (urlsplit(url).hostname or "").lower()


def is_site_host(host: str, patterns: Sequence[str]) -> bool:
    """True if ALLOWED_HOSTS names the host. A "*" does not say which pages are the site's."""
    return validate_host(host, [pattern for pattern in patterns if pattern != "*"])


def is_trusted_origin(value: str, origins: Sequence[str]) -> bool:
    """True if CSRF_TRUSTED_ORIGINS has this Origin: the comparisons of CsrfViewMiddleware.

    An entry without "*" is compared as text, so those of apps ("capacitor://localhost") count.
    """
    if value in origins and "*" not in value:
        return True
    try:
        origin = urlsplit(value)
    except ValueError:
        return False
    patterns = [urlsplit(trusted) for trusted in origins if "*" in trusted]
    return any(
        pattern.scheme == origin.scheme
        and is_same_domain(origin.netloc, pattern.netloc.lstrip("*"))
        for pattern in patterns
    )


def is_origin_among(value: str, origins: Iterable[str]) -> bool:
    """True if a view's list has this Origin, by the same rules.

    They are asked about an Origin that is one, in the form in which browsers send it.
    """
    origin = Origin.parse(value)
    if origin is not None:
        value = f"{origin.scheme}://{origin.netloc}"
    elif not _APP_ORIGIN.fullmatch(value):
        return False
    return is_trusted_origin(value, list(origins))


def is_origin_pattern(text: str) -> bool:
    """True for an origin as browsers send it, or with "*." for all sub-domains of one."""
    plain = str(text).replace("://*.", "://", 1)
    if _APP_ORIGIN.fullmatch(plain):
        return True
    origin = Origin.parse(plain)
    if origin is None or "*" in plain:
        return False
    return plain == f"{origin.scheme}://{origin.netloc}"


def is_own_origin(
    origin: Origin, request_host: str, scheme: str, own_hosts: Sequence[str]
) -> bool:
    """True if a page of that origin is one of this site's.

    ``scheme`` is what the client used: a page that came over plain HTTP is not the site that is
    served over HTTPS. The port must be the scheme's own or that of the request's Host.
    ``own_hosts`` are the site's as well, besides ALLOWED_HOSTS and the request's Host.
    """
    if origin.scheme == "http" and scheme != "http":
        return False
    host, port = split_domain_port(request_host)
    if not origin.has_default_port and str(origin.port) != port:
        return False
    return origin.host in (host, *own_hosts) or is_site_host(origin.host, conf.allowed_hosts)
