"""The user of an event is the one that the site's own auth backend gives."""

from __future__ import annotations

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.aws_requests import answered
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

WHOAMI = {"action": "whoami"}
PLAIN = "django.contrib.auth.backends.ModelBackend"


with isolate_apps("django.contrib.auth"):

    class Captain(User):
        class Meta:
            proxy = True
            app_label = "auth"

        def get_username(self):
            return f"Captain {super().get_username()}"


class CaptainBackend(ModelBackend):
    """Gives everybody as a captain, but for those who are ashore."""

    def get_user(self, user_id):
        return Captain.objects.filter(pk=user_id).exclude(last_name="ashore").first()


CAPTAINS = f"{__name__}.{CaptainBackend.__name__}"


@pytest.fixture(autouse=True)
def site(settings):
    settings.AUTHENTICATION_BACKENDS = [PLAIN, CAPTAINS]
    settings.ROOT_URLCONF = (
        path("ws/<slug:route>", ChatView.as_view()),
        path("ticket/", WebSocketTokenView.as_view()),
    )


def browser_of(user, backend):
    browser = Client()
    browser.force_login(user, backend=backend)
    return browser


@pytest.fixture(params=["cookie", "ticket"])
def connect(request, websocket, alice):
    """``connect(backend)`` returns alice's connection, of a login by that backend."""

    def connected(backend):
        browser = browser_of(alice, backend)
        if request.param == "cookie":
            return websocket("/ws/", browser=browser)
        return websocket("/ws/", ticket=browser.post("/ticket/").json()["ws_token"])

    return connected


@pytest.mark.parametrize(("backend", "name"), [(PLAIN, "alice"), (CAPTAINS, "Captain alice")])
def test_a_message_has_the_user_of_the_backend_of_the_login(connect, backend, name):
    assert connect(backend).send(WHOAMI).json() == {"user": name}


def test_a_message_of_a_user_of_djangos_backend_costs_two_statements(connect):
    ws = connect(PLAIN)
    with CaptureQueriesContext(connection) as queries:
        ws.send(WHOAMI)
    assert len(queries) == 2


def test_one_whom_the_backend_gives_no_more_is_refused_and_closed(connect, commit):
    ws = connect(CAPTAINS)
    User.objects.update(last_name="ashore")
    with commit():
        assert answered(ws.send(WHOAMI)) == (403, b"Log in again")
    assert ws.is_closed


def test_one_of_a_backend_that_the_site_has_given_up_is_refused(connect, settings):
    ws = connect(CAPTAINS)
    settings.AUTHENTICATION_BACKENDS = [PLAIN]
    assert answered(ws.send(WHOAMI)) == (403, b"Log in again")


def test_a_ticket_of_one_whom_the_backend_gives_no_more_opens_nothing(alice):
    ticket = browser_of(alice, CAPTAINS).post("/ticket/").json()["ws_token"]
    User.objects.update(last_name="ashore")
    ws = WebSocketClient("/ws/", ticket=ticket)
    assert answered(ws.connect()) == (403, b"The ticket is not valid")
