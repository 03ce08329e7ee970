"""Errors: the answer to an exception that nobody expects, and what is rolled back."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.log import log_response

#: The exceptions that Django itself answers with a 4xx.
ANSWERED_BY_DJANGO = (BadRequest, Http404, PermissionDenied, SuspiciousOperation)


def status_of(error: Exception) -> int:
    """Return the status of Django's answer to one of ``ANSWERED_BY_DJANGO``."""
    if isinstance(error, Http404):
        return 404
    return 403 if isinstance(error, PermissionDenied) else 400


def respond_to(error: Exception, request: HttpRequest, what: str) -> HttpResponse:
    """Log the exception; return a 500 without details, even with DEBUG: it may reach a client.

    As for any exception in a view, the logger is ``django.request``, where the site's other errors
    are logged, and the signal ``got_request_exception`` is sent.
    """
    response = HttpResponse(
        "Internal server error", status=500, content_type="text/plain; charset=utf-8"
    )
    got_request_exception.send(sender=None, request=request)
    log_response("%s", what, response=response, request=request, exception=error)
    return response


def roll_back(request: HttpRequest) -> None:
    """Undo what the request wrote where ATOMIC_REQUESTS is on: only an exception would do so."""
    view = request.resolver_match and request.resolver_match.func
    exempt = getattr(view, "_non_atomic_requests", ())
    for connection in connections.all():
        is_ours = connection.settings_dict["ATOMIC_REQUESTS"] and connection.alias not in exempt
        if is_ours and connection.in_atomic_block:
            connection.set_rollback(True)


def is_rolled_back(using: Any) -> bool:
    """True if what the request wrote will not be committed."""
    connection = connections[using]
    return connection.in_atomic_block and connection.needs_rollback
