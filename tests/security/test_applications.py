"""What the site's application leaves in a request: all but the secrets of an event."""

from __future__ import annotations

import io
import json

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import event_headers

# The application closes old connections, and with them the transaction of a test.
pytestmark = pytest.mark.django_db(transaction=True)


@csrf_exempt
def page(request):
    return JsonResponse({"full": request.get_full_path(), "token": request.GET.get("ws_token")})


class OwnParameterView(WebSocketView):
    """Knows users by cookie, so "ws_token" is a parameter like any other."""

    authentication = "cookie"

    def ask(self, request, *args, **kwargs):
        return page(request)


def ask(settings, url, body=b"", **headers):
    settings.ROOT_URLCONF = (
        path("page", page),
        path("ws/<slug:route>", OwnParameterView.as_view()),
    )
    target, _, query = url.partition("?")
    environ = {
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "testserver",
        "PATH_INFO": target,
        "QUERY_STRING": query,
        "REQUEST_METHOD": "POST",
        "REQUEST_URI": url,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "443",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "https",
    }
    response = get_wsgi_application()(environ, lambda *answer: None)
    return json.loads(b"".join(response))


def test_another_page_keeps_a_parameter_of_that_name(settings):
    url = "/page?ws_token=x&a=1"
    assert ask(settings, url) == {"full": url, "token": "x"}


def test_a_view_without_tickets_keeps_it_as_well(settings, mount, websocket):
    ws = websocket(mount(OwnParameterView))
    headers = {name: value for name, value in event_headers(ws).items() if value is not None}
    url = "/ws/default?ws_token=x&a=1"
    assert ask(settings, url, b'{"action": "ask"}', **headers) == {"full": url, "token": "x"}
