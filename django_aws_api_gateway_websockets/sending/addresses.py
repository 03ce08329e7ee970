"""Addresses of endpoints: the host, the proxy, and the certificates that TLS trusts."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Any, NamedTuple, Optional, Tuple
from urllib.parse import quote, urlsplit

import boto3
from botocore.httpsession import ProxyConfiguration, get_cert_path
from botocore.utils import get_environ_proxies

from .. import aws
from ..aws import Endpoint
from ..conf import DEFAULT_PORTS, conf

HOST = r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"

#: A URL that all HTTP libraries read, and sign, in the same way. boto3 serves the others.
ORDINARY_URL = re.compile(rf"https?://{HOST}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

#: A proxy that boto3 is not needed for: one that is spoken to without TLS.
ORDINARY_PROXY = re.compile(rf"http://(?:[^@/?#]*@)?{HOST}/?", re.IGNORECASE)

#: A connection id in the form that API Gateway gives it.
AWS_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]+=*")


class Proxy(NamedTuple):
    """A proxy by which a place is reached."""

    #: Its name and port.
    host: Tuple[str, int]
    #: The header with its user name and password and a line break, or "".
    authorization: str


class Place(NamedTuple):
    """Where a connection leads. Requests to one place may share their connections."""

    scheme: str
    hostname: str
    port: int
    proxy: Optional[Proxy]


class Address(NamedTuple):
    """An endpoint, taken apart once for all of its recipients."""

    region: str
    place: Place
    #: The Host header: with the port, unless it is the scheme's own.
    host: str
    #: The path up to the connection id, as it is sent and as it is signed.
    path: str
    canonical_path: str

    @property
    def relay(self) -> Optional[Proxy]:
        """The proxy that reads the requests itself, as it does without TLS."""
        return self.place.proxy if self.place.scheme == "http" else None


def address_of(endpoint: Endpoint) -> Optional[Address]:
    """Return the address of an endpoint, by the proxy that now counts.

    None means that the endpoint or its proxy is not ordinary, and only boto3 can reach it.
    """
    try:
        return _address(endpoint, proxy_for(endpoint.url))
    except ValueError:  # No such port or IP address can exist.
        return None


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


def trusted_certificates(session: boto3.Session) -> str:
    """Return the file or directory of the certificates that TLS trusts, as boto3 finds it.

    That is AWS_CA_BUNDLE, ``ca_bundle`` of the profile, REQUESTS_CA_BUNDLE, or botocore's own.
    """
    chosen: Any = (
        aws.config_variable(session, "ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    )
    return str(get_cert_path(chosen))


def escaped(connection_id: str) -> str:
    """Return a connection id as it stands in a path: ids end in "=", which becomes %3D."""
    if AWS_CONNECTION_ID.fullmatch(connection_id):
        return connection_id.replace("=", "%3D")
    return quote(connection_id, safe="-._~")


@lru_cache(maxsize=256)
def _address(endpoint: Endpoint, proxy: Optional[str]) -> Optional[Address]:
    if not ORDINARY_URL.fullmatch(endpoint.url):
        return None
    if proxy is not None and not ORDINARY_PROXY.fullmatch(proxy):
        return None
    parts = urlsplit(endpoint.url)
    hostname = str(parts.hostname)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    host = f"[{hostname}]" if ":" in hostname else hostname
    if port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    place = Place(parts.scheme, hostname, port, proxy_of(proxy) if proxy else None)
    path = f"{parts.path}/@connections/"
    # Escaped characters are escaped again before they are signed.
    return Address(endpoint.region, place, host, path, quote(path, safe="/~"))


def proxy_of(url: str) -> Proxy:
    """Return the proxy of an ordinary URL."""
    parts = urlsplit(url)
    headers = ProxyConfiguration().proxy_headers_for(url)
    authorization = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return Proxy((str(parts.hostname), parts.port or DEFAULT_PORTS["http"]), authorization)
