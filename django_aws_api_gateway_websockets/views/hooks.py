"""Hooks: what a site may override in its view, in the order in which one event meets them.

What calls the hooks, and what follows from their answers, is in dispatcher.py.
"""

from __future__ import annotations

from typing import Any, Iterable, Optional, Sequence, Type

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import cached_property
from django.views.generic import View

from ..conf import conf
from ..models import ApiGateway, WebSocketSession
from ..security import proof, validation
from ..security.origins import Origin, host_of, is_origin_among, is_own_origin
from ..security.rates import network_of
from . import queries
from .events import DISCONNECT, event_of
from .logins import EITHER


class Hooks(View):
    """The attributes and the hooks of a WebSocketView."""

    #: The key of a message that names its handler.
    route_selection_key: str = "action"
    #: Publish the handler ``change_channel``: {"action": "change_channel", "channel": "garden"}.
    allow_channel_change: bool = False
    #: The subprotocols that the view speaks; the first one that a client offers is chosen.
    subprotocols: Sequence[str] = ()

    model: Type[WebSocketSession] = WebSocketSession
    api_gateway: Optional[ApiGateway] = None
    websocket_session: Optional[WebSocketSession] = None

    #: Collect the texts that _debug() is given in debug_log.
    debug: bool = False
    debug_log: list[str] = []

    #: Required of every event.
    required_headers: list[str] = [
        "Host",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Content-Length",
        "Connectionid",
        "User-Agent",
        "X-Amzn-Apigateway-Api-Id",
    ]
    additional_required_headers: list[str] = []
    #: Required of a $connect, besides required_headers.
    required_connection_headers: list[str] = [
        "Origin",
        "Sec-Websocket-Key",
        "Sec-Websocket-Version",
    ]
    #: What API Gateway sends as User-Agent differs by route, so it is checked only on demand.
    check_useragent: bool = False
    expected_useragent_prefix: str = "AmazonAPIGateway_"
    #: Serve only the API of this id, whether the database knows it or not.
    aws_api_gateway_id: Optional[str] = None

    #: The pages that may open a socket, as in CSRF_TRUSTED_ORIGINS; None for the site's own pages.
    allowed_origins: Optional[Sequence[str]] = None
    #: More pages that may open a socket.
    additional_origins: Sequence[str] = ()
    #: Let in clients that send no Origin, as no browser does, unless they have a session cookie.
    allow_missing_origin: bool = False

    #: How a $connect names its user: by "cookie", by "ticket", or by "either" (a ticket wins).
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

    #: The EventDispatcher of this request. (Its module imports this one.)
    _event_dispatcher: Any

    @cached_property
    def body(self) -> dict[str, Any]:
        """The message, an empty dict if there is none. It is parsed when it is first read.

        Raises RequestRefused for a message that cannot be parsed.
        """
        message: dict[str, Any] = self._event_dispatcher.parse_body()
        return message

    def _debug(self, msg: str) -> None:
        """Override to keep the steps of a request elsewhere than in debug_log."""
        if self.debug:
            self.debug_log.append(msg)

    def _expected_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to require other headers of every event."""
        return _has_headers(
            self, request, [*self.required_headers, *self.additional_required_headers]
        )

    def _expected_useragent(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to check the User-Agent in another way; see check_useragent."""
        prefix = self.expected_useragent_prefix
        return not self.check_useragent or event_of(request).user_agent.startswith(prefix)

    def _load_session(self, request: HttpRequest) -> None:
        """Override to load ``self.websocket_session`` in another way; None refuses the event."""
        is_open = self.kwargs.get("route") != DISCONNECT
        self.websocket_session = queries.session_of(
            self.model, event_of(request).connection_id, is_open=is_open
        )

    def _allowed_apigateway(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to choose the gateways that this view serves."""
        if self.aws_api_gateway_id and self.aws_api_gateway_id != event_of(request).api_id:
            return False
        registered = self._check_platform_registered_api_gateways(request, *args, **kwargs)
        # A connection of another gateway is refused, whatever id the event has.
        return registered or (bool(self.aws_api_gateway_id) and self.api_gateway is None)

    def _check_platform_registered_api_gateways(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Override to accept other gateways than those of ApiGateway."""
        # A gateway that is not created yet has an empty id, which proves nothing.
        known = self.api_gateway.api_id if self.api_gateway else ""
        return bool(known) and known == event_of(request).api_id

    def _has_source_proof(self, request: HttpRequest) -> bool:
        """Override to prove in another way that API Gateway is the sender (by mutual TLS, say)."""
        gateway = self.api_gateway
        if not is_proof_required(gateway):
            return proof.is_old_proof(event_of(request).secret)
        return proof.is_proof(event_of(request).secret, gateway.pk if gateway else None)

    def _expected_connection_headers(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Override to require other headers of a $connect."""
        names = self.required_connection_headers
        if self.allow_missing_origin:
            names = [name for name in names if name.title() != "Origin"]
        return _has_headers(self, request, names)

    def _check_host_is_in_origin(self, request: HttpRequest) -> bool:
        """Override to choose the pages that may open a socket, by their Origin."""
        event = event_of(request)
        if not event.origin:
            has_cookie = conf.session_cookie_name in request.COOKIES
            return self.allow_missing_origin and not has_cookie
        origin = Origin.parse(event.origin)
        if origin is None:
            return False
        if is_origin_among(origin, self.additional_origins):
            return True
        if self.allowed_origins is not None:
            return is_origin_among(origin, self.allowed_origins)
        return is_origin_among(origin, conf.trusted_origins) or self._check_allowed_hosts(request)

    def _check_allowed_hosts(self, request: HttpRequest) -> bool:
        """Override to choose which Origins are the site's own."""
        event, gateway = event_of(request), self.api_gateway
        origin = Origin.parse(event.origin)
        own = (gateway.domain_name.lower(), host_of(gateway.api_endpoint)) if gateway else ()
        host = request.get_host()
        return origin is not None and is_own_origin(origin, host, event.client_scheme, own)

    def _add_user_to_request(self, request: HttpRequest) -> None:
        """Override to give handlers another ``request.user`` than the one who connected."""
        session = self.websocket_session
        request.user = (session and session.user) or AnonymousUser()

    def _rate_key(self, request: HttpRequest) -> str:
        """Override to count by something else than the user, or the address without a login."""
        if request.user.pk is not None:
            return f"user={request.user.pk}"
        gateway = self.api_gateway.pk if self.api_gateway else self.aws_api_gateway_id
        # Without the proof a client may set the header itself, so all are counted together.
        is_proved = is_proof_required(self.api_gateway)
        address = network_of(event_of(request).source_ip) if is_proved else "unproved"
        return f"gateway={gateway} address={address!r}"

    def _has_permissions(self, request: HttpRequest) -> bool:
        """Override to decide in another way whether the user may do anything here."""
        user, some = request.user, self.permissions_required
        return (not some or any(user.has_perm(permission) for permission in some)) and all(
            user.has_perm(permission) for permission in self.all_permissions_required
        )

    def _get_channel_name(self, request: HttpRequest) -> str:
        """Override to choose the channel of a connection (128 printable characters)."""
        fallback = self.api_gateway.default_channel_name if self.api_gateway else ""
        return request.GET.get("channel") or fallback

    def can_join_channel(self, request: HttpRequest, channel_name: str) -> bool:
        """Override to keep a user out of a channel, on $connect and in ``change_channel``."""
        return True

    def _additional_connection_checks(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> tuple[bool, str]:
        """Override to refuse a connection: return False and the text that the client gets."""
        return True, ""

    def connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $connect; call super() first, which makes the session.

        If it raises or answers anything but a 2xx, the connection is refused and its session is
        deleted. Do not send to the new connection here: until this returns, AWS says that the
        connection is gone.
        """
        self._event_dispatcher.open_session()
        return JsonResponse({})

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $disconnect; call super(), which marks the session as closed."""
        self._event_dispatcher.record_request(connected=False)
        return JsonResponse({})

    def default(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to handle the messages that no other method handles."""
        raise NotImplementedError("This logic needs to be defined within the subclass")

    def handler_failed(self, request: HttpRequest, error: Exception) -> None:
        """Override to tell the client: ``self.websocket_session.send_message({"error": ...})``.

        It is called after the exception has been logged. The connection stays open.
        """

    def missing_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Override to give another answer when a header is missing."""
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

    def _return_bad_request(self, msg: str) -> HttpResponse:
        """Override to answer all refusals in another way."""
        return HttpResponse(msg, status=400, content_type="text/plain; charset=utf-8")


def is_proof_required(gateway: Optional[ApiGateway]) -> bool:
    """False for a gateway that an older release has deployed: its integrations send no proof."""
    return gateway.must_prove_source if gateway else proof.has_custom_secret()


def _has_headers(view: Hooks, request: HttpRequest, names: Iterable[str]) -> bool:
    missing = validation.missing_headers(request.headers, names)
    event_of(request).missing_headers = missing
    view._debug(f"Missing headers: {', '.join(missing) or 'none'}")
    return not missing
