"""One view for each hook of 1.1.1, overridden with the signature that 1.1.1 calls it by."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.http import JsonResponse

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView

from .models import Message
from .views import ChatView


class DebugView(ChatView):
    lines: list = []

    def _debug(self, msg):
        self.lines.append(msg)


class DebugLogView(ChatView):
    debug = True

    def log(self, request, *args, **kwargs):
        return JsonResponse({"log": self.debug_log})


class PasswordView(ChatView):
    def _additional_connection_checks(self, request, *args, **kwargs):
        return request.GET.get("password") == f"for {kwargs['route']}", "Wrong password"


class ChannelView(ChatView):
    def _get_channel_name(self, request):
        return f"private to {request.user.get_username() or 'guests'} of {self.api_gateway}"


class HeadersView(ChatView):
    def _expected_headers(self, request, *args, **kwargs):
        return "X-Tenant" in request.headers and super()._expected_headers(
            request, *args, **kwargs
        )


class AllowedGatewayView(ChatView):
    """Only a gateway whose name has been agreed upon."""

    def _allowed_apigateway(self, request, *args, **kwargs):
        return (
            super()._allowed_apigateway(request, *args, **kwargs)
            and self.api_gateway.api_name != "Banned"
        )


class RegisteredGatewayView(ChatView):
    """Its gateways are found by their names."""

    def _check_platform_registered_api_gateways(self, request):
        api_id = request.headers["X-Amzn-Apigateway-Api-Id"]
        self.api_gateway = ApiGateway.objects.filter(api_name=f"known as {api_id}").first()
        return self.api_gateway is not None


class UseragentView(ChatView):
    """The right way round: AWS names itself in messages, and a $connect has the browser's."""

    def _expected_useragent(self, request, *args, **kwargs):
        return request.headers["User-Agent"] == f"AmazonAPIGateway_{self.api_gateway.api_id}"


class TenantView(ChatView):
    """Hosts are tenants, which have pages on hosts of their own."""

    tenants = ("www.example.com",)

    def _check_allowed_hosts(self, request):
        return request.headers["Host"] in self.tenants

    def _check_host_is_in_origin(self, request):
        return request.headers["Origin"].endswith(".tenants.example")


class StaticTenantView(ChatView):
    """The hooks are static in 1.1.1, so somebody has written them so."""

    @staticmethod
    def _check_allowed_hosts(request):
        return request.headers["Host"] == "www.example.com"

    @staticmethod
    def _check_host_is_in_origin(request):
        return request.headers["Origin"] == "https://pages.example"


class AnyHostView(ChatView):
    """A way round the literal comparison of 1.1.1, for ALLOWED_HOSTS = [".example.com"]."""

    def _check_allowed_hosts(self, request):
        return True


class OriginView(ChatView):
    def _check_host_is_in_origin(self, request):
        return request.headers["Origin"] == "https://partner.example"


class ConnectionHeadersView(ChatView):
    def _expected_connection_headers(self, request, *args, **kwargs):
        return kwargs["route"] == "connect" and "Sec-Websocket-Protocol" in request.headers


class UserView(ChatView):
    def _add_user_to_request(self, request):
        super()._add_user_to_request(request)
        if request.user.is_anonymous:
            request.user = User(username="somebody")


class SessionView(ChatView):
    """Only sessions of the gateway that the message comes through."""

    def _load_session(self, request):
        self.websocket_session = WebSocketSession.objects.get(
            connection_id=request.headers["Connectionid"], api_gateway=self.api_gateway
        )


class BadRequestView(ChatView):
    def _return_bad_request(self, msg):
        return JsonResponse({"error": msg}, status=422)


class MissingHeadersView(ChatView):
    def missing_headers(self, request, *args, **kwargs):
        return JsonResponse({"unknown": kwargs["route"]}, status=403)


class InvalidUseragentView(UseragentView):
    def invalid_useragent(self, request, *args, **kwargs):
        return JsonResponse({"agent": kwargs["route"]}, status=403)


class ActionMissingView(ChatView):
    def route_selection_key_missing(self, request, *args, **kwargs):
        return JsonResponse({"keys": sorted(self.body)}, status=422)


class ConnectView(ChatView):
    def connect(self, request, *args, **kwargs):
        answer = super().connect(request, *args, **kwargs)
        if answer.status_code == 200:
            answer["X-Channel"] = WebSocketSession.objects.latest("pk").channel_name
        return answer


