"""The recipes for other packages do what their page says.

A package that the suite does not install is stood in for by what its recipe imports.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete
from django.http import JsonResponse
from django.test import Client
from django.urls import path
from django.views.generic import View

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketTicket
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.aws_requests import answered
from tests.chat import ChatView
from tests.checks.messages import problems
from tests.pages import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(django_user_model):
    return django_user_model.objects.create_user("alice", password="secret")


@pytest.fixture
def package(monkeypatch):
    """Makes a module of a package, with its parents."""

    def package(name, **names):
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            parent = ".".join(parts[:end])
            monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
        vars(sys.modules[name]).update(names)

    return package


@pytest.fixture
def site(settings, websocket_outbox):
    """Mounts views at "ws/", and others at their names."""

    def site(socket, **pages):
        urls = [path(name, view) for name, view in pages.items()]
        settings.ROOT_URLCONF = (path("ws/<slug:route>", socket.as_view()), *urls)

    return site


def connect(**options):
    ws = WebSocketClient("/ws/", **options)
    ws.connect()
    return ws


# Users


@pytest.mark.parametrize("is_kept", [True, False], ids=["the recipe", "without it"])
def test_a_user_of_a_proxys_header_stays_logged_in(settings, websocket, is_kept):
    middleware = run("packages-remote-user")["MIDDLEWARE"]
    if not is_kept:
        middleware[-1] = "django.contrib.auth.middleware.RemoteUserMiddleware"
    settings.MIDDLEWARE = middleware
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
    browser = Client()
    browser.get("/", REMOTE_USER="alice")
    first, second = websocket("/ws/", browser=browser), websocket("/ws/", browser=browser)
    users = [ws.session.user and ws.session.user.get_username() for ws in (first, second)]
    assert users == (["alice", "alice"] if is_kept else [None, None])
    assert ("W031" in problems()) is not is_kept


def test_a_session_that_is_ended_elsewhere_closes_its_sockets(
    package, websocket, alice, django_capture_on_commit_callbacks
):
    package("allauth.usersessions.models", UserSession=Session)
    here, there = websocket("/ws/", user=alice), websocket("/ws/", user=alice)
    receiver = run("packages-usersessions")["close_sockets"]
    try:
        with django_capture_on_commit_callbacks(execute=True):
            Session.objects.exclude(pk=here.browser.session.session_key).delete()
    finally:
        post_delete.disconnect(receiver, sender=Session)
    assert (here.is_closed, there.is_closed) == (False, True)


@pytest.fixture
def rest_framework(package, alice):
    """Views of an API that know alice by the header "Authorization"."""

    class APIView(View):
        def dispatch(self, request, *args, **kwargs):
            if request.headers.get("Authorization") == "Bearer alice":
                request.user = alice
            return super().dispatch(request, *args, **kwargs)

    class BlacklistView(APIView):
        def post(self, request, *args, **kwargs):
            return JsonResponse({})

    package("rest_framework.permissions", IsAuthenticated=object)
    package("rest_framework_simplejwt.authentication", JWTAuthentication=object)
    package("rest_framework_simplejwt.views", TokenBlacklistView=BlacklistView)
    package("rest_framework.response", Response=JsonResponse)
    package("rest_framework.views", APIView=APIView)


ALICE = {"HTTP_AUTHORIZATION": "Bearer alice"}


def test_a_view_of_an_api_gives_tickets(rest_framework, site, websocket, alice):
    site(ChatView, ticket=run("packages-tokens")["TicketView"].as_view())
    ticket = Client().post("/ticket", **ALICE).json()["ws_token"]
    assert websocket("/ws/", ticket=ticket).session.user == alice


def test_a_token_on_the_blacklist_closes_its_users_sockets(rest_framework, site, websocket, alice):
    site(ChatView, logout=run("packages-blacklist")["LogoutView"].as_view())
    ws = websocket("/ws/", user=alice)
    Client().post("/logout")
    assert not ws.is_closed
    Client().post("/logout", **ALICE)
    assert ws.is_closed


def test_auditlog_learns_who_speaks(package, site, websocket, alice):
    context = ContextVar("auditlog_value")
    package("auditlog.context", auditlog_value=context)
    audited = run("packages-auditlog")["AuditedView"]
    actors = []

    class NotingView(audited):
        def note(self, request, *args, **kwargs):
            actors.append(context.get()["actor"])

        async def anote(self, request, *args, **kwargs):
            actors.append(context.get()["actor"])

    site(NotingView)
    ws = websocket("/ws/", user=alice)
    for action in ("note", "anote"):
        context.set({"actor": None})  # as the middleware does
        assert ws.send({"action": action}).status_code == 200
    assert actors == [alice, alice]


class OTPMiddleware:
    """Gives the user of a cookie is_verified(), as django-otp's does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_verified = bool(request.session.get("otp_device_id"))
        request.user.is_verified = lambda: is_verified
        return self.get_response(request)


