"""Admission of one event: asks the view's hooks, in their order, whether it may come in."""

from __future__ import annotations

from typing import Any, Dict, Optional

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest

from ..conf import conf
from ..exceptions import (
    AccessDenied,
    ConnectionUnknown,
    HeadersMissing,
    RateExceeded,
    RequestRefused,
    SourceUnproved,
    UserAgentUnexpected,
)
from ..security import identity, proof, validation
from ..security.rates import Rate
from . import queries
from .events import CONNECT, DISCONNECT, event_of
from .hooks import Hooks, session_model
from .logins import NO_LOGIN, checked_data, login_of


class Admission:
    """The checks of one event. A hook gets the arguments that 1.1.1 gave it."""

    def __init__(self, view: Hooks, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.view = view
        self.request = request
        self.args = args
        self.kwargs = kwargs
        self.event = event_of(request)
        self.route = str(kwargs.get("route", "default"))
        self.model = session_model(view)
        self.login = NO_LOGIN
        self.channel_name = ""
        #: What the session will keep, once a $connect has told.
        self.connection_data: Optional[Dict[str, Any]] = None

    @property
    def is_message(self) -> bool:
        return self.route not in (CONNECT, DISCONNECT)

    def check(self) -> None:
        """Raise RequestRefused unless the event may come in: all checks, in their order."""
        view, request = self.view, self.request
        self.check_headers()
        self.load_rows()
        self.check_source()
        self.check_useragent()
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
            self.connection_data = self.find_data()
            self.channel_name = view._get_channel_name(request)
            self.check_channel(self.channel_name)
            self.check_additionally()
            return
        has_user = view._add_user_to_request(request)
        if self.route != DISCONNECT:
            if has_user is False:  # as such a hook of 3.x and 4.x refuses
                raise ConnectionUnknown("Unknown connection", reason="its user is refused")
            self.check_login_holds()
            self.check_rate("message", view.message_rate or conf.message_rate)
            # Checked for messages as well: another view may have opened the connection.
            self.check_user()

    def ask(self, hook: str, *args: Any, **kwargs: Any) -> bool:
        """Return the hook's answer, and note it for those who debug."""
        answer: bool = getattr(self.view, hook)(self.request, *args, **kwargs)
        self.view._debug(f"{hook}() returned {answer}")
        return answer

    def check_headers(self) -> None:
        if not self.ask("_expected_headers"):
            raise HeadersMissing(f"Missing {', '.join(self.event.missing_headers)}")
        if not validation.is_connection_id(self.event.connection_id):
            raise RequestRefused("Invalid connection id")

    def load_rows(self) -> None:
        """Read the rows that the event is about; the hooks decide whether they are enough."""
        view, event = self.view, self.event
        if not validation.is_api_id(event.api_id):
            raise self.unproved(f"api_id={event.api_id[:80]!r} is none")
        # A site's own _load_session() may need the gateway. Ours finds it with the session.
        if self.route == CONNECT or type(view)._load_session is not Hooks._load_session:
            view.api_gateway = queries.gateway_of(self.model, event.api_id, event.connection_id)
        if self.route != CONNECT:
            self.load_session()

    def load_session(self) -> None:
        view = self.view
        try:
            is_refused = view._load_session(self.request) is False
        except ObjectDoesNotExist:
            is_refused = True
        if is_refused or not view.websocket_session:
            raise self.unproved("it is not there, or closed")
        view.api_gateway = view.websocket_session.api_gateway

    def check_source(self) -> None:
        event = self.event
        if not self.ask("_allowed_apigateway"):
            raise self.unproved(f"api_id={event.api_id!r} is not its gateway's")
        if not self.view._has_source_proof(self.request):
            given = "is wrong" if event.secret else "is missing"
            raise self.unproved(f"the header {proof.HEADER} {given}")
        event.secret = ""

    def unproved(self, reason: str) -> SourceUnproved:
        """Return the refusal. Only a proved event learns that its gateway exists."""
        is_proved = self.route != CONNECT and self.is_gateway_proved()
        # The hooks that answer must not reach these rows: they may be somebody else's.
        self.view.websocket_session = self.view.api_gateway = False
        if is_proved:
            return ConnectionUnknown("Unknown connection", reason=reason)
        return SourceUnproved("Unexpected API Gateway", reason=reason)

    def is_gateway_proved(self) -> bool:
        """Ask about the event's own gateway, whichever gateway its connection has."""
        view, request = self.view, self.request
        view.api_gateway = False
        is_id = validation.is_api_id(self.event.api_id)
        return is_id and view._allowed_apigateway(request) and view._has_source_proof(request)

    def check_useragent(self) -> None:
        # 1.1.1 did not ask about a $connect, so a hook of its time may refuse all of them.
        is_asked = self.route != CONNECT or self.view.check_useragent
        if is_asked and not self.ask("_expected_useragent", *self.args, **self.kwargs):
            raise UserAgentUnexpected

    def check_url(self) -> None:
        if not self.is_host_allowed():
            raise RequestRefused("Host is not allowed")
        if not validation.has_readable_query(self.request):
            raise RequestRefused("The query cannot be read")

    def is_host_allowed(self) -> bool:
        """Ask the hook about a $connect, and about messages whose Host ALLOWED_HOSTS has not."""
        is_known = self.route != CONNECT and validation.has_allowed_host(self.request)
        return is_known or self.ask("_check_allowed_hosts")

    def check_connection_headers(self) -> None:
        if not self.ask("_expected_connection_headers", *self.args, **self.kwargs):
            raise RequestRefused(f"Missing {len(self.event.missing_headers)} headers")

    def check_origin(self) -> None:
        if not self.ask("_check_host_is_in_origin"):
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

    def find_data(self) -> Optional[Dict[str, Any]]:
        """Return what the session is to keep: what its ticket carries, or what the view says."""
        if self.login.data is not None:
            return self.login.data
        return checked_data(self.view.session_data(self.request))

    def check_channel(self, channel_name: str) -> None:
        is_short = len(channel_name) <= self.view.max_channel_name_length
        if not (is_short and validation.is_channel_name(channel_name)):
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
        if not session or session.user_id is None:
            return
        if not (session.user and identity.still_holds(session.user, session.auth_hash)):
            session.close(on_commit=True)  # The refusal stands, whether AWS can be reached or not.
            raise AccessDenied("Log in again", reason=f"the login of user={session.user_id} ended")
