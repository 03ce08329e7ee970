"""Dispatcher: lets one event in, calls its handler, and answers it."""

from __future__ import annotations

import logging
from typing import Any, Callable, Optional

from django.db import DatabaseError, IntegrityError, InterfaceError, router, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from ..decorators import check_permissions, permissions_of
from ..exceptions import (
    AccessDenied,
    ConnectionUnknown,
    HeadersMissing,
    RequestRefused,
    RouteSelectionKeyMissing,
    SourceUnproved,
    UserAgentUnexpected,
)
from ..signals import session_opened
from . import errors, queries, replies
from .admission import Admission
from .answers import plain_answer
from .events import CONNECT, DISCONNECT, parse_body
from .handlers import Handler, call, is_handler
from .hooks import Hooks
from .openings import explain_refused_row, open_session

logger = logging.getLogger(__package__)

#: The key by which messages of the releases 2.x to 4.x name their handler.
LATER_KEY = "handler"

#: The action by which a client keeps a silent connection open. Where provisioning has made its
#: route, it does not come here.
PING = "ping"

#: The hooks that answer a refusal, the narrowest class first.
ANSWERS: dict[Any, str] = {
    ConnectionUnknown: "session_not_found",
    (HeadersMissing, SourceUnproved): "missing_headers",
    UserAgentUnexpected: "invalid_useragent",
    RouteSelectionKeyMissing: "route_selection_key_missing",
    AccessDenied: "permission_denied",
}


