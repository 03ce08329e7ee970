"""Which events are let in: from a gateway, a connection and a page of ours."""

from __future__ import annotations

from typing import Any, Optional, Type

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.views.generic import View

from . import security
from .aws import host_of
from .events import Event
from .exceptions import HeadersMissing, RequestRefused, UserAgentUnexpected
from .models import ApiGateway, WebSocketSession
from .security import Origin

CONNECT = "connect"
DISCONNECT = "disconnect"


class VettingView(View):
    """Decides about one event before any handler sees it. Each question is a hook.

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
    #: Required of a $connect besides.
    required_connection_headers: list[str] = [
        "Origin",
        "Sec-Websocket-Key",
        "Sec-Websocket-Version",
    ]

    _event: Event
    _route: str
    _channel_name: str = ""
    _missing: tuple[str, ...] = ()

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
        if not security.has_allowed_host(request):
            raise RequestRefused("Host is not allowed")
        if not security.has_readable_query(request):
            raise RequestRefused("The query cannot be read")
        if not security.is_connection_id(self._event.connection_id):
            raise RequestRefused("Invalid connection id")
        if self._route == CONNECT:
            self._vet_connect(request, *args, **kwargs)
        else:
            self._vet_session(request, *args, **kwargs)

    def _vet_connect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not self._expected_connection_headers(request, *args, **kwargs):
            raise RequestRefused(f"Missing {len(self._missing)} headers")
        if not self._allowed_apigateway(request, *args, **kwargs):
            raise RequestRefused("Unexpected API Gateway")
        if not self._check_host_is_in_origin(request):
            raise RequestRefused("Host is not in Origin")
        self._channel_name = self._get_channel_name(request)
        if not security.is_channel_name(self._channel_name):
            raise RequestRefused("Invalid channel name")
        accepted, message = self._additional_connection_checks(request, *args, **kwargs)
        if not accepted:
            raise RequestRefused(message)

    def _vet_session(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self._load_session(request)
        if self.websocket_session is None:
            raise RequestRefused("Unknown connection")
        if not self._allowed_apigateway(request, *args, **kwargs):
            raise RequestRefused("Unexpected API Gateway")
        self._add_user_to_request(request)

    def _expected_headers(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        """Override to require other headers of every event."""
        return self._has(*self.required_headers, *self.additional_required_headers)

    def _expected_connection_headers(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Override to require other headers of a $connect."""
        return self._has(*self.required_connection_headers)

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
        """Override to look the calling gateway up elsewhere than in ApiGateway."""
        if self.websocket_session is None:
            self.api_gateway = self.model.objects.gateway_of(
                self._event.api_id, self._event.connection_id
            )
        else:
            self.api_gateway = self.websocket_session.api_gateway
        # A gateway that is not created yet has an empty id, which proves nothing.
        found = self.api_gateway.api_id if self.api_gateway else ""
        return bool(found) and found == self._event.api_id

    def _check_host_is_in_origin(self, request: HttpRequest) -> bool:
        """Override to choose the pages that may open a socket, by their Origin."""
        origin = Origin.parse(self._event.origin)
        if origin is None:
            return False
        return security.is_trusted_origin(origin) or self._check_allowed_hosts(request)

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

    def _load_session(self, request: HttpRequest) -> None:
        """Override to load ``self.websocket_session`` in another way; None refuses the event."""
        sessions = self.model.objects.select_related("user", "api_gateway")
        if self._route != DISCONNECT:
            sessions = sessions.filter(connected=True)
        try:
            self.websocket_session = sessions.get(connection_id=self._event.connection_id)
        except self.model.DoesNotExist:
            self.websocket_session = None

    def _add_user_to_request(self, request: HttpRequest) -> None:
        """Override to give handlers another ``request.user`` than the one who connected."""
        session = self.websocket_session
        request.user = (session and session.user) or AnonymousUser()
