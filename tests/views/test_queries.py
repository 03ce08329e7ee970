"""The session, user and gateway of an event are those that the ORM would read."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView
from django_aws_api_gateway_websockets.views.queries import GATEWAY_COLUMNS, session_of
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.factories import make_created_gateway, make_session
from tests.site_models import APP, manager_of, own_table, proxy

pytestmark = pytest.mark.django_db

UNKNOWN = (400, b"Unknown connection")


def columns(row):
    """What a row's object holds, as far as it was read."""
    return {name: value for name, value in vars(row).items() if name != "_state"}


def found(session, model=WebSocketSession):
    return session_of(model, session.connection_id, is_open=True)


def test_each_column_has_the_value_that_the_orm_reads(alice):
    session = make_session(
        make_created_gateway(tags={"a": 1}), user=alice, channel_name="lobby", auth_hash="0" * 64
    )
    by_orm = WebSocketSession.objects.select_related("user", "api_gateway").get()
    read = found(session)
    assert columns(read) == columns(by_orm)
    assert columns(read.user) == columns(by_orm.user)
    assert columns(read.api_gateway).items() <= columns(by_orm.api_gateway).items()
    assert columns(read.api_gateway).keys() == GATEWAY_COLUMNS


def test_the_rows_know_where_they_come_from(alice):
    read = found(make_session(make_created_gateway(), user=alice))
    for row in (read, read.user, read.api_gateway):
        assert (row._state.db, row._state.adding) == ("default", False)


def test_a_guest_of_a_deleted_gateway_has_neither_user_nor_gateway(django_assert_num_queries):
    read = found(make_session())
    with django_assert_num_queries(0):
        assert (read.user, read.api_gateway) == (None, None)


def test_only_the_connection_asked_for_is_found():
    one, other = make_session(), make_session(connected=False)
    assert found(one) == one
    assert found(other) is None
    assert session_of(WebSocketSession, other.connection_id, is_open=False) == other
    assert session_of(WebSocketSession, one.connection_id.upper(), is_open=True) is None


def test_a_handler_reads_the_rest_of_the_gateway_by_another_select(websocket, mount):
    class TagsView(WebSocketView):
        def tags(self, request, *args, **kwargs):
            return {"tags": self.api_gateway.tags, "url": self.api_gateway.socket_url}

    ws = websocket(mount(TagsView))
    ApiGateway.objects.update(tags={"team": "chat"})
    with CaptureQueriesContext(connection) as captured:
        answer = ws.send({"action": "tags"}).json()
    assert answer == {"tags": {"team": "chat"}, "url": f"{ws.gateway.api_endpoint}/production"}
    assert [query["sql"].split()[0] for query in captured] == ["SELECT", "UPDATE", "SELECT"]


def test_what_a_handler_changes_of_the_session_is_saved_alone(websocket, mount):
    class MovingView(WebSocketView):
        def move(self, request, *args, **kwargs):
            WebSocketSession.objects.update(connected=False)
            self.websocket_session.channel_name = "garden"
            self.websocket_session.save()

    ws = websocket(mount(MovingView), channel="lobby")
    assert ws.send({"action": "move"}).status_code == 200
    assert (ws.session.channel_name, ws.session.connected) == ("garden", False)
    assert ws.session.request_count == 2


@isolate_apps(APP)
def test_a_view_gets_sessions_of_its_own_model(websocket, mount):
    class VisitView(ChatView):
        model = proxy()

        def model_of_it(self, request, *args, **kwargs):
            return {"model": type(self.websocket_session).__name__}

    assert websocket(mount(VisitView)).send({"action": "model_of_it"}).json() == {"model": "Visit"}


@isolate_apps(APP)
def test_a_manager_of_the_sites_own_is_asked_for_each_event(websocket, mount):
    rooms = ["lobby"]

    class VisitView(ChatView):
        model = proxy(objects=manager_of(lambda rows: rows.filter(channel_name__in=rooms)))

    ws = websocket(mount(VisitView), channel="lobby")
    assert ws.send({"action": "later"}).json() == {"async": True}
    rooms.clear()
    assert answered(ws.send({"action": "later"})) == UNKNOWN


@pytest.mark.django_db(transaction=True)
@isolate_apps(APP)
def test_sessions_with_a_table_of_their_own_cost_no_more_statements(websocket, mount, alice):
    class VisitView(WebSocketView):
        def mood(self, request, *args, **kwargs):
            return {"mood": self.websocket_session.mood, "user": request.user.get_username()}

    with own_table() as visits:
        VisitView.model = visits
        ws = websocket(mount(VisitView), user=alice)
        with CaptureQueriesContext(connection) as captured:
            assert ws.send({"action": "mood"}).json() == {"mood": "curious", "user": "alice"}
        assert [query["sql"].split()[0] for query in captured] == ["SELECT", "UPDATE"]
        assert ws.session.request_count == 2
