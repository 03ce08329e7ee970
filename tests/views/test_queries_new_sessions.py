"""A $connect makes the row that create() would make, and what a site has put in takes part."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db.models.signals import post_init, post_save, pre_save
from django.test.utils import isolate_apps
from django.utils import timezone

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import answered
from tests.factories import fresh
from tests.overheard import executed, heard
from tests.site_models import APP, manager_of, own_table, proxy
from tests.views.test_queries import columns

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")


class KeepingView(WebSocketView):
    """Keeps the session that it has made."""

    made = []

    def connect(self, request, *args, **kwargs):
        response = super().connect(request, *args, **kwargs)
        self.made.append(self.websocket_session)
        return response


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(KeepingView, "made", [])
    return KeepingView.made


@pytest.fixture
def view_of(mount):
    """The URL of a view of these sessions."""
    return lambda model: mount(type("VisitView", (KeepingView,), {"model": model}))


def test_the_row_and_its_object_are_those_of_create(made, mount, gateway, alice):
    began = timezone.now()
    url = mount(KeepingView)
    ws = WebSocketClient(url, gateway=gateway, user=alice, channel="lobby")
    assert answered(ws.connect()) == WELCOME
    (session,) = made
    stored = fresh(session)
    known = {"connection_id", "channel_name", "user_id", "api_gateway_id", "auth_hash", "login"}
    by_orm = WebSocketSession.objects.create(
        **{name: getattr(stored, name) for name in known - {"connection_id"}},
        connection_id="another=",
    )
    own = {"id", "connection_id", "created_on", "updated_on", "_columns_stored"}
    assert {**columns(stored), **dict.fromkeys(own)} == {
        **columns(fresh(by_orm)),
        **dict.fromkeys(own),
    }
    assert (stored.user, stored.api_gateway, stored.channel_name) == (alice, gateway, "lobby")
    assert began <= stored.created_on <= stored.updated_on <= timezone.now()
    assert columns(stored).items() <= columns(session).items()
    assert (session._state.adding, session._state.db) == (False, "default")


def test_what_is_changed_of_it_afterwards_is_saved_alone(mount, gateway):
    class MovingView(WebSocketView):
        def connect(self, request, *args, **kwargs):
            response = super().connect(request, *args, **kwargs)
            session = self.websocket_session
            WebSocketSession.objects.filter(pk=session.pk).update(request_count=7)
            session.channel_name = "garden"
            session.save()
            return response

    ws = WebSocketClient(mount(MovingView), gateway=gateway)
    assert answered(ws.connect()) == WELCOME
    assert (ws.session.channel_name, ws.session.request_count) == ("garden", 7)


def test_its_statement_is_written_once(mount, gateway):
    url = mount(WebSocketView)
    with executed() as statements:
        for _ in range(2):
            WebSocketClient(url, gateway=gateway).connect()
    first, second = (sql for sql in statements if sql.startswith("INSERT"))
    assert first is second


@pytest.mark.parametrize("signal", [pre_save, post_save])
def test_who_listens_hears_of_it_as_of_create(made, mount, gateway, signal):
    url = mount(KeepingView)
    WebSocketClient(url, gateway=gateway).connect()
    with heard(signal, WebSocketSession) as calls:
        WebSocketClient(url, gateway=gateway).connect()
        WebSocketSession.objects.create(connection_id="another=")
    by_us, by_orm = calls
    assert by_us.pop("instance") is made[1]
    assert by_orm.pop("instance").connection_id == "another="
    assert by_us == by_orm


@isolate_apps(APP)
def test_who_listens_to_a_proxy_hears_of_its_own(made, view_of, gateway):
    visit = proxy()
    url = view_of(visit)
    WebSocketClient(url, gateway=gateway).connect()
    with heard(post_save, visit) as calls, heard(post_init, visit) as begun:
        WebSocketClient(url, gateway=gateway).connect()
    assert [call["instance"] for call in calls] == [made[1]] == [begun[0]["instance"]]
    assert [type(session) for session in made] == [visit, visit]


@isolate_apps(APP)
@pytest.mark.parametrize("name", ["save", "save_base"])
def test_a_proxys_own_save_is_called(view_of, gateway, name):
    def save(self, *args, **kwargs):
        self.channel_name = self.channel_name.upper()
        getattr(super(visit, self), name)(*args, **kwargs)

    visit = proxy(**{name: save})
    ws = WebSocketClient(view_of(visit), gateway=gateway, channel="lobby")
    assert answered(ws.connect()) == WELCOME
    assert ws.session.channel_name == "LOBBY"


def test_a_save_that_was_put_in_its_place_is_called(mount, gateway, monkeypatch):
    saved = []
    plain = WebSocketSession.save

    def save(self, *args, **kwargs):
        saved.append(self)
        plain(self, *args, **kwargs)

    url = mount(WebSocketView)
    WebSocketClient(url, gateway=gateway).connect()
    monkeypatch.setattr(WebSocketSession, "save", save)
    ws = WebSocketClient(url, gateway=gateway)
    ws.connect()
    assert saved == [ws.session]


@isolate_apps(APP)
def test_a_manager_of_the_sites_own_creates(view_of, gateway):
    created = []

    class Noting(type(manager_of(lambda rows: rows))):
        def create(self, **values):
            created.append(values["connection_id"])
            return super().create(**values)

    noting = Noting()
    ws = WebSocketClient(view_of(proxy(objects=noting)), gateway=gateway)
    assert answered(ws.connect()) == WELCOME
    assert created == [ws.connection_id]


@pytest.mark.django_db(transaction=True)
@isolate_apps(APP)
def test_sessions_with_a_table_of_their_own_get_both_rows(made, view_of, gateway):
    with own_table() as visits:
        ws = WebSocketClient(view_of(visits), gateway=gateway)
        assert answered(ws.connect()) == WELCOME
        assert visits.objects.get().mood == "curious"
        assert visits.objects.get().websocketsession_ptr == ws.session


def test_a_user_that_is_not_stored_gets_no_session_of_nobodys(mount, gateway):
    class StrangerView(WebSocketView):
        def setup(self, request, *args, **kwargs):
            super().setup(request, *args, **kwargs)
            request.user = get_user_model()(username="stranger")

    ws = WebSocketClient(mount(StrangerView), gateway=gateway)
    with pytest.raises(ValueError, match="unsaved related object 'user'"):
        ws.connect()
    assert not WebSocketSession.objects.exists()
