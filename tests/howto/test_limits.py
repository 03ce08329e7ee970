from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from django_aws_api_gateway_websockets import checks
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered

DENIED = (403, b"Permission denied")


@pytest.fixture(autouse=True)
def _site(project, mount, settings):
    """The view; its rates are counted in memory, since there is no Redis."""
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": __name__}}
    mount(project.desk.views.DeskView)


@pytest.fixture
def clerk(alice, settings):
    from django.core.cache import cache

    cache.clear()
    return allow(alice, "view_user")


def allow(user, codename):
    user.user_permissions.add(Permission.objects.get(codename=codename))
    return type(user).objects.get(pk=user.pk)


def refusal(user=None, origin="https://testserver"):
    return answered(WebSocketClient("/ws/", user=user, headers={"Origin": origin}).connect())


def test_the_refusals_of_a_connection_are_those_of_the_page(project, connect, clerk, bob, clock):
    assert refusal(clerk, "https://evil.example") == (400, b"Host is not in Origin")
    assert refusal() == (403, b"Log in first")
    assert refusal(bob) == DENIED
    connect(clerk, headers={"Origin": "https://desk.example.org"})
    for _ in range(4):
        connect(clerk)
    assert refusal(clerk) == (400, b"You have too many windows open")
    for _ in range(4):
        refusal(clerk)
    status, text = refusal(clerk)
    assert status == 429
    assert text.startswith(b"Too many connects. Try again in ")


def test_a_handler_can_ask_for_more(connect, clerk):
    ws = connect(clerk)
    assert answered(ws.send({"action": "remove", "name": "bob"})) == DENIED
    allow(clerk, "delete_user")
    assert ws.send({"action": "remove", "name": "bob"}).json() == {"removed": "bob"}


def test_too_many_messages_are_refused_and_the_connection_stays_open(connect, clerk, clock):
    ws = connect(clerk)
    answers = [ws.send({"action": "look"}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    clock.now += 1
    assert ws.send({"action": "look"}).json() == {"open": True}


def test_a_call_is_told_why_it_is_refused(connect, clerk):
    ws = connect(clerk)
    ws.send({"action": "remove", "name": "bob", "ref": "1"})
    error = {"status": 403, "text": "Permission denied"}
    assert ws.received == [{"ref": "1", "error": error}]


def test_the_cache_of_the_page_is_one_that_all_processes_share(project, settings):
    (warning,) = checks.check_deployed_views(None)
    assert warning.id.endswith("W007")
    settings.CACHES = project.settings["CACHES"]
    assert checks.check_deployed_views(None) == []


def test_the_texts_of_the_page_are_those_of_the_answers(project):
    for text in ("Host is not in Origin", "Log in first", "Permission denied"):
        assert f"``{text}``" in project.text
