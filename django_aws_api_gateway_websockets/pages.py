"""Pages: what a page must know to open its socket."""

from __future__ import annotations

from typing import Any, Dict, Optional
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest
from django.http.request import split_domain_port
from django.middleware.csrf import get_token

from .conf import conf
from .models import ApiGateway


def find_gateway(api_name: Optional[str] = None) -> Optional[ApiGateway]:
    """Return the created gateway of that name, or the first one that has been created."""
    created = ApiGateway.objects.filter(api_created=True)
    if api_name:
        created = created.filter(api_name=api_name)
    return created.order_by("pk").first()


def socket_url(gateway: Optional[ApiGateway], channel: str, request: HttpRequest) -> str:
    """Return the URL at which a page's socket joins a channel; an empty one without a gateway."""
    own_url = gateway.socket_url if gateway else ""
    if not own_url:
        return ""
    url = urlsplit(own_url)
    if conf.endpoint_is_loopback and url.port:  # AWS's URLs have no port
        # To a browser localhost and 127.0.0.1 are two sites. Only the page's own host has the
        # page's cookies.
        page_host, _ = split_domain_port(request.get_host())
        url = url._replace(netloc=f"{page_host}:{url.port}")
    # Some programs between here and the view do not read + as a space. All read %20 so.
    query = urlencode({"channel": channel}, quote_via=quote) if channel else ""
    return urlunsplit(url._replace(query=query))


def ticket_data(request: HttpRequest, ticket_url: str, authentication: str) -> Dict[str, Any]:
    """Return what a page needs to ask for tickets."""
    csrf = {"header": conf.csrf_header, "token": get_token(request), "cookie": conf.csrf_cookie}
    return {"ticketUrl": ticket_url, "authentication": authentication, "csrf": csrf}
