from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.urls import path

# What an async view and a handler do in threads, they do on connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _site(project, settings):
    views = project.weather.views
    settings.ROOT_URLCONF = (
        path("warn/<str:city>/", views.warn),
        path("ws/<slug:route>", views.WeatherView.as_view()),
    )


async def get(url):
    return await AsyncClient().get(url)


def test_an_async_view_sends(connect):
    bern, oslo = connect(channel="Bern"), connect(channel="Oslo")
    response = async_to_sync(get)("/warn/Bern/")
    assert response.json() == {"sent": 1, "gone": 0}
    assert (bern.received, oslo.received) == ([{"warning": "storm"}], [])


def test_an_async_handler_sends(connect):
    bern = connect(channel="Bern")
    assert bern.send({"action": "forecast"}).json() == {}
    bern.send({"action": "forecasts"})
    assert bern.received == [{"forecast": "sunny"}, {"Bern": "sunny", "Oslo": "sunny"}]


def test_a_plain_function_sends_on_commit(project, connect, alice):
    window = connect(alice)
    async_to_sync(project.weather.accounts.rename)(alice.pk, "alicia")
    assert window.received == [{"name": "alicia"}]
    alice.refresh_from_db()
    assert alice.get_username() == "alicia"
