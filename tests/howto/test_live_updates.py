from __future__ import annotations

import pytest
from django.core import serializers
from django.db import transaction
from django.urls import path

from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.howto.window import data_of


@pytest.fixture(autouse=True)
def _site(project, settings):
    views = project.shop.views
    settings.ROOT_URLCONF = (
        path("orders/<str:number>/", views.OrderView.as_view()),
        path("ws/<slug:route>", views.OrderSocketView.as_view()),
    )


@pytest.fixture
def order(project, alice):
    return project.shop.models.Order.objects.create(number="A-7", customer=alice)


@pytest.fixture
def window(connect, order, alice):
    return connect(alice, channel="A-7")


def test_a_window_is_told_when_its_order_is_saved(window, commit, order):
    with commit():
        order.status = "paid"
        order.save()
        assert window.received == []
    assert window.received == [{"status": "paid"}]


def test_the_windows_of_other_orders_are_not_told(project, connect, commit, order, alice):
    project.shop.models.Order.objects.create(number="A-8", customer=alice)
    other = connect(alice, channel="A-8")
    with commit():
        order.save()
    assert other.received == []


def test_nobody_hears_of_what_is_rolled_back_or_loaded(window, commit, order):
    with commit():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            order.save()
            1 / 0  # noqa: B018
        for loaded in serializers.deserialize("json", serializers.serialize("json", [order])):
            loaded.save()
    assert window.received == []


def test_django_tells_nobody_of_an_update(project, window, commit, order):
    with commit():
        project.shop.models.Order.objects.update(status="paid")
    assert window.received == []


def test_nobody_listens_to_another_ones_order(project, websocket_outbox, order, bob):
    refused = WebSocketClient("/ws/", user=bob, channel="A-7").connect()
    assert answered(refused) == (403, b"This channel is closed to you")


def test_the_page_opens_the_channel_of_its_order(client, window, alice, bob):
    client.force_login(alice)
    html = client.get("/orders/A-7/").content.decode()
    assert data_of(html)["url"] == f"{window.gateway.socket_url}?channel=A-7"
    assert '<b id="status">new</b>' in html
    client.force_login(bob)
    assert client.get("/orders/A-7/").status_code == 404


def test_the_page_asks_when_it_may_have_missed_something(client, window, script, alice):
    assert window.send({"action": "current"}).json() == {"status": "new"}
    client.force_login(alice)
    result = script(
        client.get("/orders/A-7/").content.decode(),
        """
        const shown = () => find("status").textContent;
        await last().accept();
        const [{ action, ref }] = last().said;
        await last().bring({ ref, reply: { status: "paid" } });
        const first = shown();
        await last().bring({ status: "sent" });
        return [action, first, shown()];
        """,
    )
    assert result == ["current", "paid", "sent"]
