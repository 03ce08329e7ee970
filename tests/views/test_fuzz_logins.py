"""In whatever order logins, tickets and connections begin and end, a model foretells each answer.

``FUZZ_EXAMPLES=5000 pytest tests/test_fuzz_logins.py`` tries a fifth as many orders, others each
time. Without it they are few, and the same ones.
"""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketTicket
from django_aws_api_gateway_websockets.testing import WebSocketClient, outbox
from tests import watched
from tests.aws_requests import answered
from tests.fuzz import examples, fuzzed

pytestmark = [pytest.mark.django_db, pytest.mark.once]

WELCOME = (200, b"{}")
UNKNOWN = (400, b"Unknown connection")
LOG_IN_AGAIN = (403, b"Log in again")
BAD_TICKET = (403, b"The ticket is not valid")
EXISTS = (409, b"The connection exists")


class Account:
    """A user, and how often the password was changed."""

    def __init__(self, name):
        self.name, self.is_active, self.password = name, True, 0

    @property
    def user(self):
        return get_user_model().objects.get(username=self.name)

    def write(self, quietly, **columns):
        """Write to the user's row: by save(), of which the site learns, or by an UPDATE alone."""
        if quietly:
            get_user_model().objects.filter(username=self.name).update(**columns)
        else:
            user = self.user
            vars(user).update(columns)
            user.save()


class Login:
    """An account, its password of then, and what stands for the key of Django's session."""

    def __init__(self, account=None, session=None):
        self.account, self.session = account, session
        self.password = account and account.password

    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None

    @property
    def holds(self):
        account = self.account
        return not account or (account.is_active and account.password == self.password)


class Browser:
    def __init__(self):
        self.http, self.login = Client(), Login()

    def log_in(self, account):
        self.http.force_login(account.user)
        if (self.login.account, self.login.password) != (account, account.password):
            self.login = Login(account, object())

    def log_out(self):
        self.http.logout()
        self.login = Login()

    def comes_as(self):
        """By which login. Django lets nobody in who is inactive, and forgets an old password."""
        account = self.login.account
        if account and not account.is_active:
            return Login(session=self.login.session)
        if not self.login.holds:
            self.login = Login()
        return self.login


class Ticket:
    def __init__(self, text, login):
        self.text, self.login, self.is_open, self.used_by = text, login, True, None

    @property
    def is_valid(self):
        return self.is_open and self.login.holds


class Connection:
    """A connection of a browser's, by its cookie or by a ticket."""

    def __init__(self, ws, login, browser, ticket=None):
        self.ws, self.login, self.browser, self.ticket = ws, login, browser, ticket
        self.is_open, self.count = True, 1

    @property
    def row(self):
        account = self.login.account
        user = account and account.name
        return self.ws.connection_id, self.ws.channel, user, self.is_open, self.count