class OwnConnectView(ChatView):
    def connect(self, request, *args, **kwargs):
        WebSocketSession.objects.create(
            connection_id=request.headers["Connectionid"],
            channel_name="of our own",
            api_gateway=self.api_gateway,
            user=None if request.user.is_anonymous else request.user,
        )
        return JsonResponse({"connect": "our own"})


class DisconnectView(ChatView):
    left: list = []

    def disconnect(self, request, *args, **kwargs):
        super().disconnect(request, *args, **kwargs)
        self.left.append((request.headers["Connectionid"], request.user.get_username()))


class SetupView(ChatView):
    """Old clients send "verb" where new ones send "action"."""

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        if "verb" in self.body:
            self.body["action"] = self.body.pop("verb")


class DispatchView(ChatView):
    def dispatch(self, request, *args, **kwargs):
        answer = super().dispatch(request, *args, **kwargs)
        answer["X-Served-By"] = "chat"
        return answer


class OwnDispatchView(ChatView):
    """Asks the hooks itself, one after the other."""

    def dispatch(self, request, *args, **kwargs):
        if not self._expected_headers(request, *args, **kwargs):
            return self.missing_headers(request, *args, **kwargs)
        if not self._allowed_apigateway(request, *args, **kwargs):
            return self._return_bad_request("Another gateway")
        if kwargs["route"] == "connect":
            return self.connect(request, *args, **kwargs)
        self._load_session(request)
        self._add_user_to_request(request)
        if kwargs["route"] == "disconnect":
            self.disconnect(request, *args, **kwargs)
            return JsonResponse({})
        return self.default(request, *args, **kwargs)

    def default(self, request, *args, **kwargs):
        session = self.websocket_session
        return JsonResponse({"user": request.user.get_username(), "in": session.channel_name})


class ModelView(ChatView):
    """Generic mixins want a model."""

    model = Message

    def count(self, request, *args, **kwargs):
        return JsonResponse({"messages": self.model.objects.count()})


class GetOnlyView(ChatView):
    http_method_names = ["get"]


class TypeView(ChatView):
    route_selection_key = "type"

    def default(self, request, *args, **kwargs):
        return JsonResponse({"default": self.body["type"]})


class OldHeadersView(ChatView):
    """The lists of 1.1.1, written down."""

    additional_required_headers = ["Connection", "X-Amzn-Trace-Id", "X-Forwarded-Port"]
    required_connection_headers = ["Cookie", "Origin", "Sec-Websocket-Key"]


class OneGatewayView(ChatView):
    aws_api_gateway_id = "api1"


class HelpersView(ChatView):
    """Helpers of its own, by the names that helpers get."""

    def _load(self):
        return "load"

    def _open(self):
        return "open"

    def _has(self):
        return "has"

    def _event(self):
        return "event"

    def _fail(self):
        return "fail"

    def _refuse(self):
        return "refuse"

    def _route(self):
        return "route"

    def _permitted(self):
        return "permitted"

    def _vet(self):
        return "vet"

    def _handle(self):
        return "handle"

    def _close(self):
        return "close"

    def _user(self):
        return "user"

    def _check(self):
        return "check"

    def _message(self):
        return "message"

    def helpers(self, request, *args, **kwargs):
        names = ("load", "open", "has", "event", "fail", "refuse", "route", "permitted", "vet")
        names += ("handle", "close", "user", "check", "message")
        return JsonResponse({name: getattr(self, f"_{name}")() for name in names})


class RecordingView(ChatView):
    """Tells which hooks it was asked, and by which arguments."""

    asked: list = []


def recorded(name):
    def hook(self, request, *args, **kwargs):
        self.asked.append((name, kwargs))
        return getattr(super(RecordingView, self), name)(request, *args, **kwargs)

    return hook


for _name in (
    "_add_user_to_request",
    "_additional_connection_checks",
    "_allowed_apigateway",
    "_check_allowed_hosts",
    "_check_host_is_in_origin",
    "_check_platform_registered_api_gateways",
    "_expected_connection_headers",
    "_expected_headers",
    "_expected_useragent",
    "_get_channel_name",
    "_load_session",
):
    setattr(RecordingView, _name, recorded(_name))


class NoDefaultView(WebSocketView):
    """Without a default()."""


class GuestView(ChatView):
    """Knows no users at all."""

    def _add_user_to_request(self, request):
        request.user = AnonymousUser()
