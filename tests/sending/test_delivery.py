"""A broadcast to a real server, with each transport: who is served when, and until when."""

from __future__ import annotations

import threading
import time

import pytest

from tests.edge import DEADLINE
from tests.factories import make_created_gateway, make_many, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("transport")]


@pytest.fixture
def crowd():
    """``crowd(50)`` are so many connected sessions of one gateway."""
    gateway = make_created_gateway()

    def of(number):
        make_many(gateway, number)
        return gateway.sessions.order_by("pk")

    return of


def choose(settings, **options):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, **options}


class Crowd:
    """Lets requests go when ``size`` of them wait, and knows how many there were at most."""

    def __init__(self, size):
        # They are counted out before the first of them goes, and a new one comes.
        self._barrier = threading.Barrier(size, self._count_out, timeout=DEADLINE)
        self._lock = threading.Lock()
        self._waiting = 0
        self.largest = 0

    def wait(self):
        with self._lock:
            self._waiting += 1
            self.largest = max(self.largest, self._waiting)
        self._barrier.wait()

    def _count_out(self):
        with self._lock:
            self._waiting -= self._barrier.parties


@pytest.mark.parametrize(("chosen", "workers"), [({}, 10), ({"max_in_flight": 2}, 2)])
def test_as_many_recipients_as_max_in_flight_are_served_at_once(edge, settings, chosen, workers):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, **chosen}
    gateway = make_created_gateway()
    for _ in range(workers * 2):
        make_session(gateway)
    crowd = Crowd(workers)
    edge.when("@connections").wait = crowd.wait
    assert gateway.sessions.send_message("x").sent == workers * 2
    assert crowd.largest == workers


# Throttling


def test_a_slow_client_is_waited_for_by_nobody(edge, crowd, settings):
    choose(settings, max_in_flight=2)
    sessions = crowd(51)
    slow = sessions[0].connection_id
    edge.when(f"/{slow}$", 429, error_type="LimitExceededException")
    report = sessions.send_message("x")
    assert (report.sent, report.reasons) == (50, {"LimitExceededException": 1})
    arrived = [request.connection_id for request in edge.requests]
    assert arrived.count(slow) == 5
    assert len(set(arrived[:-1])) == 51, "All others are served before its last try"


class Quota:
    """So many messages a second, and a burst, as AWS counts an account's."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens = rate, burst, burst
        self.filled = time.monotonic()

    def is_used_up(self, request):
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        self.tokens -= self.tokens >= 1
        return self.tokens < 1


@pytest.mark.once
def test_an_account_that_is_throttled_gets_everything_through(edge, crowd):
    quota = Quota(30, burst=10)  # A busy machine sends faster than that, too.
    edge.when("@connections", 429, error_type="LimitExceededException", only=quota.is_used_up)
    report = crowd(120).send_message("x")
    assert report.sent == report.total == 120
    # How many tries that takes depends on this machine; test_throttling counts them.
    assert len(edge.requests) > 120


def test_max_send_rate_bounds_all_threads_of_a_process_together(edge, transactional_db, settings):
    choose(settings, max_send_rate=100)
    edge.when("@connections").wait = lambda: arrivals.append(time.monotonic())
    arrivals = []
    gateway = make_created_gateway()
    sessions = [make_session(gateway, channel_name=f"room {n % 2}") for n in range(60)]
    rooms = [list(sessions[0::2]), list(sessions[1::2])]

    def one_by_one(room):
        for session in room[:15]:
            session.api_gateway = gateway  # No query, which the test's SQLite has no room for.
            session.send_message("x")

    threads = [threading.Thread(target=one_by_one, args=[room]) for room in rooms]
    sessions[0].send_message("x")  # What is made for the first message is there.
    arrivals.clear()
    for thread in threads:
        thread.start()
    gateway.sessions.all().send_message("x")
    for thread in threads:
        thread.join(DEADLINE)
    assert len(arrivals) == 90
    # A tenth of a second's worth may leave at once.
    assert max(arrivals) - min(arrivals) > (90 - 2 - 100 * 0.1) / 100 * 0.9


# The deadline


def test_a_server_that_hangs_is_left_at_the_deadline(edge, crowd, settings):
    choose(settings, max_in_flight=4, send_timeout=0.5)
    held = edge.when("@connections", hold=True)
    started = time.monotonic()
    report = crowd(30).send_message("x")
    assert time.monotonic() - started < DEADLINE / 4
    held.release.set()
    assert (report.failed, report.total) == (30, 30)
    # Those under way, and those that threads had in line behind them, have their own timeouts.
    assert set(report.reasons) == {"Out of time", "ReadTimeoutError"}
    assert 4 <= report.reasons["ReadTimeoutError"] <= 8


def test_a_server_that_throttles_is_left_at_the_deadline(edge, crowd, settings):
    choose(settings, max_in_flight=4, send_timeout=0.3)
    edge.when("@connections", 429, error_type="LimitExceededException")
    report = crowd(300).send_message("x")
    assert report.failed == report.total == sum(report.reasons.values()) == 300
    assert report.reasons["Out of time"] > 0
