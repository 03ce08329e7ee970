"""The socket's URL and channel in the context of a page."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.views.generic import TemplateView

from django_aws_api_gateway_websockets.mixins import (
    AddWebSocketRouteToContextMixin,
    AppChannelWebSocketMixin,
    WebSocketContextMixin,
)
from tests.factories import make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db

API = "wss://abc.execute-api.eu-west-1.amazonaws.com"


class PageView(WebSocketContextMixin, TemplateView):
    template_name = "page.html"


def context_of(view=PageView, host="testserver", **initkwargs):
    """The ``websocket_url`` and the ``websocket_channel`` of a page that is asked for."""
    request = RequestFactory().get("/", headers={"Host": host})
    context = view.as_view(**initkwargs)(request).context_data
    return context["websocket_url"], context["websocket_channel"]


def test_the_url_is_that_of_the_gateways_stage():
    make_created_gateway(api_endpoint=API)
    assert context_of() == (f"{API}/production", "")


def test_the_url_is_that_of_the_custom_domain():
    make_created_gateway(
        api_endpoint=API, domain_name="ws.example.com", custom_domain_created=True
    )
    assert context_of() == ("wss://ws.example.com", "")


def test_without_a_created_gateway_the_url_is_empty():
    assert context_of(websocket_channel="lobby") == ("", "lobby")
    make_gateway(api_endpoint=API)
    assert context_of(websocket_channel="lobby") == ("", "lobby")


def test_without_an_endpoint_the_url_is_empty(settings):
    make_created_gateway(api_endpoint="")
    assert context_of(websocket_channel="lobby") == ("", "lobby")
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://127.0.0.1:9001"
    assert context_of(websocket_channel="lobby") == ("", "lobby")


def test_the_channel_goes_with_the_url():
    make_created_gateway(api_endpoint=API)
    # %20 and not +, which is a space in forms only.
    url, channel = context_of(websocket_channel="my example channel & more")
    assert url == f"{API}/production?channel=my%20example%20channel%20%26%20more"
    assert channel == "my example channel & more"


def test_a_view_chooses_the_channel_for_each_request():
    class RoomView(PageView):
        def get_websocket_channel(self):
            return f"room on {self.request.get_host()}"

    make_created_gateway(api_endpoint=API)
    expected = f"{API}/production?channel=room%20on%20testserver"
    assert context_of(RoomView) == (expected, "room on testserver")


def test_a_view_names_its_gateway():
    make_created_gateway(api_endpoint=API, api_name="other")
    make_created_gateway(api_endpoint="wss://mine", api_name="mine")
    assert context_of(api_gateway_name="mine") == ("wss://mine/production", "")
    assert context_of(api_gateway_name="unknown") == ("", "")


def test_without_a_name_the_first_created_gateway_is_taken():
    make_gateway(api_endpoint="wss://not-created")
    make_created_gateway(api_endpoint="wss://first")
    make_created_gateway(api_endpoint="wss://second")
    assert context_of() == ("wss://first/production", "")


def test_a_view_chooses_the_gateway_itself():
    chosen = make_created_gateway(api_endpoint=API, stage_name="")

    class OwnGatewayView(PageView):
        api_gateway_name = "none of that name"

        def get_api_gateway(self):
            return chosen

    assert context_of(OwnGatewayView) == (f"{API}/production", "")


def test_the_context_keeps_what_else_is_in_it():
    request = RequestFactory().get("/")
    context = PageView.as_view(extra_context={"title": "Chat"})(request, page=7).context_data
    assert (context["title"], context["page"]) == ("Chat", 7)


@pytest.fixture
def local_endpoint(settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://127.0.0.1:9001"


@pytest.mark.usefixtures("local_endpoint")
@pytest.mark.parametrize(
    ("host", "socket_host"),
    [
        ("localhost:8000", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "[::1]"),
        ("laptop", "laptop"),
    ],
)
def test_a_local_gateways_url_has_the_pages_host_and_so_its_cookies(host, socket_host):
    make_created_gateway(api_endpoint="ws://127.0.0.1:9000/abc")
    url, _ = context_of(host=host, websocket_channel="lobby")
    assert url == f"ws://{socket_host}:9000/abc/production?channel=lobby"


@pytest.mark.usefixtures("local_endpoint")
def test_a_local_gateways_custom_domain_stays_as_it_is():
    make_created_gateway(
        api_endpoint="ws://127.0.0.1:9000/abc",
        domain_name="ws.example.com",
        custom_domain_created=True,
    )
    assert context_of() == ("wss://ws.example.com", "")


@pytest.mark.usefixtures("local_endpoint")
def test_a_gateway_of_aws_keeps_its_host_beside_a_local_endpoint():
    make_created_gateway(api_endpoint=API)
    assert context_of() == (f"{API}/production", "")


# The names of the releases 2.x to 4.x


def old_context_of(mixin, **attributes):
    """The ``api_gateway_route`` and the ``channel_name`` of a page with that mixin."""
    names = {"template_name": "page.html", "__module__": __name__, **attributes}
    view = type("OldPageView", (mixin, TemplateView), names)
    context = view.as_view()(RequestFactory().get("/")).context_data
    return context["api_gateway_route"], context["channel_name"]


def test_a_page_of_a_later_release_gets_its_route_and_channel(django_assert_num_queries):
    gateway = make_created_gateway(domain_name="ws.example.com")
    make_route(gateway, route_key="other")
    first = make_route(gateway, route_key="default")
    make_route(make_created_gateway(), route_key="default")
    with django_assert_num_queries(1):
        route, channel = old_context_of(AddWebSocketRouteToContextMixin)
        assert route.api_gateway.domain_name == "ws.example.com"
    assert (route, channel) == (first, "")


def test_a_page_of_a_later_release_names_its_route_and_channel():
    chat = make_route(make_created_gateway(), route_key="chat")
    named = {"websocket_route_key": "chat", "channel_name": "garden"}
    assert old_context_of(AddWebSocketRouteToContextMixin, **named) == (chat, "garden")
    named["websocket_route_key"] = "none"
    assert old_context_of(AddWebSocketRouteToContextMixin, **named) == (None, "garden")


def test_a_page_of_an_app_has_the_route_and_channel_of_its_package():
    route = make_route(make_created_gateway(), route_key="tests")
    assert old_context_of(AppChannelWebSocketMixin) == (route, "tests")
    assert old_context_of(AppChannelWebSocketMixin, channel_name="ignored") == (route, "tests")
    lobby = {"app_channel_override": "lobby"}
    assert old_context_of(AppChannelWebSocketMixin, **lobby) == (route, "lobby")


def test_pages_of_a_later_release_have_the_rest_of_their_context():
    view = type("Page", (AppChannelWebSocketMixin, TemplateView), {"template_name": "page.html"})
    request = RequestFactory().get("/")
    context = view.as_view(extra_context={"title": "Chat"})(request, page=7).context_data
    assert (context["title"], context["page"]) == ("Chat", 7)
