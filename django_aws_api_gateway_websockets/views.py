"""WebSocketView: parse, vet, find the handler, call it."""

from __future__ import annotations

import logging
from typing import Any, ClassVar, Optional

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase

from .events import Event, parse_body
from .exceptions import (
    HeadersMissing,
    RequestRefused,
    RouteSelectionKeyMissing,
    UserAgentUnexpected,
)
from .handlers import Handler, call, find_handlers
from .vetting import CONNECT, DISCONNECT, VettingView

logger = logging.getLogger(__name__)


class WebSocketView(VettingView):
    """Answers the events of API Gateway; one public method for each action a client may ask for.

    A message {"action": "chat", ...} is handed to the method ``chat(request, *args, **kwargs)``,
    or to ``default`` if there is no such method. Only public plain methods that a subclass, or its
    bases and mixins below this class, adds can be asked for. A handler finds the message in
    ``self.body``, the connection in ``self.websocket_session`` and its user in ``request.user``;
    it may return None, a dict or an HttpResponse.

    Mount it on a pattern with a ``route`` argument: ``path("ws/<slug:route>", View.as_view())``.
    """

    #: The key of a message that names its handler.
    route_selection_key: str = "action"
    body: dict[str, Any] = {}
    # Django would take an action called "delete" for an HTTP method, and its async handler for
    # that of an async view.
    view_is_async = False

    _handlers: ClassVar[frozenset[str]] = frozenset()
    _malformed: Optional[RequestRefused] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._handlers = find_handlers(cls, WebSocketView)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        # Said here too, since a mixin's own dispatch() would hide what this class's says.
        view.csrf_exempt = True
        view.login_required = False
        return view

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.debug_log = []
        self._route = str(kwargs.get("route", "default"))
        self._event = Event.from_headers(request.headers)
        try:
            self.body = parse_body(request)
        except RequestRefused as refusal:
            self._malformed = refusal

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            if self._malformed:
                raise self._malformed
            self._vet(request, *args, **kwargs)
            return call(self._find_handler(), request, *args, **kwargs)
        except RequestRefused as refusal:
            return self._refuse(refusal, request, *args, **kwargs)

    # API Gateway has neither a CSRF token nor a login. (login_not_required is Django 5.1's.)
    dispatch.csrf_exempt = True  # type: ignore[attr-defined]
    dispatch.login_required = False  # type: ignore[attr-defined]

    def connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $connect; call super() first, which makes the session.

        Don't send to the new connection here: until this returns, AWS says that it is gone.
        """
        user = getattr(request, "user", None)
        self.websocket_session = self.model.objects.open(
            self._event.connection_id,
            may_exist=getattr(self.api_gateway, "connection_taken", False),
            channel_name=self._channel_name,
            user=user if user is not None and user.is_authenticated else None,
            api_gateway=self.api_gateway,
        )
        return JsonResponse({})

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $disconnect; call super(), which marks the session as closed."""
        self._record_request(connected=False)
        return JsonResponse({})

    def default(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to handle the messages that no other method handles."""
        raise NotImplementedError("This logic needs to be defined within the subclass")

    def missing_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to answer otherwise when a header is missing."""
        return self._return_bad_request("Some of the required headers are missing")

    def invalid_useragent(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to answer otherwise when the User-Agent is not API Gateway's."""
        return self._return_bad_request("Unexpected Useragent")

    def route_selection_key_missing(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Override to answer otherwise when a message does not name its handler."""
        return self._return_bad_request(
            f"route_select_key {self.route_selection_key} missing from request body."
        )

    def _return_bad_request(self, msg: str) -> HttpResponse:
        """Override to answer refusals otherwise."""
        return HttpResponse(msg, status=400, content_type="text/plain; charset=utf-8")

    def _find_handler(self) -> Handler:
        if self._route == CONNECT:
            return self.connect
        if self._route == DISCONNECT:
            return self.disconnect
        handler = self._message_handler()
        self._record_request()
        return handler

    def _record_request(self, **columns: Any) -> None:
        if self.websocket_session is not None:
            self.model.objects.record_request(self.websocket_session, **columns)

    def _message_handler(self) -> Handler:
        # A route of its own needs no key: its name is in the URL.
        fallback = self._route if self._route in self._handlers else None
        action = self.body.get(self.route_selection_key, fallback)
        if not action or not isinstance(action, str):
            raise RouteSelectionKeyMissing
        self._debug(f"Action: {action}")
        if action in self._handlers:
            return getattr(self, action)  # type: ignore[no-any-return]
        if type(self).default is WebSocketView.default:
            raise RequestRefused("Unknown action")
        return self.default

    def _refuse(
        self, refusal: RequestRefused, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Answer a refusal by the hook that bears its name; the reason goes to the log."""
        logger.warning(
            "Event refused reason=%s %s route=%s connection_id=%r request_id=%r",
            type(refusal).__name__,
            refusal,
            self._route,
            self._event.connection_id,
            self._event.request_id,
        )
        if isinstance(refusal, HeadersMissing):
            return self.missing_headers(request, *args, **kwargs)
        if isinstance(refusal, UserAgentUnexpected):
            return self.invalid_useragent(request, *args, **kwargs)
        if isinstance(refusal, RouteSelectionKeyMissing):
            return self.route_selection_key_missing(request, *args, **kwargs)
        response = self._return_bad_request(str(refusal))
        if refusal.status_code != RequestRefused.status_code:
            response.status_code = refusal.status_code
        return response
