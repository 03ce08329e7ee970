"""Addresses of endpoints: the host, the proxy, and the certificates that TLS trusts."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Any, NamedTuple, Optional
from urllib.parse import quote, urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from .. import aws
from ..aws import Endpoint
from ..conf import DEFAULT_PORTS, conf

#: A URL that all HTTP libraries read, and sign, in the same way. boto3 serves the others.
ORDINARY_URL = re.compile(
    r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"
    r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*",
)
#: A connection id in the form that API Gateway gives it.
AWS_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]+=*")


class Address(NamedTuple):
    """An endpoint, taken apart once for all of its recipients."""

    region: str
    scheme: str
    hostname: str
    port: int
    #: The Host header: with the port, unless it is the scheme's own.
    host: str
    #: The path up to the connection id, as it is sent and as it is signed.
    path: str
    canonical_path: str
    #: The proxy's URL, with a scheme, or None.
    proxy: Optional[str]

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"


@lru_cache(maxsize=1024)
def is_ordinary(endpoint: Endpoint) -> bool:
    """True if the endpoint can be reached without boto3."""
    try:
        urlsplit(endpoint.url).port  # noqa: B018
    except ValueError:  # no such port or IP address can exist
        return False
    return ORDINARY_URL.fullmatch(endpoint.url) is not None


def address_of(endpoint: Endpoint) -> Address:
    """Return the address of an ordinary endpoint, with the proxy that now counts."""
    return _address(endpoint, proxy_for(endpoint.url))


def proxy_for(url: str) -> Optional[str]:
    """Return the URL of the proxy for this URL as boto3 finds it, or None.

    HTTP_PROXY, HTTPS_PROXY and NO_PROXY count, in either letter case. This machine itself is
    reached without a proxy, as by boto3's clients.
    """
    if conf.endpoint_is_loopback:
        return None
    proxy: Optional[str] = get_environ_proxies(url).get(urlsplit(url).scheme)
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def trusted_certificates() -> str:
    """Return the file or directory of the certificates that TLS trusts, as boto3 finds it.

    That is AWS_CA_BUNDLE, ``ca_bundle`` of the profile, REQUESTS_CA_BUNDLE, or botocore's own.
    """
    chosen: Any = aws.config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    return str(get_cert_path(chosen))


def escaped(connection_id: str) -> str:
    """Return a connection id as it stands in a path: ids end in "=", which becomes %3D."""
    if AWS_CONNECTION_ID.fullmatch(connection_id):
        return connection_id.replace("=", "%3D")
    return quote(connection_id, safe="-._~")


def canonical(path: str) -> str:
    """Return a request's path as it is signed: escaped characters are escaped again."""
    return quote(path, safe="/~")


@lru_cache(maxsize=256)
def _address(endpoint: Endpoint, proxy: Optional[str]) -> Address:
    parts = urlsplit(endpoint.url)
    hostname = str(parts.hostname)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    host = f"[{hostname}]" if ":" in hostname else hostname
    if port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    path = f"{parts.path}/@connections/"
    return Address(
        endpoint.region, parts.scheme, hostname, port, host, path, canonical(path), proxy
    )