class EventDispatcher(Admission):
    """What is done with one event. Its database cost is one SELECT and one INSERT or UPDATE."""

    def __init__(self, view: Hooks, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(view, request, *args, **kwargs)
        #: True once the hooks are asked here, and not by a dispatch() of the site's own.
        self.is_judging = False
        self.has_made_session = False
        #: What is being refused, once an answer to it is being made.
        self.refusal: Optional[RequestRefused] = None
        self.has_failed = False

    def __str__(self) -> str:
        return f"route={self.route[:80]!r} {self.event}"

    def respond(self, handle: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Let the event in and return ``handle()``, or the answer to a refusal or a failure.

        A $connect that is refused leaves no session.
        """
        self.is_judging = True
        response: Optional[HttpResponseBase] = None
        try:
            self.check()
            response = handle()
        except RequestRefused as refusal:
            response = self.refuse(refusal)
        except errors.ANSWERED_BY_DJANGO as error:
            self.has_failed = True
            self.tell_django_answers(error)
            raise
        except Exception as error:  # noqa: BLE001 - as Django itself does around every view
            response = self.fail(error)
        finally:
            if self.route == CONNECT:
                self.end_connect(response)
        if not self.is_message:
            return response
        return replies.reply(self.view, response, in_answer=self.event.has_route_response)

    def connect(self) -> HttpResponseBase:
        """Make the session, after all checks if a site has called connect() itself."""
        if self.is_judging:
            return self.open_session()
        self.route = CONNECT
        return self.respond(self.open_session)

    def disconnect(self) -> HttpResponse:
        """Count the event, and mark the session as closed."""
        view = self.view
        if view.websocket_session is False:
            view._load_session(self.request)
        if view.websocket_session:
            queries.record_disconnect(view.websocket_session)
        return JsonResponse({})

    def call_handler(self) -> HttpResponseBase:
        """Parse the message, find its handler, check permissions, count, and call the handler."""
        self.view.body  # noqa: B018 - parsed now, if no hook has read it
        handler = self.find_handler()
        if self.route != DISCONNECT:
            check_permissions(self.request.user, permissions_of(handler))
        if self.is_message:
            self.record_request()
        return call(handler, self.request, *self.args, **self.kwargs)

    def parse_body(self) -> dict[str, Any]:
        try:
            return parse_body(self.request, self.view.max_body_size)
        except RequestRefused:
            # The hooks that answer may read it, and must not be refused once more.
            if self.refusal or self.has_failed:
                return {}
            raise

    def find_handler(self) -> Handler:
        view = self.view
        if not self.is_message:
            return view.connect if self.route == CONNECT else view.disconnect
        action = self.find_action()
        view._debug(f"Action: {action}")
        if self.is_handler(action):
            return getattr(view, action)  # type: ignore[no-any-return]
        if action == "change_channel" and view.allow_channel_change:
            return self.change_channel
        if view.body == {view.route_selection_key: PING}:
            return self.hear_ping
        if type(view).default is Hooks.default:
            raise RequestRefused("Unknown action", reason=f"action={action[:80]!r}")
        return view.default

    def find_action(self) -> str:
        """Return the action that the message names, by one key or the other."""
        view, body = self.view, self.view.body
        # A route of its own needs no key: its name is in the URL.
        fallback = self.route if self.is_handler(self.route) else None
        action = body.get(view.route_selection_key, fallback)
        chosen = view.handler_selection_key
        if chosen:
            # Without a handler of that name the other key decides, and else it is default()'s.
            if self.is_handler(body.get(chosen)) or action is None:
                action = body.get(chosen)
        elif action is None and self.is_handler(body.get(LATER_KEY)):
            action = body[LATER_KEY]
        if not isinstance(action, str):
            raise RouteSelectionKeyMissing
        return action

    def is_handler(self, name: Any) -> bool:
        """True if a message may call the method of that name."""
        allowed = self.view.allowed_handlers
        return (
            isinstance(name, str)
            and (allowed is None or name in allowed)
            and is_handler(type(self.view), Hooks, name)
        )

    def hear_ping(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the gateway has counted the message, which keeps its connection open."""

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

    def open_session(self) -> HttpResponse:
        """Make the session of a $connect, with its login."""
        view, connection_id = self.view, self.event.connection_id
        columns = {
            "channel_name": self.channel_name,
            "api_gateway": view.api_gateway or None,
            "data": self.connection_data,
            **self.login.identity._asdict(),
        }
        may_exist = getattr(view.api_gateway, "connection_taken", False)
        using = router.db_for_write(self.model)
        try:
            with self.login.redeem(connection_id, using):
                view.websocket_session, self.has_made_session = open_session(
                    self.model, connection_id, may_exist, **columns
                )
        except IntegrityError:
            made = explain_refused_row(self.model, connection_id, **columns)
            view.websocket_session, self.has_made_session = made, False
        # A logout that looked for its sessions before this one was there has ended the login.
        if self.login.has_ended:
            raise AccessDenied("Log in again", reason="the login has ended beside it")
        if transaction.get_connection(using).in_atomic_block:
            # Others see the session only after the commit, and may have looked before that.
            transaction.on_commit(self.close_if_ended, using=using)
        return JsonResponse({})

    def close_if_ended(self) -> None:
        session = self.view.websocket_session
        if session and self.login.has_ended:
            session.close(on_commit=True)

    def record_request(self) -> None:
        session = self.view.websocket_session
        if not session:
            return
        if session.connected:
            queries.record_request(session)
        elif queries.record_return(session):
            self.tell_opened()

    def tell_opened(self) -> None:
        options = {"session": self.view.websocket_session, "request": self.request}
        session_opened.send_robust(sender=self.model._meta.concrete_model, **options)

    def end_connect(self, response: Optional[HttpResponseBase]) -> None:
        """Name the subprotocol of a connection that opens; undo what a refused one has done."""
        if response is None or not 200 <= response.status_code < 300:
            self.undo_connect()
            return
        view = self.view
        if self.has_made_session:
            self.tell_opened()
        known = [name for name in self.event.subprotocols if name in view.subprotocols]
        if known:
            response.headers.setdefault("Sec-WebSocket-Protocol", known[0])

    def undo_connect(self) -> None:
        session, self.view.websocket_session = self.view.websocket_session, False
        # Only a session that this request made is deleted, and only if it would be committed.
        if not session or not self.has_made_session:
            return
        if errors.is_rolled_back(router.db_for_write(self.model)):
            return
        try:
            session.delete()
            self.login.give_back(self.event.connection_id)
        except (DatabaseError, InterfaceError):
            # AWS will say that the connection is gone, and then the row is marked.
            logger.exception("A refused connection is not undone %s", self)

    def refuse(self, refusal: RequestRefused) -> HttpResponse:
        """Answer a refusal by the hook of its name; the reason goes to the log."""
        self.refusal = refusal
        name = type(refusal).__name__
        logger.warning("Event refused reason=%s %s %s %s", name, refusal, refusal.reason, self)
        for classes, hook in ANSWERS.items():
            if isinstance(refusal, classes):
                answer: HttpResponse = getattr(self.view, hook)(
                    self.request, *self.args, **self.kwargs
                )
                return answer
        return plain_answer(self.view, refusal)

    def tell_django_answers(self, error: Exception) -> None:
        """Reply that the message has failed, before Django makes its page of the exception."""
        if self.is_message:
            replies.send_error(self.view, errors.status_of(error))

    def fail(self, error: Exception) -> HttpResponse:
        """Answer an exception that nobody expects."""
        self.has_failed = True
        if self.route == CONNECT:
            self.undo_connect()  # There is no connection that the hook could write to.
        response = errors.respond_to(error, self.request, f"Handler failed {self}")
        try:
            self.view.handler_failed(self.request, error)
        except Exception:
            logger.exception("handler_failed() failed itself %s", self)
        errors.roll_back(self.request)
        return response
