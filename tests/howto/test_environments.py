from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.mixins import WebSocketContextMixin
from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    Broadcast,
    WebSocketSession,
    get_boto3_client,
)


@pytest.mark.django_db
def test_a_gateway_is_made_once_and_named_by_the_environment(project, local_gateway):
    first, second = (project.chat.gateways.create_gateway() for _ in range(2))
    assert first.pk == second.pk
    assert first.target_base_endpoint == "https://staging.example.com/ws/"
    (api,) = get_boto3_client().get_apis()["Items"]
    assert (api["Name"], api["Tags"]["environment"]) == ("chat-staging", "staging")
    assert WebSocketContextMixin().get_api_gateway() == first


def test_a_copied_database_writes_to_nobody_when_it_has_been_cleared(
    project, websocket, websocket_outbox
):
    websocket("/ws/")
    project.run("environments-copy")
    WebSocketSession.objects.send_message("hello")
    assert len(websocket_outbox) == 0
    assert not any(model.objects.exists() for model in (ApiGateway, Broadcast, WebSocketSession))
