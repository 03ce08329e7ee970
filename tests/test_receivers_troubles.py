"""A database that refuses, or lacks, our tables fails nothing that a site does with its users."""

from __future__ import annotations

import logging
from contextlib import contextmanager

import pytest
from django.contrib.auth.views import LogoutView
from django.db import OperationalError, connection
from django.test import Client
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests import databases
from tests.chat import ChatView
from tests.databases import APP
from tests.factories import fresh
from tests.test_receivers_others import become

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def refusing():
    """No statement on our tables succeeds."""

    def refuse(execute, sql, *arguments):
        if APP in sql:
            raise OperationalError("the disk is full")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture(params=[databases.without_own_tables, refusing], ids=["missing", "refusing"])
def trouble(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["", "atomic"])
def site(request, settings):
    settings.ROOT_URLCONF = (
        path("ws/<slug:route>", ChatView.as_view()),
        path("become/<name>", become),
        path("logout/", LogoutView.as_view(next_page="/")),
    )
    if request.param:
        request.getfixturevalue("atomic_requests")


@pytest.fixture
def browser(site, alice, bob):
    browser = Client()
    browser.force_login(alice)
    return browser


def is_told_of(caplog):
    told = [record for record in caplog.records if record.name.endswith(".receivers")]
    return bool(told) and all(record.levelno == logging.WARNING for record in told)


def test_a_logout_succeeds(browser, trouble, caplog):
    with trouble():
        assert browser.post("/logout/").status_code == 302
    assert "_auth_user_id" not in browser.session
    assert is_told_of(caplog)


def test_a_login_as_somebody_else_succeeds(browser, trouble, bob, caplog):
    with trouble():
        assert browser.post("/become/bob").status_code == 200
    assert browser.session["_auth_user_id"] == str(bob.pk)
    assert is_told_of(caplog)


def test_a_new_password_is_saved(alice, trouble, caplog):
    alice.set_password("new")
    with trouble():
        alice.save()
    assert fresh(alice).check_password("new")
    assert is_told_of(caplog)


class Boom(Exception):
    pass


class DoomedView(ChatView):
    """Fails once the session is made, and so has the database then."""

    def connect(self, request, *args, **kwargs):
        super().connect(request, *args, **kwargs)
        raise Boom

    def handler_failed(self, request, error):
        seen.append(error)


seen: list[Exception] = []


def test_a_connect_that_cannot_be_undone_is_answered_by_the_view(mount, settings):
    settings.DEBUG = True
    seen.clear()
    ws = WebSocketClient(mount(DoomedView), browser=Client(raise_request_exception=False))

    def refuse_deletion(execute, sql, *arguments):
        if sql.startswith("DELETE"):
            raise OperationalError("the server has gone away")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse_deletion):
        response = ws.connect()
    assert (response.status_code, response.content) == (500, b"Internal server error")
    assert [type(error) for error in seen] == [Boom]
