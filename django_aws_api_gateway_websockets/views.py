"""WebSocketView: parse, vet, find the handler, call it. And the view that gives out tickets."""

from __future__ import annotations

import logging
from typing import Any, ClassVar, Optional

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.generic import View

from . import faults, identity
from .conf import conf
from .decorators import permissions_of, vet_permissions
from .events import parse_body
from .exceptions import (
    HeadersMissing,
    RateExceeded,
    RequestRefused,
    RouteSelectionKeyMissing,
    UserAgentUnexpected,
)
from .handlers import Handler, call, find_handlers
from .handshake import HandshakeView
from .tickets import WebSocketTicket
from .vetting import CONNECT, DISCONNECT

logger = logging.getLogger(__name__)


class WebSocketView(HandshakeView):
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
    #: Publish the handler ``change_channel``: {"action": "change_channel", "channel": "garden"}.
    allow_channel_change: bool = False
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

    @cached_property
    def body(self) -> dict[str, Any]:
        """The message, an empty dict if there is none. It is parsed when first asked for."""
        try:
            return parse_body(self.request)
        except RequestRefused as refusal:
            self._malformed = refusal
            return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        response: Optional[HttpResponseBase] = None
        try:
            self._vet(request, *args, **kwargs)
            response = call(self._find_handler(), request, *args, **kwargs)
        except RequestRefused as refusal:
            response = self._refuse(refusal, request, *args, **kwargs)
        except faults.ANSWERED_BY_DJANGO:
            raise
        except Exception as error:  # noqa: BLE001 - as Django itself does around every view
            response = self._fail(error, request)
        finally:
            if self._route == CONNECT:
                self._end_handshake(response)
        return response

    # API Gateway has neither a CSRF token nor a login. (login_not_required is Django 5.1's.)
    dispatch.csrf_exempt = True  # type: ignore[attr-defined]
    dispatch.login_required = False  # type: ignore[attr-defined]

    def default(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to handle the messages that no other method handles."""
        raise NotImplementedError("This logic needs to be defined within the subclass")

    def handler_failed(self, request: HttpRequest, error: Exception) -> None:
        """Override to tell the client: ``self.websocket_session.send_message({"error": ...})``.

        It is called when the exception has been logged. The connection stays open.
        """

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
        """Return the method to call; count a message once it is known to have one."""
        self.body  # noqa: B018 - parsed now, if nobody has asked for it
        if self._malformed:
            raise self._malformed
        if self._route == CONNECT:
            return self._permitted(self.connect)
        if self._route == DISCONNECT:
            return self.disconnect
        handler = self._permitted(self._message_handler())
        self._record_request()
        return handler

    def _message_handler(self) -> Handler:
        # A route of its own needs no key: its name is in the URL.
        fallback = self._route if self._route in self._handlers else None
        action = self.body.get(self.route_selection_key, fallback)
        if not action or not isinstance(action, str):
            raise RouteSelectionKeyMissing
        self._debug(f"Action: {action}")
        if action in self._handlers:
            return getattr(self, action)  # type: ignore[no-any-return]
        if action == "change_channel" and self.allow_channel_change:
            return self._change_channel
        if type(self).default is WebSocketView.default:
            raise RequestRefused("Unknown action", reason=f"action={action[:80]!r}")
        return self.default

    def _permitted(self, handler: Handler) -> Handler:
        vet_permissions(self.request.user, permissions_of(handler))
        return handler

    def _change_channel(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Move the session to the channel that the message names; answer with its name."""
        channel_name = self.body.get("channel")
        if not isinstance(channel_name, str):
            raise RequestRefused("Invalid channel name")
        self._vet_channel(request, channel_name)
        session: Any = self.websocket_session
        session.channel_name = channel_name
        session.save(update_fields=["channel_name", "updated_on"])
        return {"channel": channel_name}

    def _refuse(
        self, refusal: RequestRefused, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Answer a refusal by the hook that bears its name; the reason goes to the log."""
        logger.warning(
            "Event refused reason=%s %s %s %s",
            type(refusal).__name__,
            refusal,
            refusal.reason,
            self._whence,
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
        if isinstance(refusal, RateExceeded):
            response["Retry-After"] = str(refusal.retry_after)
        return response

    def _fail(self, error: Exception, request: HttpRequest) -> HttpResponse:
        """Answer an exception that nobody expects."""
        if self._route == CONNECT:
            self._undo_connect()  # There is no connection that the hook could write to.
        response = faults.respond_to(error, request, f"Handler failed {self._whence}")
        try:
            self.handler_failed(request, error)
        except Exception:
            logger.exception("handler_failed() failed itself %s", self._whence)
        faults.roll_back(request)
        return response


@method_decorator([never_cache, csrf_protect], name="dispatch")
class WebSocketTokenView(View):
    """Gives the user who is logged in a one-time ticket, to be sent as ``?ws_token=``.

    A page asks by POST, with Django's CSRF token, and gets {"ws_token": "...", "expires_in": 60}
    (seconds); without a login the answer is a 403.
    """

    http_method_names = ["post"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        # What LoginRequiredMiddleware would answer, a login page, is nothing to a script.
        view.login_required = False
        return view

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        owner = identity.of_request(request)
        if owner.user is None:
            return JsonResponse({"error": "Log in first"}, status=403)
        ticket = WebSocketTicket.objects.issue(owner)
        return JsonResponse({"ws_token": ticket, "expires_in": conf.ticket_lifetime})
