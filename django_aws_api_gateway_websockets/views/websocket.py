"""WebSocketView: what a site subclasses and mounts."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from .dispatcher import EventDispatcher
from .events import event_of
from .handlers import is_handler
from .hooks import Hooks
from .logins import COOKIE, take_ticket


class WebSocketView(Hooks):
    """Answers the events of API Gateway; one public method for each action a client may ask for.

    A message {"action": "chat", ...} is handed to the method ``chat(request, *args, **kwargs)``,
    or to ``default`` if there is no such method. Clients can call only public plain methods that
    a subclass, or its bases and mixins below this class, adds. A handler finds the message in
    ``self.body``, the connection in ``self.websocket_session`` and its user in ``request.user``;
    it may return None, a dict or an HttpResponse.

    Mount it on a pattern with a ``route`` argument: ``path("ws/<slug:route>", View.as_view())``.
    """

    # Django would take an action called "delete" for an HTTP method, and its async handler for
    # that of an async view.
    view_is_async = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        # Set on the view as well, because a mixin's dispatch() would hide dispatch's attributes.
        view.csrf_exempt = True
        view.login_required = False
        # For provisioning, which knows views by their URLs alone.
        view.has_handler = partial(is_handler, cls, Hooks)
        return view

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        # The proof and the ticket leave the request here, before anything can log or show them.
        event_of(request)
        if self.authentication != COOKIE:
            take_ticket(request)
        self._debug("Within setup")
        super().setup(request, *args, **kwargs)
        self._event_dispatcher = EventDispatcher(self, request, *args, **kwargs)
        self._debug("Setup completed")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or "post" not in self.http_method_names:
            return self.http_method_not_allowed(request, *args, **kwargs)
        dispatcher = self._event_dispatcher
        response: HttpResponseBase = dispatcher.respond(dispatcher.call_handler)
        return response

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Override to give another answer to what is no POST."""
        return HttpResponseNotAllowed(["POST"] if "post" in self.http_method_names else [])

    # API Gateway has neither a CSRF token nor a login. (login_not_required is Django 5.1's.)
    dispatch.csrf_exempt = True  # type: ignore[attr-defined]
    dispatch.login_required = False  # type: ignore[attr-defined]
