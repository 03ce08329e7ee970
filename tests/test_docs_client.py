"""The page on the client says what client.js and client.d.ts have, and its examples work."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.template import RequestContext, Template
from django.test import RequestFactory
from django.urls import path

from django_aws_api_gateway_websockets.conf import CLIENT_LIMITS
from django_aws_api_gateway_websockets.testing import make_gateway
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.pages import BLOCKS, PAGES, ROOT, run

STATIC = ROOT / "django_aws_api_gateway_websockets/static/django_aws_api_gateway_websockets"
CODE = (STATIC / "client.js").read_text(encoding="utf-8")
TYPES = (STATIC / "client.d.ts").read_text(encoding="utf-8")
PAGE = PAGES["client"]


def members_of(interface):
    """The names that an interface of client.d.ts has."""
    (body,) = re.findall(rf"interface {interface} .*?{{\n(.*?)^}}", TYPES, re.M | re.S)
    return re.findall(r"^  (?:readonly )?(\w+)\??:", body, re.M)


@pytest.mark.django_db
def test_the_page_begins_with_a_template_that_opens_a_socket(settings, django_user_model):
    settings.ROOT_URLCONF = (path("t/", WebSocketTokenView.as_view(), name="ticket"),)
    gateway, request = make_gateway(), RequestFactory().get("/")
    request.user = django_user_model.objects.create_user("ada")
    html = Template(BLOCKS["client-start"].code).render(RequestContext(request))
    assert f'"url": "{gateway.socket_url}?channel=lobby"' in html
    assert '"ticketUrl": "/t/"' in html
    (module,) = re.findall(r'from "/static/([^"]+)"', html)
    assert finders.find(module) == str(STATIC / "client.js")


def test_the_page_s_handler_answers_the_page_s_call(websocket, settings):
    view = run("client-call-view")["ChatView"]
    settings.ROOT_URLCONF = (path("ws/<slug:route>", view.as_view()),)
    ws = websocket("/ws/")
    ws.send({"action": "rename", "name": " Ada ", "ref": "1"})
    assert ws.received == [{"ref": "1", "reply": {"name": "Ada"}}]


@pytest.mark.parametrize(
    "interface", ["StateDetail", "SocketOptions", "Limits", "GatewaySocketEventMap"]
)
def test_each_name_is_on_the_page(interface):
    names = members_of(interface)
    assert names
    assert [name for name in names if f"``{name}``" not in PAGE] == []


def test_each_state_and_each_close_code_is_on_the_page():
    states = re.search(r"type State = (.*);", TYPES)[1]
    codes = re.findall(r"^  (1\d\d\d): ", CODE, re.M)
    assert len(codes) == 8
    wanted = [*re.findall(r"\w+", states), *codes]
    assert [each for each in wanted if f"\n``{each}``  " not in PAGE] == []


def test_the_settings_know_the_clients_limits():
    assert set(members_of("Limits")) == set(CLIENT_LIMITS)


def test_the_page_s_scripts_name_what_the_client_has():
    scripts = [block.code for block in BLOCKS.values() if block.name.startswith("client-")]
    used = set(re.findall(r"socket\.(\w+)", "".join(scripts)))
    assert used == {"addEventListener", "call", "onmessage", "retry"}
    assert [name for name in used if f" {name}" not in TYPES] == []
