"""Who is let in: the pages, the users, and how often."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from . import identity, security
from .aws import host_of
from .conf import conf
from .exceptions import AccessDenied, RateExceeded, RequestRefused, TicketInvalid
from .identity import Identity
from .rates import Rate
from .security import Origin
from .tickets import WebSocketTicket
from .vetting import CONNECT, DISCONNECT, VettingView

#: The parameter of a $connect that bears a ticket.
TICKET_PARAMETER = "ws_token"

#: The ways in which a view may know the user of a $connect.
COOKIE, TICKET, EITHER = AUTHENTICATION = ("cookie", "ticket", "either")


class AdmissionView(VettingView):
    """Decides about one event, whose source is known, before any handler sees it."""

    #: Required of a $connect besides required_headers.
    required_connection_headers: list[str] = [
        "Origin",
        "Sec-Websocket-Key",
        "Sec-Websocket-Version",
    ]
    #: The pages that may open a socket, in the form of CSRF_TRUSTED_ORIGINS; None for the site's.
    allowed_origins: Optional[Sequence[str]] = None
    #: Pages that may besides.
    additional_origins: Sequence[str] = ()
    #: Let in clients that send no Origin, as no browser does, unless they have a session cookie.
    allow_missing_origin: bool = False
    #: How a $connect tells its user: by "cookie", by "ticket", or by "either" (a ticket wins).
    authentication: str = EITHER
    #: Let in clients without a login, for every event but $disconnect.
    allow_anonymous: bool = True
    #: The user must have one of these permissions, for every event but $disconnect.
    permissions_required: Sequence[str] = ()
    #: The user must have all of these permissions, likewise.
    all_permissions_required: Sequence[str] = ()
    #: How often a client may connect, "30/m"; None for WEBSOCKETS["connect_rate"].
    connect_rate: Optional[str] = None
    #: How many messages a client may send, likewise; None for WEBSOCKETS["message_rate"].
    message_rate: Optional[str] = None

    _channel_name: str = ""
    _identity: Identity = Identity()
    _ticket: Optional[WebSocketTicket] = None
    _has_bad_ticket: bool = False

    def _vet(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super()._vet(request, *args, **kwargs)
        if self._route == CONNECT:
            self._vet_connect(request, *args, **kwargs)
            return
        self._add_user_to_request(request)
        if self._route != DISCONNECT:
            self._vet_message(request)

    def _vet_connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not self._expected_connection_headers(request, *args, **kwargs):
            raise RequestRefused(f"Missing {len(self._missing)} headers")
        if not self._check_host_is_in_origin(request):
            origin = self._event.origin[:80]
            raise RequestRefused("Host is not in Origin", reason=f"origin={origin!r}")
        self._identify(request)
        # Before the login is asked for, so that those who have none cannot try without end.
        self._vet_rate("connect", self.connect_rate or conf.connect_rate, request)
        self._vet_user(request)
        self._channel_name = self._get_channel_name(request)
        self._vet_channel(request, self._channel_name)
        accepted, message = self._additional_connection_checks(request, *args, **kwargs)
        if not accepted:
            raise RequestRefused(message)

    def _vet_message(self, request: HttpRequest) -> None:
        session = self.websocket_session
        if session and session.user and not identity.still_holds(session.user, session.auth_hash):
            session.close(on_commit=True)  # The refusal stands, whether AWS can be reached or not.
            raise AccessDenied("Log in again", reason=f"the login of user={session.user_id} ended")
        self._vet_rate("message", self.message_rate or conf.message_rate, request)
        self._vet_user(request)

    def _expected_connection_headers(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Override to require other headers of a $connect."""
        names = self.required_connection_headers
        if self.allow_missing_origin:
            names = [name for name in names if name.title() != "Origin"]
        return self._has(*names)

    def _check_host_is_in_origin(self, request: HttpRequest) -> bool:
        """Override to choose the pages that may open a socket, by their Origin."""
        if not self._event.origin:
            has_cookie = conf.session_cookie_name in request.COOKIES
            return self.allow_missing_origin and not has_cookie
        origin = Origin.parse(self._event.origin)
        if origin is None:
            return False
        if security.is_origin_among(origin, self.additional_origins):
            return True
        if self.allowed_origins is not None:
            return security.is_origin_among(origin, self.allowed_origins)
        return security.is_origin_among(origin, conf.trusted_origins) or self._check_allowed_hosts(
            request
        )

    def _check_allowed_hosts(self, request: HttpRequest) -> bool:
        """Override to choose which Origins are the site's own."""
        origin = Origin.parse(self._event.origin)
        gateway = self.api_gateway
        own = (gateway.domain_name.lower(), host_of(gateway.api_endpoint)) if gateway else ()
        host = request.get_host()
        scheme = self._event.client_scheme
        return origin is not None and security.is_own_origin(origin, host, scheme, own)

    def _additional_connection_checks(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> tuple[bool, str]:
        """Override to refuse a connection: return False and the text that the client gets."""
        return True, ""

    def _get_channel_name(self, request: HttpRequest) -> str:
        """Override to choose the channel that a connection is in (128 printable characters)."""
        fallback = self.api_gateway.default_channel_name if self.api_gateway else ""
        return request.GET.get("channel") or fallback

    def can_join_channel(self, request: HttpRequest, channel_name: str) -> bool:
        """Override to keep a user out of a channel, on $connect and in ``change_channel``."""
        return True

    def _vet_channel(self, request: HttpRequest, channel_name: str) -> None:
        if not security.is_channel_name(channel_name):
            raise RequestRefused("Invalid channel name")
        if not self.can_join_channel(request, channel_name):
            raise AccessDenied("This channel is closed to you", reason=f"channel={channel_name!r}")

    def _identify(self, request: HttpRequest) -> None:
        """Find out whose $connect it is, by ticket or by cookie, and set ``request.user``."""
        ticket = request.GET.get(TICKET_PARAMETER, "")
        if ticket and self.authentication != COOKIE:
            self._ticket = WebSocketTicket.objects.find(ticket, self._event.connection_id)
            self._has_bad_ticket = self._ticket is None
            self._identity = self._ticket.identity if self._ticket else Identity()
        elif self.authentication != TICKET:
            if not security.has_readable_session_cookie(request):
                raise RequestRefused("The cookie cannot be read")
            self._identity = identity.of_request(request)
        request.user = self._identity.user or AnonymousUser()

    def _add_user_to_request(self, request: HttpRequest) -> None:
        """Override to give handlers another ``request.user`` than the one who connected."""
        session = self.websocket_session
        request.user = (session and session.user) or AnonymousUser()

    def _vet_user(self, request: HttpRequest) -> None:
        if self._has_bad_ticket:
            raise TicketInvalid("The ticket is not valid")
        # With each message, too: it may be another view's connection.
        if request.user.pk is None and not self.allow_anonymous:
            raise AccessDenied("Log in first")
        if not self._has_permissions(request):
            raise AccessDenied("Permission denied", reason=f"user={request.user.pk}")

    def _has_permissions(self, request: HttpRequest) -> bool:
        """Override to decide in another way whether the user may do anything here."""
        user, some = request.user, self.permissions_required
        return (not some or any(user.has_perm(permission) for permission in some)) and all(
            user.has_perm(permission) for permission in self.all_permissions_required
        )

    def _vet_rate(self, what: str, rate: Optional[str], request: HttpRequest) -> None:
        if not rate:
            return
        key = self._rate_key(request)
        wait = Rate.parse(rate).wait_for(f"{what}:{key}")
        if wait is not None:
            raise RateExceeded(
                f"Too many {what}s. Try again in {wait} seconds.",
                retry_after=wait,
                reason=f"{key} has more than {rate}",
            )

    def _rate_key(self, request: HttpRequest) -> str:
        """Override to count otherwise than by user, and by address for those without a login."""
        if request.user.pk is not None:
            return f"user={request.user.pk}"
        gateway = self.api_gateway.pk if self.api_gateway else self.aws_api_gateway_id
        # Without the proof the header may be the client's own, so that all are counted together.
        source_ip = self._event.source_ip
        address = security.network_of(source_ip) if self._is_proof_required else "unproved"
        return f"gateway={gateway} address={address!r}"
