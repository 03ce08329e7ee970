from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from django_aws_api_gateway_websockets.models import ApiGateway
from tests.chat import ChatView
from tests.howto.project import SETTINGS, execute


def settings_of(project):
    return execute(project.files[SETTINGS], SETTINGS)


def test_the_environment_says_whether_it_is_aws(project, monkeypatch):
    assert settings_of(project)["AWS_GATEWAY_ENDPOINT_URL"] is None
    monkeypatch.setenv("AWS_GATEWAY_ENDPOINT_URL", "http://127.0.0.1:9001")
    assert settings_of(project)["AWS_GATEWAY_ENDPOINT_URL"] == "http://127.0.0.1:9001"


@pytest.mark.django_db
def test_the_command_does_nothing_in_aws(project):
    with pytest.raises(CommandError, match="Set AWS_GATEWAY_ENDPOINT_URL"):
        call_command("localgateway")
    assert not ApiGateway.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_command_makes_a_gateway_once_and_a_page_can_use_it(
    project, mount, live_server, local_gateway, capsys
):
    from django_aws_api_gateway_websockets.local.testing import open_socket

    mount(ChatView)
    for _ in range(2):
        call_command("localgateway", site=live_server.url)
    gateway = ApiGateway.objects.get()
    assert capsys.readouterr().out.split() == [gateway.socket_url] * 2
    assert gateway.socket_url == f"{local_gateway.socket_endpoint}/{gateway.api_id}/production"
    socket = open_socket(gateway)
    socket.send({"action": "chat", "text": "hello"})
    assert socket.receive() == {"text": "hello"}
    socket.close()
    local_gateway.wait_until_quiet()