@pytest.mark.parametrize("is_verified", [True, False])
@pytest.mark.parametrize("way", ["cookie", "ticket"])
def test_a_second_factor_is_asked_for(settings, site, alice, way, is_verified):
    views = run("packages-otp")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.OTPMiddleware"]
    site(views["VerifiedView"], ticket=views["TicketView"].as_view())
    browser = Client()
    browser.force_login(alice)
    if is_verified:
        session = browser.session
        session["otp_device_id"] = "device"
        session.save()
    options = {"browser": browser}
    if way == "ticket":
        options = {"ticket": browser.post("/ticket").json()["ws_token"]}
    expected = (200, b"{}") if is_verified else (400, b"A second factor is needed")
    assert answered(connect(**options).response) == expected


def test_a_ticket_without_data_has_no_second_factor(site, alice):
    site(run("packages-otp")["VerifiedView"])
    ws = connect(ticket=WebSocketTicket.objects.issue_for(alice))
    assert answered(ws.response) == (400, b"A second factor is needed")


# Databases and caches


def test_each_tenant_gets_a_gateway(package, edge):
    entered = []

    @contextmanager
    def tenant_context(tenant):
        entered.append(tenant.schema_name)
        yield

    def tenant(name):
        domain = SimpleNamespace(domain=f"{name}.example.com")
        return SimpleNamespace(
            schema_name=name, domains=SimpleNamespace(get=lambda is_primary: domain)
        )

    class Tenants:
        def exclude(self, schema_name):
            return [tenant(name) for name in ("public", "a", "b") if name != schema_name]

    model = SimpleNamespace(objects=Tenants())
    package("django_tenants.utils", get_tenant_model=lambda: model, tenant_context=tenant_context)
    make_gateways = run("packages-tenants")["make_gateways"]
    for _ in range(2):  # The second time all have one.
        make_gateways()
    assert entered == ["a", "b", "a", "b"]
    found = ApiGateway.objects.order_by("pk").values_list("target_base_endpoint", "api_created")
    assert list(found) == [
        ("https://a.example.com/ws/", True),
        ("https://b.example.com/ws/", True),
    ]


def test_a_message_is_sent_to_those_whom_the_primary_knows(websocket):
    here, there = websocket("/ws/", channel="lobby"), websocket("/ws/", channel="garden")
    run("packages-replicas")
    assert (here.received, there.received) == ([{"text": "The lobby closes at ten."}], [])


def test_cacheops_leaves_out_this_app():
    names = run("packages-cacheops")["CACHEOPS"]
    label, _, rest = next(name for name in names if name != "*.*").partition(".")
    assert names[f"{label}.{rest}"] is None
    assert apps.get_app_config(label).get_models()


# Trackers and profilers


def test_sentry_is_told_to_keep_no_bodies(package):
    told = []
    package("sentry_sdk", init=lambda **options: told.append(options))
    run("packages-sentry")
    assert told == [{"dsn": None, "max_request_body_size": "never"}]


def test_silk_is_told_the_urls_of_a_gateway(package, settings):
    package("silk.middleware", SilkyMiddleware=type("SilkyMiddleware", (), {}))
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "silk.middleware.SilkyMiddleware"]
    assert "silk is installed" in problems()["W034"].msg
    paths = run("packages-silk")["SILKY_IGNORE_PATHS"]
    routes = ApiGateway(target_base_endpoint="https://example.com/ws/").own_routes()
    assert [f"https://example.com{path}" for path in sorted(paths)] == sorted(
        route.url for route in routes
    )
    settings.SILKY_IGNORE_PATHS = paths
    assert problems() == {}


# Sessions


def test_what_the_browsers_session_has_can_be_kept(site, websocket):
    site(run("packages-session")["BasketView"])
    browser = Client()
    session = browser.session
    session["basket"] = "eggs"
    session.save()
    assert websocket("/ws/", browser=browser).send({"action": "basket"}).json() == {
        "basket": "eggs"
    }


def test_a_socket_ends_with_its_session(
    site, websocket, alice, django_capture_on_commit_callbacks
):
    class BriefChatView(run("packages-expiry")["BriefView"]):
        def chat(self, request, *args, **kwargs):
            return {"text": "hello"}

    site(BriefChatView)
    ws = websocket("/ws/", user=alice)
    assert ws.send({"action": "chat"}).json() == {"text": "hello"}
    session = ws.session
    session.data = {"ends": session.data["ends"] - session_age()}
    session.save()
    with django_capture_on_commit_callbacks(execute=True):
        assert answered(ws.send({"action": "chat"})) == (403, b"Log in again")
    assert ws.is_closed
    assert answered(connect().response) == (403, b"Log in first")


def session_age():
    """The seconds that a login of Django lasts."""
    return Client().session.get_expiry_age() + 1
