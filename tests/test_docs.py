"""What the README and the pages say is so: their blocks of code are run.

What goes through the local gateway is in test_docs_live.py, the quickstart in test_quickstart.py.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import django
import pytest
from asgiref.sync import async_to_sync
from django.core.management import get_commands
from django.db import ConnectionHandler
from django.urls import path

from django_aws_api_gateway_websockets import checks
from django_aws_api_gateway_websockets.conf import DEFAULTS
from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.signals import session_closed
from django_aws_api_gateway_websockets.testing import WebSocketClient, make_gateway
from tests.chat import ChatView
from tests.pages import ALL, BLOCKS, PAGES, README, ROOT, run

PACKAGE = "django_aws_api_gateway_websockets"


@pytest.fixture
def mount(websocket_outbox, settings):
    """Makes the site consist of one view of a page."""

    def mount(block, view):
        settings.ROOT_URLCONF = (path("ws/<slug:route>", run(block)[view].as_view()),)

    return mount


# What is said can be found.


def test_every_block_of_python_and_json_is_run():
    tests = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("tests/**/*.py"))
    code = [block for block in ALL if block.language in ("python", "json", "html+django")]
    assert [block for block in code if not block.name] == []
    assert [block.name for block in code if f'"{block.name}"' not in tests] == []


def test_the_readme_is_short_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 120
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_target_of_the_makefile_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make (\w+)", README + PAGES["contributing"]))
    assert {"demo", "test"} <= named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.M)] == []


def test_every_check_is_on_one_page():
    files = Path(checks.__file__).parent.glob("*.py")
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    ids = set(re.findall(r'"([EW]\d{3})"', sources))
    assert ids
    shown = re.findall(r"^ *``([EW]\d{3})``", "\n".join(PAGES.values()), re.M)
    assert sorted(shown) == sorted(ids)


@pytest.mark.parametrize(
    ("anchor", "mistake"),
    [
        ("region", {"AWS_REGION_NAME": ""}),
        ("credentials", {"AWS_SECRET_ACCESS_KEY": ""}),
        ("credentials", {"AWS_IAM_PROFILE": "nobody"}),
        ("endpoint", {"AWS_GATEWAY_ENDPOINT_URL": "127.0.0.1:9001"}),
        ("websockets", {"WEBSOCKETS": {"speed": "high"}}),
        ("route", {"ROOT_URLCONF": (path("ws", ChatView.as_view()),)}),
    ],
)
def test_the_hint_of_a_check_leads_to_the_settings_page(anchor, mistake, settings):
    for name, value in mistake.items():
        setattr(settings, name, value)
    (problem,) = [*checks.check_settings(None), *checks.check_url_patterns(None)]
    assert problem.hint.endswith(f"/settings.html#{anchor}")
    assert f"\n.. _{anchor}:\n" in PAGES["settings"]


def test_every_key_of_websockets_is_on_the_settings_page_with_its_default():
    for key, default in DEFAULTS.items():
        entry = PAGES["settings"].partition(f'\n``"{key}"``\n')[2].partition("\n\n")[0]
        shown = f'"{default}"' if isinstance(default, str) else str(default)
        assert f"``{shown}``" in entry


def test_every_command_is_on_its_page():
    ours = {name for name, app in get_commands().items() if app == PACKAGE}
    assert set(re.findall(r"^(\w+)\n-+$", PAGES["commands"], re.M)) == ours


@pytest.mark.parametrize(
    "name",
    [
        "readme-python-3",
        "settings-endpoint",
        "settings-endpoints",
        "settings-websockets",
        "deploy-settings",
    ],
)
def test_settings_that_are_shown_pass_the_checks(name, settings):
    apps = [app for app in settings.INSTALLED_APPS if app != PACKAGE]
    shown = {key: value for key, value in run(name, INSTALLED_APPS=apps).items() if key.isupper()}
    assert shown
    for key, value in shown.items():
        setattr(settings, key, value)
    assert checks.check_settings(None) == []


@pytest.mark.django_db
@pytest.mark.skipif(django.VERSION < (5, 1), reason="The page says so")
def test_the_options_for_sqlite_are_understood(tmp_path):
    databases = ConnectionHandler(run("local-sqlite", BASE_DIR=tmp_path)["DATABASES"])
    with closing(databases["default"]) as connection, connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)


# The README.


@pytest.fixture
def readme_site(websocket_outbox, settings):
    """The README's view, at the README's URL."""
    (mounted,) = re.findall(r"`(path\(.*?\))`", README)
    settings.ROOT_URLCONF = (eval(mounted, {"path": path, **run("readme-python-1")}),)  # noqa: S307


def test_the_readmes_view_sends_to_the_room(readme_site, websocket, django_user_model):
    user = django_user_model.objects.create_user("alice")
    alice = websocket("/ws/", user=user, channel="lobby")
    guest = websocket("/ws/", channel="lobby")
    elsewhere = websocket("/ws/", channel="garden")
    message, received = (json.loads(shown) for shown in re.findall(r"`(\{.*?\})`", README))
    alice.send(message)
    assert guest.received == alice.received == [received]
    assert elsewhere.received == []


def test_the_readmes_call_sends_and_reports(readme_site, websocket, websocket_outbox, capsys):
    here, gone = websocket("/ws/", channel="lobby"), websocket("/ws/", channel="lobby")
    websocket_outbox.gone.add(gone.connection_id)
    run("readme-python-2")
    assert here.received == [{"text": "The lobby closes at ten."}]
    assert capsys.readouterr().out == "1 1 0\n"


# Views and handlers.


def test_the_urls_of_the_page_are_those_of_its_view(websocket, settings, monkeypatch):
    views = ModuleType("chat.views")
    vars(views).update(run("views-handlers"))
    monkeypatch.setitem(sys.modules, "chat", ModuleType("chat"))
    monkeypatch.setitem(sys.modules, "chat.views", views)
    settings.ROOT_URLCONF = tuple(run("views-urls")["urlpatterns"])
    guest = websocket("/ws/")
    guest.send({"action": "dance"})
    assert guest.received == [{"unknown": "dance"}]


def test_each_action_finds_its_handler(mount, websocket, django_user_model):
    mount("views-handlers", "ChatView")
    alice = websocket("/ws/", user=django_user_model.objects.create_user("alice"))
    assert alice.send({"action": "chat", "text": "hello"}).json() == {}
    assert alice.send({"action": "whoami"}).json() == {"you": "alice"}
    assert alice.received == [{"text": "hello"}]


@pytest.mark.django_db(transaction=True)
def test_a_handler_may_be_a_coroutine(mount, websocket):
    mount("views-async", "CountView")
    websocket("/ws/")
    guest = websocket("/ws/")
    assert guest.send({"action": "count"}).status_code == 200
    assert guest.received == [{"connected": 2}]


def test_members_come_and_go_and_guests_stay_out(mount, websocket, django_user_model):
    mount("views-connect", "MembersView")
    create = django_user_model.objects.create_user
    bob = websocket("/ws/", user=create("bob"))
    alice = websocket("/ws/", user=create("alice"))
    guest = WebSocketClient("/ws/")
    assert guest.connect().content == b"Log in first."
    assert guest.session is None
    assert bob.send({"action": "_tell_the_others"}).status_code == 400
    alice.disconnect()
    assert bob.received == [{"text": "alice came in."}, {"text": "alice left."}]
    assert alice.received == []


def test_a_page_that_says_hello_is_welcomed(mount, websocket):
    mount("views-welcome", "WelcomeView")
    guest = websocket("/ws/")
    guest.send({"action": "hello", "ref": "1"})
    assert guest.received == [{"ref": "1", "reply": {"text": "Welcome."}}]


def test_a_view_can_choose_the_channel(mount, websocket, django_user_model):
    mount("views-channel", "OwnChannelView")
    alice = django_user_model.objects.create_user("alice")
    assert websocket("/ws/", user=alice, channel="x").session.channel_name == f"user-{alice.pk}"


def test_a_receiver_tells_the_room_who_has_left(websocket):
    receiver = run("views-signals")["tell_the_room"]
    try:
        leaving, staying = (websocket("/ws/", channel="lobby") for _ in range(2))
        leaving.disconnect()
    finally:
        session_closed.disconnect(receiver)
    assert staying.received == [{"left": leaving.session.pk, "reason": "left"}]


def test_a_handler_finds_what_the_session_has_kept(mount, websocket):
    mount("views-session-data", "ChatView")
    ws = websocket("/ws/", headers={"Accept-Language": "de"})
    assert ws.session.data == {"language": "de"}
    assert ws.send({"action": "greet"}).json() == {"text": "Montag"}


@pytest.mark.django_db
def test_a_page_gets_the_url_of_its_socket(settings, rf):
    gateway = make_gateway()
    (engine,) = settings.TEMPLATES
    page = {"chat/room.html": BLOCKS["views-template"].code}
    loaders = [("django.template.loaders.locmem.Loader", page)]
    options = {**engine["OPTIONS"], "loaders": loaders}
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]
    response = run("views-page")["RoomView"].as_view()(rf.get("/"))
    html = response.render().content.decode()
    assert f'"{gateway.socket_url}?channel=lobby"' in html


def test_a_failure_of_a_handler_is_told_to_the_client(mount, websocket):
    mount("views-failed", "CarefulView")
    guest = websocket("/ws/")
    with pytest.raises(ZeroDivisionError):
        guest.send({"action": "divide", "by": 0})
    guest.send({"action": "divide", "by": 4})
    assert guest.received == [{"error": "That went wrong."}, {"result": 0.25}]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("talk.v1", "talk.v1"), ("json, talk.v1, talk.v2", "talk.v1"), ("json", None)],
)
def test_the_first_offered_subprotocol_that_the_view_knows_is_chosen(
    mount, websocket, offered, chosen
):
    mount("views-subprotocols", "TalkView")
    guest = websocket("/ws/", headers={"Sec-WebSocket-Protocol": offered})
    assert guest.response.get("Sec-WebSocket-Protocol") == chosen


# Sending.


@pytest.fixture
def alice(websocket, django_user_model):
    """A connection of a user in the lobby, on a gateway that is called "chat"."""
    columns = {"api_id": "chat", "api_created": True}
    columns["api_endpoint"] = "wss://chat.execute-api.eu-west-1.amazonaws.com"
    gateway = ApiGateway.objects.create(api_name="chat", **columns)
    user = django_user_model.objects.create_user("alice")
    return websocket("/ws/", gateway=gateway, user=user, channel="lobby")


def test_one_can_send_from_everywhere(alice):
    run("sending-examples")
    assert alice.received == [{"text": "The lobby closes at ten."}] * 5


def test_a_report_has_counts_and_reasons(alice, websocket, websocket_outbox, capsys):
    websocket_outbox.failing[websocket("/ws/").connection_id] = "ForbiddenException"
    run("sending-report")
    assert capsys.readouterr().out == "1 0 1\n1 failed: ForbiddenException\n"


def test_a_fragment_is_sent_as_it_is(alice):
    run("sending-text")
    assert alice.received_texts == ['<p id="news">Tea &amp; cake at four.</p>']


@pytest.mark.django_db(transaction=True)
def test_a_message_can_wait_for_the_commit(alice):
    run("sending-transaction")
    assert alice.received == [{"joined": "bob"}]


def test_a_progress_is_told(alice, capsys):
    run("sending-progress")
    assert capsys.readouterr().out == "1 of 1\n"


@pytest.mark.django_db(transaction=True)
def test_a_message_can_be_awaited(alice):
    tell = run("sending-async")["tell"]
    assert async_to_sync(tell)("lobby", "hello").sent == 1
    assert alice.received == [{"text": "hello"}]


def test_a_transport_of_ones_own_posts(alice, settings, monkeypatch, capsys):
    transports = ModuleType("transports")
    vars(transports).update(run("sending-transport"))
    monkeypatch.setitem(sys.modules, "transports", transports)
    settings.WEBSOCKETS = {"transport": "transports.PrintTransport"}
    assert alice.session.send_message("hello").sent == 1
    assert alice.session.close().closed == 1
    told = capsys.readouterr().out.splitlines()
    assert told == [f'{alice.connection_id} "hello"', f"{alice.connection_id} closed"]
