"""Dispatcher: judges one event by asking the view's hooks, calls its handler, and answers it."""

from __future__ import annotations

import logging
from typing import Any, Optional

from django.contrib.auth.models import AnonymousUser
from django.db import router
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ..conf import conf
from ..decorators import check_permissions, permissions_of
from ..exceptions import (
    AccessDenied,
    HeadersMissing,
    RateExceeded,
    RequestRefused,
    RouteSelectionKeyMissing,
    SourceUnproved,
    UserAgentUnexpected,
)
from ..security import identity, proof, validation
from ..security.rates import Rate
from . import errors, queries
from .events import CONNECT, DISCONNECT, event_of, parse_body
from .handlers import Handler, call, find_handlers
from .hooks import Hooks
from .logins import NO_LOGIN, login_of

logger = logging.getLogger(__package__)


class EventDispatcher:
    """What is done with one event. Its database cost is one SELECT and one INSERT or UPDATE."""

    def __init__(self, view: Hooks, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.view = view
        self.request = request
        self.args = args
        self.kwargs = kwargs
        self.event = event_of(request)
        self.route = str(kwargs.get("route", "default"))
        self.login = NO_LOGIN
        self.channel_name = ""
        self.has_made_session = False
        #: True once an answer to a refusal or a failure is being made.
        self.is_refused = False

    def __str__(self) -> str:
        return f"route={self.route!r} {self.event}"

    def respond(self) -> HttpResponseBase:
        """Return the response to the event. A $connect that is refused leaves no session."""
        response: Optional[HttpResponseBase] = None
        try:
            self.check()
            response = self.call_handler()
        except RequestRefused as refusal:
            response = self.refuse(refusal)
        except errors.ANSWERED_BY_DJANGO:
            raise
        except Exception as error:  # noqa: BLE001 - as Django itself does around every view
            response = self.fail(error)
        finally:
            if self.route == CONNECT:
                self.end_connect(response)
        return response

    def check(self) -> None:
        """Raise RequestRefused unless the event may come in: all checks, in their order."""
        view, request = self.view, self.request
        self.check_headers()
        self.load_rows()
        self.check_source()
        self.check_url()
        if self.route == CONNECT:
            self.check_connection_headers()
            self.check_origin()
            self.login = login_of(request, view.authentication, self.event.connection_id)
            request.user = self.login.identity.user or AnonymousUser()
            # The rate comes before the login: it limits the tries of those who have no login, too.
            self.check_rate("connect", view.connect_rate or conf.connect_rate)
            self.login.check()
            self.check_user()
            self.channel_name = view._get_channel_name(request)
            self.check_channel(self.channel_name)
            self.check_additionally()
            return
        view._add_user_to_request(request)
        if self.route != DISCONNECT:
            self.check_login_holds()
            self.check_rate("message", view.message_rate or conf.message_rate)
            # Checked for messages as well: another view may have opened the connection.
            self.check_user()

    def check_headers(self) -> None:
        view, request, event = self.view, self.request, self.event
        if not view._expected_headers(request, *self.args, **self.kwargs):
            raise HeadersMissing(f"Missing {', '.join(event.missing_headers)}")
        if not view._expected_useragent(request, *self.args, **self.kwargs):
            raise UserAgentUnexpected
        if not validation.is_connection_id(event.connection_id):
            raise RequestRefused("Invalid connection id")

    def load_rows(self) -> None:
        """Read the rows that the event is about; the hooks decide whether they are enough."""
        view, event = self.view, self.event
        if not validation.is_api_id(event.api_id):
            raise self.unproved(f"api_id={event.api_id[:80]!r} is none")
        if self.route == CONNECT:
            view.api_gateway = queries.gateway_of(view.model, event.api_id, event.connection_id)
            return
        view._load_session(self.request)
        if view.websocket_session is None:
            raise self.unproved("it is not there, or closed")
        view.api_gateway = view.websocket_session.api_gateway

    def check_source(self) -> None:
        event = self.event
        if not self.view._allowed_apigateway(self.request, *self.args, **self.kwargs):
            raise self.unproved(f"api_id={event.api_id!r} is not its gateway's")
        if not self.view._has_source_proof(self.request):
            given = "is wrong" if event.secret else "is missing"
            raise self.unproved(f"the header {proof.HEADER} {given}")
        event.secret = ""

    def check_url(self) -> None:
        if not validation.has_allowed_host(self.request):
            raise RequestRefused("Host is not allowed")
        if not validation.has_readable_query(self.request):
            raise RequestRefused("The query cannot be read")

    def check_connection_headers(self) -> None:
        if not self.view._expected_connection_headers(self.request, *self.args, **self.kwargs):
            raise RequestRefused(f"Missing {len(self.event.missing_headers)} headers")

    def check_origin(self) -> None:
        if not self.view._check_host_is_in_origin(self.request):
            reason = f"origin={self.event.origin[:80]!r}"
            raise RequestRefused("Host is not in Origin", reason=reason)

    def check_rate(self, what: str, rate: Optional[str]) -> None:
        if not rate:
            return
        key = self.view._rate_key(self.request)
        wait = Rate.parse(rate).wait_for(f"{what}:{key}")
        if wait is not None:
            raise RateExceeded(
                f"Too many {what}s. Try again in {wait} seconds.",
                retry_after=wait,
                reason=f"{key} has more than {rate}",
            )

    def check_user(self) -> None:
        user = self.request.user
        if user.pk is None and not self.view.allow_anonymous:
            raise AccessDenied("Log in first")
        if not self.view._has_permissions(self.request):
            raise AccessDenied("Permission denied", reason=f"user={user.pk}")

    def check_channel(self, channel_name: str) -> None:
        if not validation.is_channel_name(channel_name):
            raise RequestRefused("Invalid channel name")
        if not self.view.can_join_channel(self.request, channel_name):
            raise AccessDenied("This channel is closed to you", reason=f"channel={channel_name!r}")

    def check_additionally(self) -> None:
        hook = self.view._additional_connection_checks
        accepted, message = hook(self.request, *self.args, **self.kwargs)
        if not accepted:
            raise RequestRefused(message)

    def check_login_holds(self) -> None:
        session = self.view.websocket_session
        if session and session.user and not identity.still_holds(session.user, session.auth_hash):
            session.close(on_commit=True)  # The refusal stands, whether AWS can be reached or not.
            raise AccessDenied("Log in again", reason=f"the login of user={session.user_id} ended")

    def unproved(self, reason: str) -> SourceUnproved:
        """Return the refusal, which is the same for an unknown gateway or connection."""
        # The hooks that answer must not reach these rows: they may be somebody else's.
        self.view.websocket_session = self.view.api_gateway = None
        is_connect = self.route == CONNECT
        text = "Unexpected API Gateway" if is_connect else "Unknown connection"
        return SourceUnproved(text, reason=reason)

    def call_handler(self) -> HttpResponseBase:
        """Parse the message, find its handler, check permissions, count, and call the handler."""
        self.view.body  # noqa: B018 - parsed now, if no hook has read it
        handler = self.find_handler()
        if self.route != DISCONNECT:
            check_permissions(self.request.user, permissions_of(handler))
        if self.route not in (CONNECT, DISCONNECT):
            self.record_request()
        return call(handler, self.request, *self.args, **self.kwargs)

    def parse_body(self) -> dict[str, Any]:
        try:
            return parse_body(self.request)
        except RequestRefused:
            # The hooks that answer may read it, and must not be refused once more.
            if self.is_refused:
                return {}
            raise

    def find_handler(self) -> Handler:
        view = self.view
        if self.route in (CONNECT, DISCONNECT):
            return view.connect if self.route == CONNECT else view.disconnect
        handlers = find_handlers(type(view), Hooks)  # type: ignore[arg-type] # a class is hashable
        # A route of its own needs no key: its name is in the URL.
        fallback = self.route if self.route in handlers else None
        action = view.body.get(view.route_selection_key, fallback)
        if not action or not isinstance(action, str):
            raise RouteSelectionKeyMissing
        view._debug(f"Action: {action}")
        if action in handlers:
            return getattr(view, action)  # type: ignore[no-any-return]
        if action == "change_channel" and view.allow_channel_change:
            return self.change_channel
        if type(view).default is Hooks.default:
            raise RequestRefused("Unknown action", reason=f"action={action[:80]!r}")
        return view.default

    def change_channel(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Move the session to the channel that the message names; answer with its name."""
        channel_name = self.view.body.get("channel")
        if not isinstance(channel_name, str):
            raise RequestRefused("Invalid channel name")
        self.check_channel(channel_name)
        session: Any = self.view.websocket_session
        session.channel_name = channel_name
        session.save(update_fields=["channel_name", "updated_on"])
        return {"channel": channel_name}

    def open_session(self) -> None:
        """Make the session of a $connect, with its login."""
        view, connection_id = self.view, self.event.connection_id
        with self.login.redeem(connection_id, router.db_for_write(view.model)):
            view.websocket_session, self.has_made_session = queries.open_session(
                view.model,
                connection_id,
                may_exist=getattr(view.api_gateway, "connection_taken", False),
                channel_name=self.channel_name,
                api_gateway=view.api_gateway,
                **self.login.identity._asdict(),
            )

    def record_request(self, **columns: Any) -> None:
        """Count the event on its session, and write these columns."""
        if self.view.websocket_session is not None:
            queries.record_request(self.view.websocket_session, **columns)

    def end_connect(self, response: Optional[HttpResponseBase]) -> None:
        """Name the subprotocol of a connection that opens; undo what a refused one has done."""
        if response is None or not 200 <= response.status_code < 300:
            self.undo_connect()
            return
        known = [name for name in self.event.subprotocols if name in self.view.subprotocols]
        if known:
            response.headers.setdefault("Sec-WebSocket-Protocol", known[0])

    def undo_connect(self) -> None:
        session, self.view.websocket_session = self.view.websocket_session, None
        # Only a session that this request made is deleted, and only if it would be committed.
        if session is None or not self.has_made_session:
            return
        if not errors.is_rolled_back(router.db_for_write(self.view.model)):
            session.delete()
            self.login.give_back(self.event.connection_id)

    def refuse(self, refusal: RequestRefused) -> HttpResponse:
        """Answer a refusal by the hook of its name; the reason goes to the log."""
        self.is_refused = True
        name = type(refusal).__name__
        logger.warning("Event refused reason=%s %s %s %s", name, refusal, refusal.reason, self)
        view, request, args, kwargs = self.view, self.request, self.args, self.kwargs
        if isinstance(refusal, HeadersMissing):
            return view.missing_headers(request, *args, **kwargs)
        if isinstance(refusal, UserAgentUnexpected):
            return view.invalid_useragent(request, *args, **kwargs)
        if isinstance(refusal, RouteSelectionKeyMissing):
            return view.route_selection_key_missing(request, *args, **kwargs)
        response = view._return_bad_request(str(refusal))
        if refusal.status_code != RequestRefused.status_code:
            response.status_code = refusal.status_code
        if isinstance(refusal, RateExceeded):
            response["Retry-After"] = str(refusal.retry_after)
        return response

    def fail(self, error: Exception) -> HttpResponse:
        """Answer an exception that nobody expects."""
        self.is_refused = True
        if self.route == CONNECT:
            self.undo_connect()  # There is no connection that the hook could write to.
        response = errors.respond_to(error, self.request, f"Handler failed {self}")
        try:
            self.view.handler_failed(self.request, error)
        except Exception:
            logger.exception("handler_failed() failed itself %s", self)
        errors.roll_back(self.request)
        return response
