"""What an event costs the database, the look-ups of Django's own middleware aside."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_aws_api_gateway_websockets.testing import WebSocketClient

pytestmark = pytest.mark.django_db

OWN_TABLE = re.compile(r"django_aws_api_gateway_websockets_(\w+)")
# The test client's login saves its session inside savepoints.
MIDDLEWARES_OWN = re.compile(r"django_session|auth_user|SAVEPOINT")


def statements(event, *arguments):
    """The statements of an event, and the verb and first table of those that are the app's."""
    with CaptureQueriesContext(connection) as captured:
        assert event(*arguments).status_code == 200
    every = [query["sql"] for query in captured]
    own = [
        (sql.split()[0], OWN_TABLE.search(sql).group(1)) for sql in every if OWN_TABLE.search(sql)
    ]
    return every, own


def test_a_connect_costs_one_select_and_one_insert():
    ws = WebSocketClient("/ws/", channel="lobby")
    every, own = statements(ws.connect)
    assert own == [("SELECT", "apigateway"), ("INSERT", "websocketsession")]
    assert len(every) == 2


def test_a_connect_with_login_costs_no_more_but_what_the_middleware_takes(alice):
    every, own = statements(WebSocketClient("/ws/", user=alice).connect)
    assert own == [("SELECT", "apigateway"), ("INSERT", "websocketsession")]
    others = [sql for sql in every if not OWN_TABLE.search(sql)]
    assert [sql for sql in others if not MIDDLEWARES_OWN.search(sql)] == []


def test_a_repeated_connect_costs_two_selects(websocket):
    every, own = statements(websocket("/ws/").connect)
    assert own == [("SELECT", "apigateway"), ("SELECT", "websocketsession")]
    assert len(every) == 2


def test_a_message_costs_one_select_and_one_update(websocket, alice):
    ws = websocket("/ws/", user=alice, channel="lobby")
    # The handler asks for the user, which must not cost another statement.
    every, own = statements(ws.send, {"action": "whoami"})
    assert own == [("SELECT", "websocketsession"), ("UPDATE", "websocketsession")]
    assert len(every) == 2


def test_the_select_of_a_message_fetches_session_user_and_gateway(websocket, alice):
    (select, _), _ = statements(websocket("/ws/", user=alice).send, {"action": "whoami"})
    tables = set(re.findall(r'(?:FROM|JOIN) ["`](\w+)["`]', select))
    app = "django_aws_api_gateway_websockets"
    assert tables == {f"{app}_websocketsession", f"{app}_apigateway", "auth_user"}


def test_a_disconnect_costs_one_select_and_one_update(websocket, alice):
    every, own = statements(websocket("/ws/", user=alice).disconnect)
    assert own == [("SELECT", "websocketsession"), ("UPDATE", "websocketsession")]
    assert len(every) == 2


def test_a_message_that_is_refused_writes_nothing(websocket):
    ws = websocket("/ws/")
    with CaptureQueriesContext(connection) as captured:
        assert ws.send({"action": None}).status_code == 400
    assert [query["sql"].split()[0] for query in captured] == ["SELECT"]
