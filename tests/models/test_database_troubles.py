"""A database that fails amid a broadcast costs nobody the message, the report or other work."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import connection, connections, transaction
from django.db.models.signals import pre_save

from django_aws_api_gateway_websockets.broadcasts.worker import deliver
from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.sending import BATCH_SIZE
from django_aws_api_gateway_websockets.testing import OutboxTransport
from tests import factories
from tests.broadcasts.test_worker import make_chunk
from tests.factories import fresh
from tests.models.test_recipients_batches import at_first
from tests.queues import HeldBackend

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="SQLite drops no connection and locks no row"
    ),
]

sessions = WebSocketSession.objects

MANY = 2 * BATCH_SIZE + 20

#: They have sent a message, so they are not connecting any more.
make_many = partial(factories.make_many, request_count=2)


def elsewhere(act):
    """Call ``act`` in another thread, which has a database connection of its own."""

    def run():
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def drop_connection():
    """Drop this thread's connection as the server does when it has idled for too long."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if is_postgresql else "SELECT connection_id()")
        (number,) = cursor.fetchone()

    def kill():
        with connection.cursor() as cursor:
            kill = "SELECT pg_terminate_backend(%s)" if is_postgresql else "KILL %s"
            cursor.execute(kill, [number])

    elsewhere(kill)


@contextmanager
def locked(**columns):
    """While this lasts, another transaction has written to these sessions."""
    is_locked, may_end = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            sessions.filter(**columns).update(channel_name="elsewhere")
            is_locked.set()
            may_end.wait()

    holder = threading.Thread(target=elsewhere, args=[hold])
    holder.start()
    is_locked.wait()
    try:
        yield
    finally:
        may_end.set()
        holder.join()


@pytest.fixture(autouse=True)
def _impatient():
    """Waits for a lock fail soon, instead of a minute later or never."""
    seconds = {"postgresql": "lock_timeout = 500", "mysql": "innodb_lock_wait_timeout = 1"}
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {seconds[connection.vendor]}")
    yield
    connection.close()


def connected():
    return sessions.filter(connected=True).count()


def test_a_locked_row_of_one_who_is_gone_ends_no_broadcast(gateway, outbox):
    make_many(gateway, MANY)
    outbox.gone.update(str(number) for number in range(0, MANY, 2))
    with locked(connection_id="0"):
        report = sessions.send_message("x")
    assert (report.sent, report.gone) == (MANY / 2, MANY / 2)
    assert connected() == MANY / 2 + 1
    assert sessions.send_message("y").gone == 1
    assert connected() == MANY / 2


def test_a_dropped_connection_ends_no_broadcast(gateway, outbox, talkative):
    make_many(gateway, MANY)
    outbox.gone.update({"3", str(MANY - 3)})
    report = sessions.send_message("x", progress=at_first(drop_connection))
    assert (report.sent, report.gone) == (MANY - 2, 2)
    assert connected() == MANY - 2


def test_work_of_the_callers_transaction_survives_a_locked_row(gateway, outbox):
    make_many(gateway, 3)
    outbox.gone.add("0")
    with locked(connection_id="0"), transaction.atomic():
        ApiGateway.objects.filter(pk=gateway.pk).update(api_description="written before")
        assert sessions.send_message("x").gone == 1
    assert fresh(gateway).api_description == "written before"


class DroppingTransport(OutboxTransport):
    """Drops the database connection whenever it has sent to all, or closed the first one."""

    def send(self, body, recipients):
        yield from super().send(body, recipients)
        drop_connection()

    def close(self, recipients):
        drop_connection()
        yield from super().close(recipients)


@pytest.fixture
def dropping(outbox, settings):
    path = f"{__name__}.{DroppingTransport.__name__}"
    backend = f"{HeldBackend.__module__}.{HeldBackend.__name__}"
    settings.WEBSOCKETS = {"transport": path, "task_backend": backend}


@pytest.mark.usefixtures("dropping")
def test_closing_many_goes_on_after_a_dropped_connection(gateway):
    make_many(gateway, MANY)
    assert sessions.all().close().closed == MANY


@pytest.mark.usefixtures("dropping")
def test_a_step_that_was_sent_is_recorded_on_a_new_connection(gateway, outbox):
    make_many(gateway, 600)
    outbox.gone.update("123")
    chunk = make_chunk()
    assert deliver(chunk.pk) is None
    assert (fresh(chunk).reached, len(outbox)) == (600, 597)
    assert chunk.broadcast.is_finished
    assert connected() == 597


class Refused(Exception):
    """Of a listener that cannot cope."""


@pytest.mark.usefixtures("dropping")
def test_a_step_is_recorded_before_those_who_listen_can_fail(gateway, outbox):
    def refuse(sender, instance, **kwargs):
        raise Refused

    make_many(gateway, 10)
    outbox.gone.add("0")
    chunk = make_chunk()
    pre_save.connect(refuse, sender=WebSocketSession)
    try:
        with pytest.raises(Refused):
            deliver(chunk.pk)
    finally:
        pre_save.disconnect(refuse, sender=WebSocketSession)
    assert deliver(chunk.pk) is None
    assert len(outbox) == 9
