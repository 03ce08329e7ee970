from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered

JOINED = {"type": "notification", "text": "bob has joined red."}


@pytest.fixture(autouse=True)
def _site(project, settings):
    views = project.teams.views
    settings.ROOT_URLCONF = (
        path("join/<str:name>/", views.join),
        path("ws/<slug:route>", views.NotificationView.as_view()),
    )


@pytest.fixture
def red(alice):
    red = Group.objects.create(name="red")
    red.user_set.add(alice)
    return red


def test_all_windows_of_a_user_are_told_and_nobody_elses(connect, client, commit, red, alice, bob):
    windows, his = [connect(alice), connect(alice)], connect(bob)
    client.force_login(bob)
    with commit():
        assert client.post("/join/red/").status_code == 204
        assert windows[0].received == []
    assert [window.received for window in windows] == [[JOINED], [JOINED]]
    assert his.received == []


def test_nobody_hears_of_what_is_rolled_back(project, connect, commit, alice):
    window = connect(alice)
    with commit(), pytest.raises(ZeroDivisionError), transaction.atomic():
        project.teams.notify.notify(alice, "This will not be.")
        1 / 0  # noqa: B018
    assert window.received == []


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_the_message_leaves_at_once(project, connect, alice):
    window = connect(alice)
    project.teams.notify.notify(alice, "now")
    assert window.received == [{"type": "notification", "text": "now"}]


def test_a_guest_has_nothing_to_listen_to(db):
    assert answered(WebSocketClient("/ws/").connect()) == (403, b"Log in first")


# Django 6.1 wants a setting of its own for mails, which this suite has none of.
@pytest.mark.filterwarnings("ignore:Django 2028 will not have a default mailer")
def test_who_is_not_there_gets_a_mail(project, connect, commit, mailoutbox, alice):
    window = connect(alice)
    alice.email = "alice@example.com"
    say = partial(project.teams.notify.notify_or_mail, alice)
    with commit():
        transaction.on_commit(partial(say, "by socket"))
    assert [message["text"] for message in window.received] == ["by socket"]
    assert mailoutbox == []
    window.disconnect()
    say("by mail")
    assert [mail.body for mail in mailoutbox] == ["by mail"]
