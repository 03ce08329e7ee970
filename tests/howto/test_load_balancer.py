from __future__ import annotations

import pytest
from django.test import Client

from django_aws_api_gateway_websockets.testing import WebSocketClient

pytestmark = pytest.mark.django_db


class LoadBalancer(Client):
    """Hands each request on over HTTP."""

    def generic(self, *args, **kwargs):
        return super().generic(*args, **{**kwargs, "secure": False})


@pytest.fixture
def connect(project, websocket_outbox):
    def connect(**headers):
        headers = {"Host": "www.example.com", "Origin": "https://www.example.com", **headers}
        return WebSocketClient("/ws/", browser=LoadBalancer(), headers=headers).connect()

    return connect


def test_an_event_arrives(connect):
    assert connect().status_code == 200


def test_a_site_that_does_not_know_that_it_was_https_redirects(connect, settings):
    settings.SECURE_PROXY_SSL_HEADER = None
    assert connect().status_code == 301


def test_another_host_is_refused(connect):
    assert connect(Host="ws.example.com").status_code == 400


def test_the_views_own_answer_tells_that_an_event_would_arrive(project, client):
    headers = {"Host": "www.example.com"}
    answer = client.post("/ws/connect", headers=headers, secure=True)
    assert answer.status_code == 400
    assert answer.content.decode() == "Some of the required headers are missing"
    assert f"``{answer.content.decode()}``" in project.text
    assert client.post("/ws/connect/", headers=headers, secure=True).status_code == 404
