"""Pure questions about one request. Knows headers and settings, no model and no view."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Iterable, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost, TooManyFieldsSent
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from .conf import conf

DEFAULT_PORTS = {"http": 80, "https": 443}

#: The widths of their database columns.
MAX_API_ID = 32
MAX_CHANNEL_NAME = 128
MAX_CONNECTION_ID = 255


class Origin(NamedTuple):
    """The scheme, host and port of an Origin header, parsed."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, value: str) -> Optional[Origin]:
        """Return the origin, or None for what is none ("null", a path, user information)."""
        try:
            url = urlsplit(value)
            port = url.port or DEFAULT_PORTS[url.scheme]
        except (ValueError, KeyError):
            return None
        host = url.hostname or ""
        host = f"[{host}]" if ":" in host else host
        plain = f"{url.scheme}://{host}"
        # urlsplit() is lenient. What a browser sends is an origin's one form, and nothing more.
        if not host or value.lower() not in (plain, f"{plain}:{port}"):
            return None
        return cls(url.scheme, host, port)

    @property
    def netloc(self) -> str:
        return self.host if self.has_default_port else f"{self.host}:{self.port}"

    @property
    def has_default_port(self) -> bool:
        return self.port == DEFAULT_PORTS[self.scheme]


def missing_headers(headers: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``names`` that are absent or empty."""
    return tuple(name for name in names if not headers.get(name))


def is_connection_id(value: str) -> bool:
    """True for printable ASCII without spaces, as API Gateway's ids are, that fits its column."""
    return re.fullmatch(rf"[!-~]{{1,{MAX_CONNECTION_ID}}}", value) is not None


def is_api_id(value: str) -> bool:
    """True for printable ASCII without spaces that fits its column."""
    return re.fullmatch(rf"[!-~]{{1,{MAX_API_ID}}}", value) is not None


def is_channel_name(value: str) -> bool:
    """True for at most 128 printable characters; spaces are, line ends and NUL are not."""
    return len(value) <= MAX_CHANNEL_NAME and value.isprintable()


def network_of(address: str) -> str:
    """Return what belongs to one client: an IPv4 address, or the /64 around an IPv6 one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((ip, 64), strict=False)) if ip.version == 6 else address


def is_site_host(host: str, patterns: Sequence[str]) -> bool:
    """True if ALLOWED_HOSTS names the host. Its "*" says nothing about which pages are ours."""
    return validate_host(host, [pattern for pattern in patterns if pattern != "*"])


def has_allowed_host(request: HttpRequest) -> bool:
    """True if the request's Host is one of ALLOWED_HOSTS."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def has_readable_query(request: HttpRequest) -> bool:
    """True unless the query has more fields than DATA_UPLOAD_MAX_NUMBER_FIELDS."""
    try:
        # URLs are UTF-8, and not what a client's Content-Type says: "charset=utf-7" would give
        # half characters, which can neither be stored nor hashed.
        request.encoding = "utf-8"
        return request.GET is not None
    except TooManyFieldsSent:
        return False


def has_readable_session_cookie(request: HttpRequest) -> bool:
    """True unless the session cookie has a NUL, at which PostgreSQL fails ("\\000" is one)."""
    return "\0" not in request.COOKIES.get(conf.session_cookie_name, "")


def is_origin_among(origin: Origin, origins: Iterable[str]) -> bool:
    """True if a list has the origin, by the rules of Django's CSRF_TRUSTED_ORIGINS."""
    for trusted in map(urlsplit, origins):
        if trusted.scheme == origin.scheme and (
            trusted.netloc == origin.netloc
            or (
                "*" in trusted.netloc and is_same_domain(origin.netloc, trusted.netloc.lstrip("*"))
            )
        ):
            return True
    return False


def is_origin_pattern(text: str) -> bool:
    """True for what is_origin_among() can find: an origin in its one form, or of sub-domains."""
    plain = str(text).replace("://*.", "://", 1)
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
    ``own_hosts`` are ours besides ALLOWED_HOSTS and the request's Host.
    """
    if origin.scheme == "http" and scheme != "http":
        return False
    host, port = split_domain_port(request_host)
    if not origin.has_default_port and str(origin.port) != port:
        return False
    return origin.host in (host, *own_hosts) or is_site_host(origin.host, conf.allowed_hosts)
