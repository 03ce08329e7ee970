"""What a view may override: each hook is asked, and its answer obeyed."""

from __future__ import annotations

import pytest
from django.http import HttpResponse, JsonResponse
from django.views.generic import View

from django_aws_api_gateway_websockets.decorators import permission_required
from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import answered, post
from tests.chat import ChatView
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db


HEADERS_MISSING = b"Some of the required headers are missing"

#: Each hook that answers a question, headers for which the view's own answer is no, and the
#: refusal that follows from no.
QUESTIONS = {
    "_expected_headers": ({"X-Forwarded-For": None}, HEADERS_MISSING),
    "_expected_useragent": ({"User-Agent": "curl"}, b"Unexpected Useragent"),
    "_expected_connection_headers": ({"Sec-WebSocket-Key": None}, b"Missing 1 headers"),
    "_allowed_apigateway": ({"X-Amzn-Apigateway-Api-Id": "else"}, HEADERS_MISSING),
    "_check_platform_registered_api_gateways": (
        {"X-Amzn-Apigateway-Api-Id": "else"},
        HEADERS_MISSING,
    ),
    "_check_host_is_in_origin": ({"Origin": "https://else.net"}, b"Host is not in Origin"),
    "_is_own_origin": ({"Origin": "https://else.net"}, b"Host is not in Origin"),
    "_check_allowed_hosts": ({"Host": "else.net"}, b"Host is not allowed"),
}


def answering(hook, answer):
    """A view whose hook always answers so."""
    return type("HookedView", (WebSocketView,), {hook: lambda self, *args, **kwargs: answer})


@pytest.fixture
def no_middleware(settings):
    """CommonMiddleware would refuse a Host by itself."""
    settings.MIDDLEWARE = []


@pytest.mark.usefixtures("no_middleware")
@pytest.mark.parametrize("hook", QUESTIONS)
def test_a_hook_lets_in_what_the_view_would_refuse(mount, hook):
    headers, body = QUESTIONS[hook]
    plain = WebSocketClient(mount(WebSocketView, check_useragent=True), headers=headers)
    assert answered(plain.connect()) == (400, body)
    hooked = WebSocketClient(mount(answering(hook, True), check_useragent=True), headers=headers)
    assert answered(hooked.connect()) == (200, b"{}")


@pytest.mark.parametrize("hook", QUESTIONS)
def test_a_hook_refuses_what_the_view_would_let_in(mount, hook):
    ws = WebSocketClient(mount(answering(hook, False), check_useragent=True))
    body = QUESTIONS[hook][1].replace(b"1", b"0")
    assert answered(ws.connect()) == (400, body)
    assert ws.session is None


def test_additional_connection_checks_refuse_with_a_text_of_their_own(mount):
    class SmallView(WebSocketView):
        def _additional_connection_checks(self, request, *args, **kwargs):
            return kwargs["route"] != "connect", "The room is full"

    ws = WebSocketClient(mount(SmallView))
    assert answered(ws.connect()) == (400, b"The room is full")
    assert ws.session is None


def test_a_view_chooses_the_channel(websocket, mount, alice):
    class OwnChannelView(WebSocketView):
        def _get_channel_name(self, request):
            return f"user {request.user.pk}"

    ws = websocket(mount(OwnChannelView), user=alice, channel="lobby")
    assert ws.session.channel_name == f"user {alice.pk}"


def test_a_channel_that_a_view_chooses_badly_is_refused(mount):
    class LongChannelView(WebSocketView):
        def _get_channel_name(self, request):
            return "x" * 129

    response = WebSocketClient(mount(LongChannelView)).connect()
    assert answered(response) == (400, b"Invalid channel name")


def test_a_view_chooses_the_gateway_of_a_connection(websocket, mount):
    chosen = make_created_gateway()

    class OneGatewayView(WebSocketView):
        def _check_platform_registered_api_gateways(self, request, *args, **kwargs):
            self.api_gateway = chosen
            return True

    assert websocket(mount(OneGatewayView)).session.api_gateway == chosen


def test_a_view_chooses_the_user_of_a_message(websocket, mount, alice, bob):
    class DeputyView(ChatView):
        def _add_user_to_request(self, request):
            request.user = bob

    ws = websocket(mount(DeputyView), user=alice)
    assert ws.send({"action": "whoami"}).json() == {"user": "bob"}


def test_a_view_loads_the_session_in_its_own_way(websocket, mount, alice):
    deputy = make_session(user=alice)

    class DeputyView(ChatView):
        aws_api_gateway_id = "testserver"

        def _load_session(self, request):
            self.websocket_session = WebSocketSession.objects.get(pk=deputy.pk)

    ws = websocket(mount(DeputyView))
    assert ws.send({"action": "whoami"}).json() == {"user": "alice"}
    deputy.refresh_from_db()
    assert (ws.session.request_count, deputy.request_count) == (1, 2)


def test_a_view_that_loads_no_session_refuses(websocket, mount):
    class DeafView(ChatView):
        def _load_session(self, request):
            self.websocket_session = None

    response = websocket(mount(DeafView)).send({"action": "later"})
    assert answered(response) == (400, b"Unknown connection")


