"""Template tags: ``{% load aws_websockets %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.shortcuts import resolve_url
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe

from .. import pages
from ..conf import conf

register = template.Library()

#: How the client knows its user, see ``authentication`` in client.d.ts.
AUTHENTICATION = ("ticket", "cookie")


@register.simple_tag(takes_context=True)
def websocket(
    context: template.Context,
    *,
    url: str = "",
    channel: str = "",
    ticket_url: str = "",
    authentication: str = "ticket",
    key: str = "",
    id: str = "websocket",  # noqa: A002 - the attribute's name in HTML
) -> SafeString:
    """Leave in the page, as JSON, what the client's ``connect()`` needs.

    ``url`` is the socket's. Without it that of WebSocketContextMixin is taken, or that of the
    first gateway that has been created, at ``channel``. ``ticket_url`` is the path, or the name in
    the URLconf, of a WebSocketTokenView; it is left out for a visitor who is not logged in and
    could get no ticket. With ``authentication="cookie"`` the client opens without tickets, and
    asks there only why it is refused. ``key`` names the handler in a message, "action" unless the
    gateway's route selection expression says another one. ``id`` is that of the element.

    A nonce of Django's Content Security Policy (6.0), or of django-csp, is added.
    """
    request = getattr(context, "request", None) or context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            "{% websocket %} needs the request: render(request, ...)."
        )
    if authentication not in AUTHENTICATION:
        raise template.TemplateSyntaxError(
            f'{{% websocket %}}: authentication is "ticket" or "cookie", not "{authentication}".'
        )
    given = url or context.get("websocket_url", "")
    gateway = context.get("websocket_gateway") or (None if given else pages.find_gateway())
    data: dict[str, Any] = {
        "url": given or pages.socket_url(gateway, channel, request),
        "key": key or (gateway and gateway.message_key) or "action",
    }
    if ticket_url and is_logged_in(request):
        data.update(pages.ticket_data(request, resolve_url(ticket_url), authentication))
    if conf.client_limits:
        data["limits"] = conf.client_limits
    return with_nonce(json_script(data, id), context, request)


def is_logged_in(request: Any) -> bool:
    return bool(getattr(getattr(request, "user", None), "is_authenticated", False))


def with_nonce(script: SafeString, context: template.Context, request: Any) -> SafeString:
    """Return the element with the page's nonce, if it has one."""
    nonce = context.get("csp_nonce")
    if nonce is None:
        nonce = getattr(request, "csp_nonce", None)
    # Django's own is false until its text is asked for, which makes it.
    text = "" if nonce is None else str(nonce)
    if not text:
        return script
    attribute = format_html('<script nonce="{}" ', text)
    return mark_safe(script.replace("<script ", attribute, 1))  # noqa: S308 - both are escaped
