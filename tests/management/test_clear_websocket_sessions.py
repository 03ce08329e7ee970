"""clearWebSocketSessions: deletes what is over, keeps what may be open, and blocks nobody."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.signals import pre_delete
from django.utils import timezone

from django_aws_api_gateway_websockets.models import Broadcast, WebSocketSession
from django_aws_api_gateway_websockets.sending import BATCH_SIZE
from django_aws_api_gateway_websockets.views import queries
from tests.edge import DEADLINE
from tests.factories import fresh, make_session

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects
MINUTE, HOUR = 60, 3600

#: On MariaDB each row has a statement of its own.
MANY = 20_000 if connection.vendor != "mysql" else 2_000

COUNT_A_REQUEST = (
    "UPDATE django_aws_api_gateway_websockets_websocketsession"
    " SET request_count = request_count + 1 WHERE id = ?"
)
COUNT_CLOSED = (
    "SELECT count(*) FROM django_aws_api_gateway_websockets_websocketsession WHERE NOT connected"
)

needs_a_server = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="Threads share SQLite's database in memory"
)


def run(*arguments):
    """The lines that the command prints."""
    out = StringIO()
    call_command("clearWebSocketSessions", *arguments, stdout=out)
    return out.getvalue().splitlines()


def make_sessions(count, *, prefix="", age=0, **columns):
    """Make many sessions at once, since one by one would take long."""
    made = (WebSocketSession(connection_id=f"{prefix}{n}", **columns) for n in range(count))
    sessions.bulk_create(made, batch_size=500)
    youngest = make_session(age=age)
    sessions.update(created_on=youngest.created_on)
    youngest.delete()


@contextmanager
def watched(watch):
    """Have ``watch(verb, cursor)`` called after each statement of the block."""

    def wrapper(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        watch(sql.split()[0], context["cursor"])
        return result

    with connection.execute_wrapper(wrapper):
        yield


# What goes


def test_closed_sessions_are_deleted_and_counted():
    make_session(connected=False)
    make_session(connected=False)
    open_session = make_session()
    assert run() == ["Closed 0 expired sessions, deleted 2 closed sessions and 0 old broadcasts."]
    assert list(sessions.all()) == [open_session]


def test_broadcasts_that_are_older_than_any_connection_are_deleted():
    Broadcast.objects.create(message="{}", size=0)
    old = Broadcast.objects.create(message="{}", size=0)
    Broadcast.objects.filter(pk=old.pk).update(created_on=timezone.now() - timedelta(hours=2))
    assert run("--dry-run")[0].endswith(" and 1 old broadcast.")
    assert Broadcast.objects.count() == 2
    assert run()[0].endswith(" and 1 old broadcast.")
    assert not Broadcast.objects.filter(pk=old.pk).exists()


def test_nothing_to_delete_is_a_success():
    assert run() == ["Closed 0 expired sessions, deleted 0 closed sessions and 0 old broadcasts."]


def test_a_session_that_is_too_old_to_be_alive_goes_and_nothing_is_asked_of_aws(edge, gateway):
    make_session(gateway, age=3 * HOUR)
    make_session(gateway, connected=False)
    assert run() == ["Closed 1 expired session, deleted 2 closed sessions and 0 old broadcasts."]
    assert not sessions.exists()
    assert edge.requests == []


@pytest.mark.parametrize(
    ("age", "stays"),
    [(HOUR, True), (2 * HOUR + 9 * MINUTE, True), (2 * HOUR + 11 * MINUTE, False)],
)
def test_two_hours_and_ten_minutes_after_it_connected_a_session_has_expired(age, stays):
    session = make_session(age=age)
    session.save()  # Its later messages do not matter.
    run()
    assert sessions.exists() is stays


@pytest.mark.parametrize(
    ("age", "stays"), [(3 * HOUR + 9 * MINUTE, True), (3 * HOUR + 11 * MINUTE, False)]
)
def test_where_rows_have_local_time_it_is_an_hour_more(settings, age, stays):
    """When clocks go forward, a session that is one hour old looks two hours old."""
    settings.USE_TZ = False
    make_session(age=age)
    run()
    assert sessions.exists() is stays


def test_a_session_of_a_clock_that_is_ahead_stays():
    make_session(age=-HOUR)
    run()
    assert sessions.exists()


def test_a_dry_run_says_what_would_be_done_and_writes_nothing():
    make_session(age=3 * HOUR)
    make_session(connected=False)
    make_session()
    verbs = []
    with watched(lambda verb, cursor: verbs.append(verb)):
        said = run("--dry-run")
    assert said == [
        "Would close 1 expired session, delete 2 closed sessions and 0 old broadcasts."
    ]
    assert set(verbs) == {"SELECT"}
    assert (sessions.count(), sessions.filter(connected=False).count()) == (3, 1)


def test_a_projects_own_receivers_hear_of_each_session_that_is_deleted():
    make_sessions(BATCH_SIZE + 2, connected=False)
    heard = []

    def hear(instance, **kwargs):
        heard.append(instance.connection_id)

    pre_delete.connect(hear, sender=WebSocketSession)
    try:
        deleted = f"deleted {BATCH_SIZE + 2} closed sessions and 0 old broadcasts."
        assert run() == [f"Closed 0 expired sessions, {deleted}"]
    finally:
        pre_delete.disconnect(hear, sender=WebSocketSession)
    assert len(set(heard)) == BATCH_SIZE + 2


def test_a_session_that_is_connected_again_when_it_comes_to_deleting_it_stays():
    make_sessions(3, connected=False)
    chosen = sessions.latest("pk")
    reads = []

    def reopen(verb, cursor):
        reads.append(verb)
        if reads == ["SELECT", "SELECT"]:  # the keys of the expired, then those of the closed
            sessions.filter(pk=chosen.pk).update(connected=True)

    with watched(reopen):
        said = run()
    assert said == ["Closed 0 expired sessions, deleted 2 closed sessions and 0 old broadcasts."]
    assert fresh(chosen).connected


# A large table, in service


def test_of_a_large_table_each_statement_writes_a_batch_at_most():
    make_sessions(MANY, prefix="old", age=3 * HOUR)
    make_sessions(1_000, prefix="closed", age=3 * HOUR, connected=False)
    written = {"UPDATE": [], "DELETE": []}

    def watch(verb, cursor):
        if verb in written:
            written[verb].append(cursor.rowcount)

    with watched(watch):
        said = run()
    (line,) = said
    assert line.startswith(f"Closed {MANY} expired sessions, deleted {MANY + 1000} closed ")
    assert (sum(written["UPDATE"]), sum(written["DELETE"])) == (MANY, MANY + 1000)
    assert max(written["UPDATE"] + written["DELETE"]) <= BATCH_SIZE
    assert not sessions.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_an_interruption_leaves_the_batches_that_were_finished(verb):
    make_sessions(3 * BATCH_SIZE, age=3 * HOUR)
    rows = []

    def interrupt(done, cursor):
        if done == verb:
            rows.append(cursor.rowcount)
            if sum(rows) > BATCH_SIZE:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), watched(interrupt):
        run()
    left = sessions.filter(connected=True) if verb == "UPDATE" else sessions.all()
    assert left.count() == 2 * BATCH_SIZE


def impatient():
    """Let a statement that waits for a lock fail, so that the suite does not hang."""
    with connection.cursor() as cursor:
        is_mariadb = connection.vendor == "mysql"
        wait = "innodb_lock_wait_timeout = 2" if is_mariadb else "lock_timeout = 2000"
        cursor.execute(f"SET {wait}")


@needs_a_server
@pytest.mark.django_db(transaction=True)
def test_whatever_it_has_locked_connections_open_and_messages_are_counted():
    make_sessions(BATCH_SIZE, prefix="old", age=3 * HOUR)
    make_sessions(BATCH_SIZE, prefix="closed", age=3 * HOUR, connected=False)
    alive = make_session()
    served = []

    def serve():
        """Do what a web server does at the same time."""
        try:
            impatient()
            make_session(age=0)
            queries.record_request(sessions.get(pk=alive.pk))
        finally:
            connection.close()

    def watch(verb, cursor):
        # Not after each row that MariaDB writes.
        if verb in ("UPDATE", "DELETE") and cursor.db.in_atomic_block and len(served) < 1000:
            served.append(verb)
            if len(served) % 200 == 1 or cursor.rowcount > 1:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(serve).result(DEADLINE)

    with watched(watch):
        run()
    assert set(served) == {"UPDATE", "DELETE"}
    assert fresh(alive).request_count > 3
    assert (
        sessions.filter(connected=True).count() == sessions.count() == fresh(alive).request_count
    )


@needs_a_server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("columns", [{}, {"connected": False}, {"age": 3 * HOUR}])
def test_an_open_transaction_on_one_row_stops_nothing_and_the_row_stays(columns):
    """A handler under ATOMIC_REQUESTS holds its session's row for as long as it runs."""
    make_sessions(20, connected=False)
    held = make_session(**columns)
    locked, done = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                queries.record_request(sessions.get(pk=held.pk))
                locked.set()
                assert done.wait(DEADLINE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        try:
            assert locked.wait(DEADLINE)
            impatient()
            said = run()
        finally:
            done.set()
            connection.close()
        holder.result()
    assert said == ["Closed 0 expired sessions, deleted 20 closed sessions and 0 old broadcasts."]
    assert list(sessions.all()) == [held]


#: The command, which stops within its second batch until a line comes in.
PAUSING = """
from django.core.management import call_command
from django.db import connection

batches = iter(["first", "second"])

def pause(execute, sql, *args):
    if sql.startswith("DELETE") and next(batches, "later") == "second":
        print("half-way", flush=True)
        input()
    return execute(sql, *args)

with connection.execute_wrapper(pause):
    call_command("clearWebSocketSessions")
"""


@pytest.mark.django_db(transaction=True)
def test_others_write_to_the_same_sqlite_file_meanwhile(open_site):
    make_sessions(3 * BATCH_SIZE, connected=False)
    alive = make_session()
    site = open_site()
    process = site.start("shell", "--verbosity", "0", "-c", PAUSING, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "half-way\n"
    with closing(sqlite3.connect(site.file, timeout=0)) as other:
        assert other.execute(COUNT_CLOSED).fetchone() == (2 * BATCH_SIZE,)
        other.execute(COUNT_A_REQUEST, [alive.pk])
        other.commit()
    deleted = f"deleted {3 * BATCH_SIZE} closed sessions and 0 old broadcasts."
    said = f"Closed 0 expired sessions, {deleted}\n"
    assert process.communicate("go on\n") == (said, "")
