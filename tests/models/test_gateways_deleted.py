"""A gateway that is deleted: its sessions count as closed, since nobody can be sent to."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from tests.factories import fresh, make_created_gateway, make_session

pytestmark = pytest.mark.django_db


def from_the_admins_page(gateway, client):
    url = "admin:django_aws_api_gateway_websockets_apigateway_delete"
    client.post(reverse(url, args=[gateway.pk]), {"post": "yes"})


def from_the_admins_list(gateway, client):
    url = reverse("admin:django_aws_api_gateway_websockets_apigateway_changelist")
    data = {"action": "delete_selected", "_selected_action": [gateway.pk], "post": "yes"}
    client.post(url, data)


WAYS = {
    "a row": lambda gateway, client: gateway.delete(),
    "a queryset": lambda gateway, client: ApiGateway.objects.filter(pk=gateway.pk).delete(),
    "the admin's page": from_the_admins_page,
    "the admin's list": from_the_admins_list,
}


@pytest.mark.parametrize("way", WAYS)
def test_deleting_a_gateway_marks_its_sessions_closed(admin_client, edge, outbox, way):
    gateway, other = make_created_gateway(), make_created_gateway()
    ours, theirs = make_session(gateway, channel_name="room"), make_session(other)
    before = timezone.now()
    WAYS[way](gateway, admin_client)
    assert not ApiGateway.objects.filter(pk=gateway.pk).exists()
    ours = fresh(ours)
    assert (ours.connected, ours.api_gateway) == (False, None)
    assert ours.updated_on >= before
    assert fresh(theirs).connected
    report = WebSocketSession.objects.filter(channel_name="room").send_message({"a": 1})
    assert (report.sent, report.failed) == (0, 0)
    assert edge.requests == []


def test_a_session_that_was_closed_keeps_its_date(gateway):
    session = make_session(gateway, connected=False)
    before = fresh(session).updated_on
    gateway.delete()
    assert fresh(session).updated_on == before


def test_a_deletion_that_is_rolled_back_closes_no_session(gateway):
    session = make_session(gateway)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        gateway.delete()
        1 / 0  # noqa: B018
    assert fresh(session).connected
