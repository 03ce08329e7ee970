"""Which events are let in: those of a gateway and a connection of ours."""

from __future__ import annotations

from typing import Any, Optional, Type

from django.http import HttpRequest
from django.views.generic import View

from . import lookups, proof, security
from .events import Event
from .exceptions import HeadersMissing, RequestRefused, SourceUnproved, UserAgentUnexpected
from .models import ApiGateway, WebSocketSession

CONNECT = "connect"
DISCONNECT = "disconnect"


class VettingView(View):
    """Decides where one event comes from, before anything else is done. Each question is a hook.

    It costs one SELECT: the gateway for a $connect, the session with its user and gateway
    afterwards.
    """

    #: Collect what _debug() is told in debug_log.
    debug: bool = False
    debug_log: list[str] = []
    model: Type[WebSocketSession] = WebSocketSession
    api_gateway: Optional[ApiGateway] = None
    websocket_session: Optional[WebSocketSession] = None
    #: Serve only the API of this id, whether the database knows it or not.
    aws_api_gateway_id: Optional[str] = None
    #: What API Gateway sends as User-Agent differs by route, so it is looked at only on demand.
    check_useragent: bool = False
    expected_useragent_prefix: str = "AmazonAPIGateway_"
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

    _event: Event
    _route: str
    _secret: str = ""
    _missing: tuple[str, ...] = ()

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self._secret = proof.take_out(request)
        super().setup(request, *args, **kwargs)
        self.debug_log = []
        self._route = str(kwargs.get("route", "default"))
        self._event = Event.from_headers(request.headers)

    @property
    def _whence(self) -> str:
        """The event, in a line of the log."""
        event = self._event
        return (
            f"route={self._route!r} connection_id={event.connection_id!r} "
            f"request_id={event.request_id!r}"
        )

    def _debug(self, msg: str) -> None:
        """Override to keep the steps of a request elsewhere than in debug_log."""
        if self.debug:
            self.debug_log.append(msg)

    def _vet(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Raise RequestRefused unless the event comes from a gateway and a connection of ours."""
        if not self._expected_headers(request, *args, **kwargs):
            raise HeadersMissing(f"Missing {', '.join(self._missing)}")
        if not self._expected_useragent(request, *args, **kwargs):
            raise UserAgentUnexpected
        if not security.is_connection_id(self._event.connection_id):
            raise RequestRefused("Invalid connection id")
        self._load(request)
        self._vet_source(request, *args, **kwargs)
        self._secret = ""
        if not security.has_allowed_host(request):
            raise RequestRefused("Host is not allowed")
        if not security.has_readable_query(request):
            raise RequestRefused("The query cannot be read")

    def _load(self, request: HttpRequest) -> None:
        """Read the rows that the event is about; the hooks decide whether they will do."""
        if not security.is_api_id(self._event.api_id):
            raise self._unproved(f"api_id={self._event.api_id[:80]!r} is none")
        if self._route == CONNECT:
            self.api_gateway = self.model.objects.gateway_of(
                self._event.api_id, self._event.connection_id
            )
            return
        self._load_session(request)
        if self.websocket_session is None:
            raise self._unproved("it is not there, or closed")
        self.api_gateway = self.websocket_session.api_gateway

    def _vet_source(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not self._allowed_apigateway(request, *args, **kwargs):
            raise self._unproved(f"api_id={self._event.api_id!r} is not its gateway's")
        if not self._has_source_proof(request):
            given = "is wrong" if self._secret else "is missing"
            raise self._unproved(f"the header {proof.HEADER} {given}")

    def _unproved(self, reason: str) -> SourceUnproved:
        """The refusal, which is one of an unknown gateway or connection."""
        # Out of reach of the hooks that answer: it may be somebody else's.
        self.websocket_session = self.api_gateway = None
        is_connect = self._route == CONNECT
        text = "Unexpected API Gateway" if is_connect else "Unknown connection"
        return SourceUnproved(text, reason=reason)

    def _expected_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to require other headers of every event."""
        return self._has(*self.required_headers, *self.additional_required_headers)

    def _has(self, *names: str) -> bool:
        self._missing = security.missing_headers(self.request.headers, names)
        self._debug(f"Missing headers: {', '.join(self._missing) or 'none'}")
        return not self._missing

    def _expected_useragent(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to vet the User-Agent in another way; see check_useragent."""
        prefix = self.expected_useragent_prefix
        return not self.check_useragent or self._event.user_agent.startswith(prefix)

    def _allowed_apigateway(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to choose the gateways that this view serves."""
        if self.aws_api_gateway_id and self.aws_api_gateway_id != self._event.api_id:
            return False
        registered = self._check_platform_registered_api_gateways(request, *args, **kwargs)
        # A connection of another gateway stays one, whatever id the event bears.
        return registered or (bool(self.aws_api_gateway_id) and self.api_gateway is None)

    def _check_platform_registered_api_gateways(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Override to accept other gateways than those of ApiGateway."""
        # A gateway that is not created yet has an empty id, which proves nothing.
        found = self.api_gateway.api_id if self.api_gateway else ""
        return bool(found) and found == self._event.api_id

    def _has_source_proof(self, request: HttpRequest) -> bool:
        """Override to prove in another way that API Gateway is the sender (by mutual TLS, say)."""
        if not self._is_proof_required:
            return True
        return proof.is_proof(self._secret, self.api_gateway.pk if self.api_gateway else None)

    @property
    def _is_proof_required(self) -> bool:
        """False for a gateway that an older release has deployed: its integrations send none."""
        return self.api_gateway.must_prove_source if self.api_gateway else proof.is_own()

    def _load_session(self, request: HttpRequest) -> None:
        """Override to load ``self.websocket_session`` in another way; None refuses the event."""
        self.websocket_session = lookups.session_of(
            self.model, self._event.connection_id, is_open=self._route != DISCONNECT
        )