def test_a_view_answers_refusals_in_its_own_way(websocket, mount):
    class SternView(WebSocketView):
        def _return_bad_request(self, msg):
            return JsonResponse({"error": msg}, status=403)

    url = mount(SternView)
    response = WebSocketClient(url, headers={"Origin": "https://else.net"}).connect()
    assert (response.status_code, response.json()) == (403, {"error": "Host is not in Origin"})
    response = websocket(url).send(b"[" * 200_000)
    assert (response.status_code, response.json()) == (413, {"error": "Message too long"})


@pytest.mark.parametrize(
    ("hook", "headers"),
    [
        ("missing_headers", {"X-Forwarded-For": None}),
        ("missing_headers", {"X-Amzn-Apigateway-Api-Id": "unknown"}),
        ("missing_headers", {proof.HEADER: "0" * 64}),
        ("session_not_found", {"Connectionid": "unknown="}),
        ("invalid_useragent", {"User-Agent": "curl"}),
        ("route_selection_key_missing", {}),
    ],
)
def test_a_view_answers_one_kind_of_refusal_in_its_own_way(websocket, mount, hook, headers):
    def answer(self, request, *args, **kwargs):
        return HttpResponse(f"{hook} {kwargs['route']}", status=418)

    ws = websocket(mount(type("OwnView", (ChatView,), {hook: answer}), check_useragent=True))
    response = post(ws, body=b"{}", headers=headers)
    assert answered(response) == (418, f"{hook} default".encode())


def test_a_view_answers_every_403_in_its_own_way(websocket, mount):
    class JsonView(ChatView):
        allow_channel_change = True

        def can_join_channel(self, request, channel_name):
            return channel_name != "closed"

        @permission_required("auth.view_user")
        def whoami(self, request, *args, **kwargs):
            raise AssertionError("A guest was let in")

        def permission_denied(self, request, *args, **kwargs):
            return JsonResponse({"error": "denied"}, status=404)

    url = mount(JsonView)
    ws = websocket(url)
    denied = (404, b'{"error": "denied"}')
    assert answered(ws.send({"action": "whoami"})) == denied
    assert answered(ws.send({"action": "change_channel", "channel": "closed"})) == denied
    assert answered(WebSocketClient(url, channel="closed").connect()) == denied


def test_a_view_does_more_on_connect_and_disconnect(websocket, mount):
    calls = []

    class NotingView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            response = super().connect(request, *args, **kwargs)
            calls.append(("connect", self.websocket_session.connected))
            return response

        async def disconnect(self, request, *args, **kwargs):
            calls.append(("disconnect", self.websocket_session.connected))

    ws = websocket(mount(NotingView))
    assert answered(ws.disconnect()) == (200, b"{}")
    assert calls == [("connect", True), ("disconnect", True)]
    assert ws.session.connected  # since disconnect() did not call super()


def test_default_may_be_async(websocket, mount):
    class AsyncView(WebSocketView):
        async def default(self, request, *args, **kwargs):
            return {"default": self.body["action"]}

    assert websocket(mount(AsyncView)).send({"action": "any"}).json() == {"default": "any"}


def test_a_view_keeps_more_from_the_request_in_setup(websocket, mount):
    class SetupView(WebSocketView):
        def setup(self, request, *args, **kwargs):
            super().setup(request, *args, **kwargs)
            self.size = len(self.body)

        def size_of_it(self, request, *args, **kwargs):
            return {"size": self.size}

    ws = websocket(mount(SetupView))
    assert ws.send({"action": "size_of_it", "text": "hello"}).json() == {"size": 2}


#: The private names that a view has: the hooks of 1.1.1, those that came since, and the way to
#: the object that does the rest.
PRIVATE_NAMES = {
    "_add_user_to_request",
    "_additional_connection_checks",
    "_allowed_apigateway",
    "_check_allowed_hosts",
    "_check_host_is_in_origin",
    "_check_platform_registered_api_gateways",
    "_debug",
    "_event_dispatcher",
    "_expected_connection_headers",
    "_expected_headers",
    "_expected_useragent",
    "_get_channel_name",
    "_has_permissions",
    "_is_own_origin",
    "_has_source_proof",
    "_load_session",
    "_rate_key",
    "_return_bad_request",
}


def private_names(thing):
    return {name for name in dir(thing) if name.startswith("_") and not name.startswith("__")}


def test_a_view_has_no_private_names_but_its_hooks(rf):
    view = WebSocketView()
    view.setup(rf.post("/ws/default"), route="default")
    of_django = private_names(View())
    assert private_names(view) - of_django <= PRIVATE_NAMES


@pytest.mark.parametrize(("action", "status"), [("greet", 200), ("nothing", 400)])
def test_helpers_of_the_site_s_own_do_not_collide_with_the_view(mount, action, status):
    def helper(self, *args, **kwargs):
        return "the site's own"

    names = ["_load", "_open", "_has", "_event", "_fail", "_route", "_refuse", "_permitted"]
    helpers = dict.fromkeys([*names, "_identity", "_ticket", "_vet", "_handlers"], helper)

    def greet(self, request, *args, **kwargs):
        return {name: getattr(self, name)() for name in helpers}

    view = type("SiteView", (WebSocketView,), helpers)
    view.greet = greet
    ws = WebSocketClient(mount(view))
    assert ws.connect().status_code == 200
    assert ws.send({"action": action}).status_code == status
    if action == "greet":
        assert set(ws.response.json().values()) == {"the site's own"}
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected
