"""Who may come in, and who may do what: guests, and permissions of views and handlers."""

from __future__ import annotations

import functools

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, Permission
from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from django_aws_api_gateway_websockets.decorators import permission_required
from django_aws_api_gateway_websockets.models import WebSocketTicket
from django_aws_api_gateway_websockets.security.identity import Identity
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import answered
from tests.chat import ChatView

pytestmark = pytest.mark.django_db

WELCOME = (200, b"{}")
DENIED = (403, b"Permission denied")
LATER = {"action": "later"}


def permissions(codenames):
    return Permission.objects.filter(codename__in=codenames)


# Guests


def test_a_guest_may_come_in_unless_a_view_says_no(websocket):
    assert websocket("/ws/").send(LATER).json() == {"async": True}


def test_a_view_lets_no_guest_in_and_its_users_it_does(mount, alice):
    url = mount(ChatView, allow_anonymous=False)
    guest, user = WebSocketClient(url), WebSocketClient(url, user=alice)
    assert answered(guest.connect()) == (403, b"Log in first")
    assert guest.session is None
    assert answered(user.connect()) == WELCOME
    assert user.session.user == alice


def test_a_guest_of_another_view_is_not_let_in_either(websocket, mount):
    """As where an additional route of a gateway leads to a view of its own."""
    guest = websocket("/ws/")
    mount(ChatView, allow_anonymous=False)
    assert answered(guest.send(LATER)) == (403, b"Log in first")
    assert guest.disconnect().status_code == 200


def test_a_user_who_was_deactivated_is_a_guest(mount, alice):
    ws = WebSocketClient(mount(ChatView, allow_anonymous=False), user=alice)
    type(alice).objects.update(is_active=False)
    assert answered(ws.connect()) == (403, b"Log in first")


# What a view asks for


ONE_OF = {"permissions_required": ["auth.view_user", "auth.change_user"]}
ALL_OF = {"all_permissions_required": ("auth.view_group", "auth.change_group")}
BOTH = {**ONE_OF, **ALL_OF}


@pytest.mark.parametrize(
    ("view", "granted", "may"),
    [
        ({}, [], True),
        (ONE_OF, [], False),
        (ONE_OF, ["view_user"], True),
        (ONE_OF, ["change_user"], True),
        (ONE_OF, ["view_group", "delete_user"], False),
        (ALL_OF, [], False),
        (ALL_OF, ["view_group"], False),
        (ALL_OF, ["change_group"], False),
        (ALL_OF, ["view_group", "change_group"], True),
        (BOTH, ["view_user", "change_user"], False),
        (BOTH, ["view_group", "change_group"], False),
        (BOTH, ["view_user", "change_user", "view_group"], False),
        (BOTH, ["change_user", "view_group", "change_group"], True),
    ],
)
def test_a_user_needs_one_of_some_permissions_and_all_of_others(
    websocket, mount, alice, view, granted, may
):
    before = websocket("/ws/", user=alice)
    alice.user_permissions.set(permissions(granted))
    ws = WebSocketClient(mount(ChatView, **view), user=alice)
    assert answered(ws.connect()) == (WELCOME if may else DENIED)
    assert (ws.session is not None) == may
    # A message of a connection that was open before is asked the same.
    assert answered(before.send(LATER)) == ((200, b'{"async": true}') if may else DENIED)
    assert before.session.request_count == 1 + may


@pytest.mark.parametrize("view", [ONE_OF, ALL_OF])
def test_a_guest_has_no_permission(websocket, mount, view):
    before = websocket("/ws/")
    ws = WebSocketClient(mount(ChatView, **view))
    assert answered(ws.connect()) == answered(before.send(LATER)) == DENIED


def test_a_group_gives_permissions_and_a_superuser_has_all(websocket, mount, alice, bob):
    url = mount(ChatView, **BOTH)
    group = Group.objects.create(name="desk")
    group.permissions.set(permissions(["view_user", "view_group", "change_group"]))
    alice.groups.add(group)
    type(bob).objects.filter(pk=bob.pk).update(is_superuser=True)
    assert websocket(url, user=alice).send(LATER).status_code == 200
    assert websocket(url, user=bob).send(LATER).status_code == 200


def test_a_permission_counts_from_the_next_message_on(websocket, mount, alice):
    ws = websocket("/ws/", user=alice)
    mount(ChatView, **ONE_OF)
    assert answered(ws.send(LATER)) == DENIED
    alice.user_permissions.set(permissions(["view_user"]))
    assert ws.send(LATER).status_code == 200
    alice.user_permissions.clear()
    assert answered(ws.send(LATER)) == DENIED
    assert (ws.session.connected, ws.is_closed) == (True, False)


def test_nobody_needs_a_permission_to_disconnect(websocket, mount):
    ws = websocket("/ws/")
    mount(ChatView, **BOTH)
    assert ws.disconnect().status_code == 200
    assert not ws.session.connected


def test_a_view_decides_in_another_way(websocket, mount, alice, bob):
    class OnlyAliceView(ChatView):
        permissions_required = ["auth.view_user"]

        def _has_permissions(self, request):
            return request.user.get_username() == "alice"

    url = mount(OnlyAliceView)
    assert websocket(url, user=alice).send(LATER).status_code == 200
    assert answered(WebSocketClient(url, user=bob).connect()) == DENIED


# What a handler asks for


def passed_on(handler):
    """A decorator of a site's own."""

    @functools.wraps(handler)
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


def done(view):
    view.websocket_session.send_message("done")
    return JsonResponse({})


class MarkedMixin:
    @permission_required("auth.view_user")
    def inherited(self, request, *args, **kwargs):
        return done(self)


class DeskView(MarkedMixin, WebSocketView):
    """Handlers that ask for permissions, each in its way."""

    @permission_required("auth.view_user")
    def one(self, request, *args, **kwargs):
        return done(self)

    @permission_required(["auth.view_user", "auth.change_user"])
    def several(self, request, *args, **kwargs):
        return done(self)

    @permission_required("auth.view_user")
    @permission_required(("auth.change_user", "auth.delete_user"))
    def stacked(self, request, *args, **kwargs):
        return done(self)

    @permission_required(f"auth.{name}_user" for name in ("view", "change"))
    async def later(self, request, *args, **kwargs):
        return await sync_to_async(done)(self)

    @passed_on
    @permission_required("auth.view_user")
    def inside(self, request, *args, **kwargs):
        return done(self)

    @permission_required("auth.view_user")
    @passed_on
    def outside(self, request, *args, **kwargs):
        return done(self)

    @method_decorator(never_cache)
    @permission_required("auth.view_user")
    def uncached(self, request, *args, **kwargs):
        return done(self)

    @permission_required("auth.view_user")
    def default(self, request, *args, **kwargs):
        return done(self)

    def free(self, request, *args, **kwargs):
        return done(self)


HANDLERS = {
    "one": ["view_user"],
    "several": ["view_user", "change_user"],
    "stacked": ["view_user", "change_user", "delete_user"],
    "later": ["view_user", "change_user"],
    "inside": ["view_user"],
    "outside": ["view_user"],
    "uncached": ["view_user"],
    "inherited": ["view_user"],
    "goes to default": ["view_user"],
}


@pytest.mark.parametrize(("action", "needed"), HANDLERS.items(), ids=HANDLERS)
def test_a_handler_asks_for_all_permissions_of_its_decorators(
    websocket, mount, alice, action, needed
):
    ws = websocket(mount(DeskView), user=alice)
    for missing in needed:
        alice.user_permissions.set(permissions(set(needed) - {missing} | {"add_user"}))
        assert answered(ws.send({"action": action})) == DENIED
    assert (ws.received, ws.session.request_count) == ([], 1)
    alice.user_permissions.set(permissions(needed))
    assert answered(ws.send({"action": action})) == WELCOME
    assert ws.received == ["done"]


def anonymous_wrapper(handler):
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


class WaysRoundView(DeskView):
    """Reaches what asks for a permission in ways that the view cannot see."""

    hidden = anonymous_wrapper(DeskView.one)

    def default(self, request, *args, **kwargs):
        return self.one(request, *args, **kwargs)

    async def waits(self, request, *args, **kwargs):
        return await self.later(request, *args, **kwargs)


@pytest.mark.parametrize("action", ["hidden", "goes to default", "waits"])
def test_a_handler_that_is_reached_in_another_way_asks_as_well(websocket, mount, alice, action):
    url = mount(WaysRoundView)
    alice.user_permissions.set(permissions(["view_user", "change_user"]))
    user, guest = websocket(url, user=alice), websocket(url)
    assert answered(guest.send({"action": action})) == DENIED
    assert user.send({"action": action}).status_code == 200
    assert (user.received, guest.received) == (["done"], [])


def test_the_decorator_leaves_the_function_that_it_is_given_alone(websocket, mount):
    class FreeView(WebSocketView):
        def free(self, request, *args, **kwargs):
            return done(self)

    type("StrictView", (FreeView,), {"free": permission_required("x.y")(FreeView.free)})
    assert websocket(mount(FreeView)).send({"action": "free"}).status_code == 200


@pytest.mark.parametrize("action", HANDLERS)
def test_no_guest_reaches_a_handler_that_asks_for_a_permission(websocket, mount, action):
    ws = websocket(mount(DeskView))
    assert answered(ws.send({"action": action})) == DENIED
    assert ws.received == []


def test_a_handler_without_the_decorator_asks_for_nothing(websocket, mount):
    ws = websocket(mount(DeskView))
    ws.send({"action": "free"})
    assert ws.received == ["done"]


def test_the_decorator_asks_besides_what_the_view_asks_for(websocket, mount, alice):
    ws = websocket("/ws/", user=alice)
    mount(type("StrictView", (DeskView,), ONE_OF))
    for granted, answer in (("view_user", WELCOME), ("change_user", DENIED)):
        alice.user_permissions.set(permissions([granted]))
        assert answered(ws.send({"action": "one"})) == answer


class MembersView(WebSocketView):
    @permission_required("auth.view_user")
    def connect(self, request, *args, **kwargs):
        return super().connect(request, *args, **kwargs)


def test_connect_may_ask_for_a_permission(mount, alice):
    url = mount(MembersView)
    ticket = WebSocketTicket.objects.issue(Identity(alice))
    guest, user = WebSocketClient(url), WebSocketClient(url, ticket=ticket)
    assert answered(guest.connect()) == answered(user.connect()) == DENIED
    assert guest.session is user.session is None
    alice.user_permissions.set(permissions(["view_user"]))
    assert answered(user.connect()) == WELCOME  # by the ticket, which was not spent


def test_the_log_names_the_user_and_the_permission_and_the_answer_does_not(
    websocket, mount, alice, caplog
):
    ws = websocket(mount(DeskView), user=alice)
    response = ws.send({"action": "one"})
    assert f"user={alice.pk} lacks ['auth.view_user']" in caplog.text
    assert b"view_user" not in response.content
