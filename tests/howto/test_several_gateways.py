from __future__ import annotations

import pytest
from django.test import RequestFactory

from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.factories import make_created_gateway


@pytest.fixture
def visitors(db):
    return make_created_gateway(api_name="visitors")


@pytest.fixture
def staff(db):
    return make_created_gateway(api_name="staff")


@pytest.mark.django_db
def test_each_gateway_is_made_for_a_view_of_its_own(project, local_gateway):
    project.desk.gateways.create_gateways("https://www.example.com")
    columns = ("api_name", "target_base_endpoint", "api_created")
    assert sorted(ApiGateway.objects.values_list(*columns)) == [
        ("staff", "https://www.example.com/ws/staff/", True),
        ("visitors", "https://www.example.com/ws/visitors/", True),
    ]


def test_a_question_of_a_visitor_reaches_the_staff_alone(
    project, websocket, visitors, staff, admin_user
):
    desk = websocket("/ws/staff/", gateway=staff, user=admin_user)
    visitor = websocket("/ws/visitors/", gateway=visitors)
    visitor.send({"action": "ask", "text": "When do you open?"})
    assert desk.received == [{"question": "When do you open?"}]
    assert visitor.received == []


def test_the_view_of_the_staff_is_for_the_staff(project, websocket_outbox, staff, alice):
    refused = WebSocketClient("/ws/staff/", gateway=staff, user=alice).connect()
    assert answered(refused) == (403, b"Permission denied")


def test_a_page_gets_the_url_of_the_gateway_that_it_names(project, visitors, staff, monkeypatch):
    view = project.desk.views.StaffView
    assert url_of(view) == staff.socket_url
    monkeypatch.setattr(view, "api_gateway_name", None)
    assert url_of(view) == visitors.socket_url


def url_of(view):
    return view.as_view()(RequestFactory().get("/staff/")).context_data["websocket_url"]
