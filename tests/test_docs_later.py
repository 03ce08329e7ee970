"""What the page for those who come from 2.x to 4.x says is so: its tables, and its code."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.views.generic import TemplateView

from django_aws_api_gateway_websockets.checks.successors import ATTRIBUTES, HELPERS, KEYS, METHODS
from django_aws_api_gateway_websockets.mixins import AddWebSocketRouteToContextMixin
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.factories import make_created_gateway, make_route
from tests.pages import BLOCKS, PAGES, run

pytestmark = pytest.mark.django_db

PAGE = PAGES["coming-from-later"]


def test_every_name_that_the_checks_find_is_on_the_page():
    attributes = [name for names in ATTRIBUTES for name in names.replace(".*", "").split("|")]
    found = [*attributes, *METHODS, *HELPERS, *KEYS]
    assert [name for name in found if f"``{name}" not in PAGE] == []


@pytest.mark.parametrize(
    ("channel", "permissions", "status", "columns"),
    [
        ("board", [], 403, {"is_staff": True}),
        ("board", [], 200, {"is_superuser": True}),
        ("office", [], 403, {}),
        ("office", [], 200, {"is_staff": True}),
        ("desk", ["view_user"], 403, {}),
        ("desk", ["view_user", "change_user"], 200, {}),
        ("unlisted", [], 403, {"is_superuser": True}),
    ],
)
def test_the_channels_of_the_page_are_closed_as_it_says(
    mount, alice, channel, permissions, status, columns
):
    url = mount(run("later-can-join")["TeamView"])
    type(alice).objects.filter(pk=alice.pk).update(**columns)
    alice.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    socket = WebSocketClient(url, user=type(alice).objects.get(pk=alice.pk), channel=channel)
    assert answered(socket.connect())[0] == status


def test_the_template_of_the_page_has_the_sockets_url(settings, tmp_path):
    (tmp_path / "page.html").write_text(BLOCKS["later-template"].code, encoding="utf-8")
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}
    ]
    make_route(make_created_gateway(domain_name="ws.example.com"), route_key="default")
    bases = (AddWebSocketRouteToContextMixin, TemplateView)
    view = type("Page", bases, {"template_name": "page.html", "channel_name": "garden"})
    response = view.as_view()(RequestFactory().get("/")).render()
    assert '"wss://ws.example.com?channel=garden"' in response.content.decode()
