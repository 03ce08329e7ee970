"""Hooks: what a site may override in its view, in the order in which one event meets them.

What calls the hooks, and what follows from their answers, is in dispatcher.py. The hooks that
answer refusals are in answers.py.
"""

from __future__ import annotations

from typing import Any, Collection, Iterable, Literal, Optional, Sequence, Type, Union

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import cached_property

from ..conf import conf
from ..models import ApiGateway, WebSocketSession
from ..security import proof, validation
from ..security.origins import Origin, is_origin_among, is_own_origin, is_trusted_origin
from ..security.rates import network_of
from ..sending import MAX_MESSAGE_BYTES
from . import handlers, queries
from .answers import Answers
from .binding import on_the_class_too
from .events import CONNECT, DISCONNECT, event_of
from .logins import EITHER


class Hooks(Answers):
    """The attributes and the hooks of a WebSocketView.

    A hook may be called alone, on a view that has not been set up, with a request.
    """

    #: The key of a message that names its handler.
    route_selection_key: str = "action"
    #: Another key that may do so, and comes first. None is "handler", which comes second.
    handler_selection_key: Optional[str] = None
    #: The key of a message whose value wants a reply, and comes back in it; None for no replies.
    ref_key: Optional[str] = "ref"
    #: The only handlers that a client may call; None for all. It does not limit ``default``.
    allowed_handlers: Optional[Collection[str]] = None
    #: Publish the handler ``change_channel``: {"action": "change_channel", "channel": "garden"}.
    allow_channel_change: bool = False
    #: The subprotocols that the view speaks; the first one that a client offers is chosen.
    subprotocols: Sequence[str] = ()

    #: A proxy of WebSocketSession. None and any other model, a mixin's say, mean nothing here.
    model: Optional[Type[Any]] = None
    #: False while it has not been loaded, None if there is none.
    api_gateway: Union[ApiGateway, Literal[False], None] = None
    websocket_session: Union[WebSocketSession, Literal[False], None] = None

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
    #: The bytes that a message may have, up to API Gateway's 131,072.
    max_body_size: int = MAX_MESSAGE_BYTES
    #: The characters that a channel's name may have, up to 128.
    max_channel_name_length: int = validation.MAX_CHANNEL_NAME

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

    def __init__(self, **kwargs: Any) -> None:
        self.debug_log = []
        self.api_gateway = self.websocket_session = False
        super().__init__(**kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        handlers.remember_body(cls)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The message, an empty dict if there is none. It is parsed when it is first read.

        Raises RequestRefused for a message that cannot be parsed.
        """
        dispatcher = self._event_dispatcher
        message: dict[str, Any] = dispatcher.parse_body() if dispatcher else {}
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

    def _load_session(self, request: HttpRequest) -> Any:
        """Override to load ``self.websocket_session`` in another way; None refuses the event.

        ``self.api_gateway`` is the gateway of the event. To return False refuses it, too.
        """
        is_open = getattr(self, "kwargs", {}).get("route") != DISCONNECT
        self.websocket_session = queries.session_of(
            session_model(self), event_of(request).connection_id, is_open=is_open
        )

    def _allowed_apigateway(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to choose the gateways that this view serves."""
        if self.aws_api_gateway_id and self.aws_api_gateway_id != event_of(request).api_id:
            return False
        registered = self._check_platform_registered_api_gateways(request)
        # A connection of another gateway is refused, whatever id the event has.
        if not registered and not (self.aws_api_gateway_id and not self.api_gateway):
            return False
        # A dispatch() of the site's own does not know the proof, which is asked after this.
        return is_judged(self) or self._has_source_proof(request)

    def _check_platform_registered_api_gateways(self, request: HttpRequest) -> bool:
        """Override to accept other gateways than those of ApiGateway."""
        event = event_of(request)
        if self.api_gateway is False:
            model = session_model(self)
            self.api_gateway = queries.gateway_of(model, event.api_id, event.connection_id)
        # A gateway that is not created yet has an empty id, which proves nothing.
        known = self.api_gateway.api_id if self.api_gateway else ""
        return bool(known) and known == event.api_id

    def _has_source_proof(self, request: HttpRequest) -> bool:
        """Override to prove in another way that API Gateway is the sender (by mutual TLS, say)."""
        gateway = self.api_gateway
        if not is_proof_required(gateway):
            return proof.is_old_proof(event_of(request).secret)
        return proof.is_proof(event_of(request).secret, gateway or None)

    def _expected_connection_headers(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Override to require other headers of a $connect."""
        names = self.required_connection_headers
        if self.allow_missing_origin:
            names = [name for name in names if name.title() != "Origin"]
        return _has_headers(self, request, names)

    @on_the_class_too
    def _check_allowed_hosts(self, request: HttpRequest) -> bool:
        """Override to choose the Hosts that the view serves, by default those of ALLOWED_HOSTS."""
        return validation.has_allowed_host(request)

    @on_the_class_too
    def _check_host_is_in_origin(self, request: HttpRequest) -> bool:
        """Override to choose the pages that may open a socket, by their Origin."""
        event = event_of(request)
        if not event.origin:
            has_cookie = conf.session_cookie_name in request.COOKIES
            return self.allow_missing_origin and not has_cookie
        if is_origin_among(event.origin, self.additional_origins):
            return True
        if self.allowed_origins is not None:
            return is_origin_among(event.origin, self.allowed_origins)
        return is_trusted_origin(event.origin, conf.trusted_origins) or self._is_own_origin(
            request
        )

    @on_the_class_too
    def _is_own_origin(self, request: HttpRequest) -> bool:
        """Override to choose which Origins are the site's own."""
        event, gateway = event_of(request), self.api_gateway
        origin = Origin.parse(event.origin)
        own = gateway.own_hosts if gateway else ()
        host = validation.claimed_host(request)
        return origin is not None and is_own_origin(origin, host, event.client_scheme, own)

    def _add_user_to_request(self, request: HttpRequest) -> Any:
        """Override to give handlers another ``request.user`` than the one who connected.

        To return False refuses a message.
        """
        if self.websocket_session is False:
            self._load_session(request)
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

    def session_data(self, request: HttpRequest) -> Optional[dict[str, Any]]:
        """Override to keep facts of a $connect for the handlers, as JSON's types.

        They are in ``self.websocket_session.data`` with each message, when the cookies and what a
        middleware knew of the user are gone. It is not asked about a ticket that brings data of
        its own; see ``WebSocketTokenView.session_data``.
        """
        return None

    @property
    def connection_data(self) -> dict[str, Any]:
        """What ``session_data`` or the ticket has kept, from ``_get_channel_name`` on."""
        session, dispatcher = self.websocket_session, self._event_dispatcher
        data = session.data if session else dispatcher and dispatcher.connection_data
        return data or {}

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
        return _dispatcher_of(self, request, *args, **{**kwargs, "route": CONNECT}).connect()

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to do more on $disconnect; call super(), which marks the session as closed."""
        return _dispatcher_of(self, request, *args, **{**kwargs, "route": DISCONNECT}).disconnect()

    def default(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Override to handle the messages that no other method handles."""
        raise NotImplementedError("This logic needs to be defined within the subclass")


def session_model(view: Any) -> Type[WebSocketSession]:
    """Return the view's model if it is a proxy of WebSocketSession, else WebSocketSession."""
    model = view.model
    is_ours = isinstance(model, type) and issubclass(model, WebSocketSession)
    return model if is_ours else WebSocketSession


def is_judged(view: Hooks) -> bool:
    """True while the view's dispatcher asks the hooks, in its own order."""
    dispatcher = view._event_dispatcher
    return dispatcher is not None and dispatcher.is_judging


def is_proof_required(gateway: Union[ApiGateway, Literal[False], None]) -> bool:
    """False for a gateway that an older release has deployed: its integrations send no proof."""
    return gateway.must_prove_source if gateway else proof.has_custom_secret()


def _dispatcher_of(view: Hooks, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
    if view._event_dispatcher is None:  # the view has not been set up
        view.setup(request, *args, **kwargs)
    return view._event_dispatcher


def _has_headers(view: Hooks, request: HttpRequest, names: Iterable[str]) -> bool:
    missing = validation.missing_headers(request.headers, names)
    event_of(request).missing_headers = missing
    view._debug(f"Missing headers: {', '.join(missing) or 'none'}")
    return not missing
