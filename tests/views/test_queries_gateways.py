"""The gateway of a $connect is the one that the ORM would read, and so is what it tells."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from django_aws_api_gateway_websockets.views.queries import GATEWAY_COLUMNS
from tests.aws_requests import answered
from tests.factories import make_created_gateway, make_session
from tests.overheard import executed, heard
from tests.second_database import ALIAS
from tests.site_models import APP, manager_of, own_table, proxy
from tests.views.test_queries import columns

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")
UNKNOWN_GATEWAY = (400, b"Some of the required headers are missing")


class LookingView(WebSocketView):
    """Keeps the gateway of each event that it is asked about."""

    seen = []

    def _allowed_apigateway(self, request, *args, **kwargs):
        self.seen.append(self.api_gateway)
        return super()._allowed_apigateway(request, *args, **kwargs)


@pytest.fixture
def seen(monkeypatch):
    monkeypatch.setattr(LookingView, "seen", [])
    return LookingView.seen


def gateway_seen(seen, url, **options):
    """The gateway that the view gets for a $connect."""
    client = WebSocketClient(url, **options)
    client.connect()
    return seen.pop()


def as_the_orm_reads(gateway):
    return columns(ApiGateway._base_manager.only(*GATEWAY_COLUMNS).get(pk=gateway.pk))


@pytest.mark.parametrize(
    "values", [{}, {"default_channel_name": "lobby", "domain_name": "ws.example.com", "tags": [1]}]
)
def test_each_column_has_the_value_that_the_orm_reads(seen, mount, values):
    gateway = make_created_gateway(**values)
    read = gateway_seen(seen, mount(LookingView), gateway=gateway)
    assert columns(read) == {**as_the_orm_reads(gateway), "connection_taken": False}
    assert columns(read).keys() == GATEWAY_COLUMNS | {"connection_taken"}
    assert (read._state.db, read._state.adding) == ("default", False)


def test_the_rest_of_a_gateway_is_read_when_somebody_asks(mount):
    class TagsView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            super().connect(request, *args, **kwargs)
            return {"tags": self.api_gateway.tags, "of": self.websocket_session.api_gateway_id}

    gateway = make_created_gateway(tags={"team": "chat"})
    with CaptureQueriesContext(connection) as captured:
        answer = WebSocketClient(mount(TagsView), gateway=gateway).connect().json()
    assert answer == {"tags": {"team": "chat"}, "of": gateway.pk}
    assert [query["sql"].split()[0] for query in captured] == ["SELECT", "INSERT", "SELECT"]


def test_it_tells_by_a_bool_whether_the_connection_is_taken(seen, mount, gateway):
    url = mount(LookingView)
    for connected in (True, False):
        taken = make_session(gateway, connected=connected).connection_id
        read = gateway_seen(seen, url, gateway=gateway, connection_id=taken)
        assert read.connection_taken is True
    read = gateway_seen(seen, url, gateway=gateway, connection_id="free=")
    assert read.connection_taken is False


def test_each_event_gets_what_is_in_the_database_then(seen, mount, gateway):
    url, other = mount(LookingView), make_created_gateway()
    assert gateway_seen(seen, url, gateway=gateway).default_channel_name == ""
    ApiGateway.objects.update(default_channel_name="garden")
    assert gateway_seen(seen, url, gateway=gateway).default_channel_name == "garden"
    assert gateway_seen(seen, url, gateway=other) == other


def test_its_statement_is_written_once(mount, gateway):
    url = mount(WebSocketView)
    with executed() as statements:
        for _ in range(2):
            WebSocketClient(url, gateway=gateway).connect()
    first, second = (sql for sql in statements if "EXISTS" in sql)
    assert first is second


def test_of_two_gateways_with_one_api_the_older_is_found(seen, mount, gateway):
    make_created_gateway(api_id=gateway.api_id)
    assert gateway_seen(seen, mount(LookingView), gateway=gateway) == gateway


def test_a_gateway_that_is_not_there_is_refused(mount, gateway):
    client = WebSocketClient(mount(WebSocketView), gateway=gateway)
    gateway.delete()
    assert answered(client.connect()) == UNKNOWN_GATEWAY


def test_who_listens_to_gateways_hears_of_the_one_that_is_read(seen, mount, gateway):
    with heard(post_init, ApiGateway) as calls:
        read = gateway_seen(seen, mount(LookingView), gateway=gateway)
    assert [call["instance"] is read for call in calls] == [True]


@isolate_apps(APP)
def test_a_proxys_connect_is_told_of_the_sessions_of_all(seen, mount, gateway):
    taken = make_session(gateway).connection_id
    url = mount(type("VisitView", (LookingView,), {"model": proxy()}))
    assert gateway_seen(seen, url, gateway=gateway, connection_id=taken).connection_taken is True


@isolate_apps(APP)
def test_a_manager_of_the_sites_own_is_asked_for_each_connect(seen, mount, gateway):
    hidden = []
    visible = proxy(objects=manager_of(lambda rows: rows.exclude(connection_id__in=hidden)))
    taken = make_session(gateway).connection_id
    url = mount(type("VisitView", (LookingView,), {"model": visible}))
    assert gateway_seen(seen, url, gateway=gateway, connection_id=taken).connection_taken is True
    hidden.append(taken)
    assert gateway_seen(seen, url, gateway=gateway, connection_id=taken).connection_taken is False


def test_a_base_manager_of_the_sites_own_is_asked_for_each_connect(mount, gateway, monkeypatch):
    retired = []

    class InService(models.Manager):
        def get_queryset(self):
            return super().get_queryset().exclude(api_name__in=retired)

    manager = InService()
    manager.model = ApiGateway
    url = mount(WebSocketView)
    assert answered(WebSocketClient(url, gateway=gateway).connect()) == WELCOME
    monkeypatch.setattr(ApiGateway._meta, "base_manager", manager)
    assert answered(WebSocketClient(url, gateway=gateway).connect()) == WELCOME
    retired.append(gateway.api_name)
    assert answered(WebSocketClient(url, gateway=gateway).connect()) == UNKNOWN_GATEWAY


@isolate_apps(APP)
def test_a_manager_that_has_chosen_its_database_is_read_there(seen, mount, on_second_database):
    there = proxy(objects=WebSocketSession.objects.db_manager("default"))
    client = WebSocketClient(mount(type("VisitView", (LookingView,), {"model": there})))
    client.connect()
    on_second_database()
    client.connect()
    assert [gateway.connection_taken for gateway in seen] == [False, True]
    assert seen[1] == client.gateway


@pytest.mark.django_db(transaction=True)
@isolate_apps(APP)
def test_sessions_with_a_table_of_their_own_are_asked_for(seen, mount, gateway):
    with own_table() as visits:
        url = mount(type("VisitView", (LookingView,), {"model": visits}))
        plain = make_session(gateway).connection_id
        visit = visits.objects.create(connection_id="visit=", api_gateway=gateway).connection_id
        of = {"gateway": gateway, "url": url}
        assert gateway_seen(seen, **of, connection_id=plain).connection_taken is False
        assert gateway_seen(seen, **of, connection_id=visit).connection_taken is True


def test_a_connection_lives_in_the_database_that_the_router_chooses(
    seen, mount, on_second_database
):
    on_second_database()
    ws = WebSocketClient(mount(LookingView), gateway=make_created_gateway(tags={"a": 1}))
    assert [answered(ws.connect()) for _ in range(2)] == [WELCOME, WELCOME]
    assert [gateway.connection_taken for gateway in seen] == [False, True]
    assert (seen[0]._state.db, seen[0].tags) == (ALIAS, {"a": 1})
    assert answered(ws.disconnect()) == WELCOME
    assert not ws.session.connected
    assert not WebSocketSession.objects.using("default").exists()