class Conversation:
    """Takes one step after another, on the site and in the model.

    Tickets and connections are numbered, from the latest one backwards.
    """

    def __init__(self):
        self.accounts = [Account("alice"), Account("bob")]
        self.browsers = [Browser(), Browser(), Browser()]
        self.tickets, self.connections = [], []

    def take(self, step):
        name, *arguments = step
        getattr(self, name)(*arguments)
        self.compare_rows()

    def compare_rows(self):
        columns = ("connection_id", "channel_name", "user__username", "connected", "request_count")
        rows = WebSocketSession.objects.order_by("pk").values_list(*columns)
        assert list(rows) == [connection.row for connection in self.connections]
        used_by = WebSocketTicket.objects.order_by("pk").values_list("connection_id", flat=True)
        assert list(used_by) == [ticket.used_by for ticket in self.tickets if ticket.is_open]

    # What a page does

    def log_in(self, browser, account):
        self.browsers[browser].log_in(self.accounts[account])

    def log_out(self, browser):
        session = self.browsers[browser].comes_as().session
        self.browsers[browser].log_out()
        for mine in [*self.tickets, *self.connections]:
            if session and mine.login.session is session:
                mine.is_open = False

    def ask_for_a_ticket(self, browser):
        login = self.browsers[browser].comes_as()
        response = self.browsers[browser].http.post("/ticket/")
        assert response.status_code == (200 if login.account else 403)
        if login.account:
            self.tickets.append(Ticket(response.json()["ws_token"], login))

    # What a socket does

    def connect(self, browser, channel):
        page = self.browsers[browser]
        ws, login = self._socket(page, channel), page.comes_as()
        assert answered(ws.connect()) == WELCOME
        self.connections.append(Connection(ws, login, page))

    def connect_by_ticket(self, browser, channel, number):
        for ticket in self.tickets[::-1][number : number + 1]:
            page = self.browsers[browser]
            ws, is_good = self._socket(page, channel, ticket.text), ticket.is_valid
            is_good = is_good and not ticket.used_by
            assert answered(ws.connect()) == (WELCOME if is_good else BAD_TICKET)
            if is_good:
                ticket.used_by = ws.connection_id
                self.connections.append(Connection(ws, ticket.login, page, ticket))

    def _socket(self, page, channel, ticket=""):
        number = len(self.connections)
        return WebSocketClient(
            "/ws/",
            browser=page.http,
            channel=channel,
            ticket=ticket,
            connection_id=f"{number}=",
        )

    def _latest(self, number):
        """The connection of that number, if there is one."""
        return self.connections[::-1][number : number + 1]

    def repeat_a_connect(self, number):
        for again in self._latest(number):
            ticket = again.ticket
            login = ticket.login if ticket else again.browser.comes_as()
            answer = answered(again.ws.connect())
            if ticket and not ticket.is_valid:
                assert answer == BAD_TICKET
            elif again.is_open and again.count == 1 and again.login == login:
                assert answer == WELCOME
            else:
                assert answer == EXISTS

    def say(self, number):
        for sender in self._latest(number):
            del outbox[:]
            answer = answered(sender.ws.send({"action": "say", "text": "hello"}))
            if not sender.is_open:
                assert answer == UNKNOWN
            elif not sender.login.holds:
                assert answer == LOG_IN_AGAIN
                sender.is_open = False
            else:
                assert answer == WELCOME
                sender.count += 1
            hear = [other.ws for other in self.connections if other.is_open and answer == WELCOME]
            room = [ws.connection_id for ws in hear if ws.channel == sender.ws.channel]
            assert [message.connection_id for message in outbox] == room

    def disconnect(self, number):
        for leaving in self._latest(number):
            assert answered(leaving.ws.disconnect()) == WELCOME
            leaving.is_open, leaving.count = False, leaving.count + 1

    # What happens to a user

    def activate(self, account, is_active, quietly):
        self.accounts[account].is_active = is_active
        self._write(self.accounts[account], quietly, is_active=is_active)

    def change_the_password(self, account, quietly):
        self.accounts[account].password += 1
        self._write(self.accounts[account], quietly, password=make_password("secret"))

    def _write(self, account, quietly, **columns):
        account.write(quietly, **columns)
        for connection in self.connections:
            if not quietly and connection.login.account is account:
                connection.is_open = connection.is_open and connection.login.holds


BROWSERS, ACCOUNTS = st.integers(0, 2), st.integers(0, 1)
NUMBERS, CHANNELS, QUIETLY = st.integers(0, 3), st.sampled_from(["red", "blue"]), st.booleans()
STEPS = {
    "log_out": (BROWSERS,),
    "log_in": (BROWSERS, ACCOUNTS),
    "say": (NUMBERS,),
    "connect": (BROWSERS, CHANNELS),
    "ask_for_a_ticket": (BROWSERS,),
    "connect_by_ticket": (BROWSERS, CHANNELS, NUMBERS),
    "repeat_a_connect": (NUMBERS,),
    "disconnect": (NUMBERS,),
    "activate": (ACCOUNTS, QUIETLY, QUIETLY),
    "change_the_password": (ACCOUNTS, QUIETLY),
}
step = st.one_of([st.tuples(st.just(name), *values) for name, values in STEPS.items()])
steps = st.integers(1, 30).flatmap(lambda size: st.lists(step, min_size=size, max_size=size))

#: Alice in two browsers and Bob in one, each with a connection. Alice has a ticket to spare.
START = [
    *(("log_in", 0, 0), ("log_in", 1, 1), ("log_in", 2, 0)),
    *(("connect", 0, "red"), ("connect", 1, "red"), ("ask_for_a_ticket", 2)),
    *(("connect_by_ticket", 1, "red", 0), ("ask_for_a_ticket", 0)),
]
ENDS = [
    *([("log_out", 0)], [("log_out", 2)], [("disconnect", 0)], [("disconnect", 2)], [("say", 0)]),
    *([("activate", 0, False, quietly)] for quietly in (True, False)),
    *([("change_the_password", 0, quietly)] for quietly in (True, False)),
    [("activate", 0, False, True), ("activate", 0, True, True)],
]
AFTERWARDS = [
    *(("repeat_a_connect", 0), ("repeat_a_connect", 2), ("connect_by_ticket", 1, "red", 1)),
    *(("say", 0), ("say", 1), ("say", 2), ("say", 0), ("connect_by_ticket", 1, "red", 0)),
    *(("ask_for_a_ticket", 0), ("connect", 0, "red"), ("say", 0), ("log_out", 2)),
]


@pytest.fixture
def site(websocket_outbox, settings, alice, bob):
    settings.ROOT_URLCONF = watched.URLS


@settings(fuzzed, max_examples=fuzzed.max_examples // 5)
@examples(steps=[[*end, *AFTERWARDS] for end in ENDS])
@given(steps=steps)
def test_a_connection_is_served_as_long_as_its_login_holds(site, steps):
    with watched.undone():
        conversation = Conversation()
        for step in [*START, *steps]:
            conversation.take(step)
