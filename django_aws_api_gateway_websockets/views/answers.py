"""Answers to refused events: the hooks that choose them."""

from __future__ import annotations

from typing import Any, Optional

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.generic import View

from ..exceptions import AccessDenied, ConnectionUnknown, RateExceeded, RequestRefused


class Answers(View):
    """The hooks of a WebSocketView that answer what it refuses, and what has failed."""

    route_selection_key: str

    #: The EventDispatcher of this request, None before setup(). (Its module imports this one.)
    _event_dispatcher: Any = None

    def handler_failed(self, request: HttpRequest, error: Exception) -> None:
        """Override to tell the client: ``self.websocket_session.send_message({"error": ...})``.

        It is called after the exception has been logged. The connection stays open.
        """

    def missing_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to give another answer when a header is missing, or the gateway is not known.

        An event without the proof of its source gets the answer for an unknown gateway.
        """
        return self._return_bad_request("Some of the required headers are missing")

    def invalid_useragent(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to give another answer when the User-Agent is not that of API Gateway."""
        return self._return_bad_request("Unexpected Useragent")

    def route_selection_key_missing(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Override to give another answer when a message does not name its handler."""
        return self._return_bad_request(
            f"route_select_key {self.route_selection_key} missing from request body."
        )

    def permission_denied(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to give another answer to a user who may not do this, by default a 403."""
        return plain_answer(self, refusal_of(self) or AccessDenied("Permission denied"))

    def session_not_found(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to give another answer to a message whose connection is not known."""
        return plain_answer(self, refusal_of(self) or ConnectionUnknown("Unknown connection"))

    def _return_bad_request(self, msg: str) -> HttpResponse:
        """Override to answer all refusals in another way."""
        return HttpResponseBadRequest(msg, content_type="text/plain; charset=utf-8")


def refusal_of(view: Answers) -> Optional[RequestRefused]:
    """Return what the dispatcher refuses; None if a site asks for an answer itself."""
    return getattr(view._event_dispatcher, "refusal", None)


def plain_answer(view: Answers, refusal: RequestRefused) -> HttpResponse:
    """Return the answer of ``_return_bad_request`` with the refusal's text and status."""
    response = view._return_bad_request(str(refusal))
    if refusal.status_code != RequestRefused.status_code:
        response.status_code = refusal.status_code
    if isinstance(refusal, RateExceeded):
        response["Retry-After"] = str(refusal.retry_after)
    return response
