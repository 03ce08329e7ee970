"""Worker of a chunk: what it records and when, and which worker may do it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from django_aws_api_gateway_websockets.broadcasts.worker import BATCH_SIZE, deliver, longest_batch
from django_aws_api_gateway_websockets.exceptions import RegionMissing
from django_aws_api_gateway_websockets.models import BroadcastChunk, WebSocketSession
from django_aws_api_gateway_websockets.models.broadcasts import CHUNK_SIZE
from django_aws_api_gateway_websockets.sending import SENT
from django_aws_api_gateway_websockets.testing import OutboxTransport
from tests.edge import DEADLINE
from tests.factories import fresh, make_created_gateway, make_many, make_session
from tests.models.test_sessions_sending import recipients
from tests.queues import HeldBackend

pytestmark = pytest.mark.django_db

sessions = WebSocketSession.objects


@pytest.fixture(autouse=True)
def _queue(outbox, settings):
    backend = f"{HeldBackend.__module__}.{HeldBackend.__name__}"
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_backend": backend}


@pytest.fixture
def transport(settings):
    """``transport(Class)`` sends by that class from now on."""

    def choose(transport):
        path = f"{transport.__module__}.{transport.__qualname__}"
        settings.WEBSOCKETS = {**settings.WEBSOCKETS, "transport": path}

    return choose


def make_chunk(**options):
    """The one chunk of a broadcast to everybody."""
    return sessions.broadcast("x", **options).chunks.get()


class Dying(BaseException):
    """Ends a worker, as far as an exception can do that: gevent's Timeout is no Exception."""


class DyingTransport(OutboxTransport):
    """Sends half of its second batch, and dies."""

    batches = 0

    def send(self, body, recipients):
        type(self).batches += 1
        for number, result in enumerate(super().send(body, recipients), 1):
            yield result
            if self.batches == 2 and number == BATCH_SIZE // 2:
                raise Dying


@pytest.fixture
def dying(transport, monkeypatch, gateway):
    make_many(gateway, CHUNK_SIZE)
    monkeypatch.setattr(DyingTransport, "batches", 0)
    transport(DyingTransport)


def test_after_a_death_only_the_batch_under_way_is_sent_again(outbox, dying):
    chunk = make_chunk()
    with pytest.raises(Dying):
        deliver(chunk.pk)
    assert fresh(chunk).reached == BATCH_SIZE
    assert deliver(chunk.pk) is None
    keys = list(sessions.filter(pk__in=chunk.recipients).order_by("pk"))
    once = [session.connection_id for session in keys]
    twice = once[BATCH_SIZE : BATCH_SIZE + BATCH_SIZE // 2]
    assert recipients(outbox) == sorted(once + twice)
    assert (fresh(chunk).reached, fresh(chunk).sent) == (CHUNK_SIZE, CHUNK_SIZE)


def test_at_most_once_only_the_batch_under_way_is_lost(outbox, dying):
    chunk = make_chunk(at_most_once=True)
    with pytest.raises(Dying):
        deliver(chunk.pk)
    assert fresh(chunk).reached == BATCH_SIZE * 2
    assert deliver(chunk.pk) is None
    assert len(outbox) == len(set(recipients(outbox))) == CHUNK_SIZE - BATCH_SIZE // 2
    report = fresh(chunk).broadcast.report
    assert (report.sent, report.gone, report.failed) == (CHUNK_SIZE - BATCH_SIZE, 0, 0)


def test_a_batch_costs_one_select_and_one_update(outbox, gateway, django_assert_num_queries):
    make_many(gateway, CHUNK_SIZE)
    chunk = make_chunk()
    around = 5  # read, claim, read the progress, finish, release
    with django_assert_num_queries(around + 2 * CHUNK_SIZE // BATCH_SIZE):
        deliver(chunk.pk)


def test_a_finished_chunk_is_left_alone(outbox, room):
    chunk = make_chunk()
    for _ in range(3):
        assert deliver(chunk.pk) is None
    assert recipients(outbox) == ["a", "b", "c"]
    assert fresh(chunk).finished_on
    assert fresh(chunk).claimed_by is None


def test_a_chunk_that_another_worker_finishes_meanwhile_need_not_be_asked_for_again(outbox, room):
    seen_before = make_chunk()
    deliver(seen_before.pk)
    assert not seen_before.claim()
    assert seen_before.seconds_left is None


def test_a_chunk_that_is_not_there_is_nothing_to_do(outbox):
    assert deliver(1) is None
    assert outbox == []


def test_a_chunk_of_a_living_worker_is_left_to_it_until_its_claim_runs_out(outbox, room):
    chunk = make_chunk()
    assert fresh(chunk).claim()
    assert 50 < deliver(chunk.pk) <= 60
    assert outbox == []
    BroadcastChunk.objects.update(claimed_until=timezone.now())
    assert deliver(chunk.pk) is None
    assert recipients(outbox) == ["a", "b", "c"]


def test_the_lease_is_what_the_settings_say(room, settings):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_lease": 7}
    chunk = make_chunk()
    assert chunk.claim()
    assert timedelta(seconds=6) < chunk.claimed_until - timezone.now() <= timedelta(seconds=7)


def test_a_failure_is_raised_and_the_chunk_is_free_at_once(outbox, settings):
    settings.AWS_REGION_NAME = None
    make_session(make_created_gateway(api_endpoint=""))
    chunk = make_chunk()
    with pytest.raises(RegionMissing):
        deliver(chunk.pk)
    settings.AWS_REGION_NAME = "eu-west-1"
    assert deliver(chunk.pk) is None
    assert fresh(chunk).sent == 1


class RobbedTransport(OutboxTransport):
    """While it sends, another worker claims the chunk, as if this one were dead."""

    def send(self, body, recipients):
        BroadcastChunk.objects.update(claimed_until=timezone.now())
        assert BroadcastChunk.objects.get().claim()
        return super().send(body, recipients)


@pytest.mark.parametrize(("at_most_once", "reached"), [(False, 0), (True, BATCH_SIZE)])
def test_a_worker_that_has_lost_its_claim_stops_and_records_nothing(
    outbox, transport, gateway, caplog, at_most_once, reached
):
    make_many(gateway, CHUNK_SIZE)
    chunk = make_chunk(at_most_once=at_most_once)
    transport(RobbedTransport)
    assert deliver(chunk.pk) is None
    assert len(outbox) == BATCH_SIZE
    seen = fresh(chunk)
    assert (seen.reached, seen.sent, seen.finished_on) == (reached, 0, None)
    assert seen.claimed_by  # This worker has not given up the other one's claim.
    assert f"Another worker has taken over chunk={chunk}" in caplog.text


# Several processes, and so a database that they can share

on_shared_database = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="Threads share SQLite's database in memory"
)


def in_thread(work):
    """Call it in a thread; the database connection of that thread ends with it."""

    def call(*args):
        try:
            return work(*args)
        finally:
            connection.close()

    return call


@on_shared_database
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_one_gets_the_chunk(gateway):
    make_session(gateway)
    chunk = make_chunk()
    barrier = threading.Barrier(20, timeout=DEADLINE)

    def claim(number):
        mine = fresh(chunk)
        barrier.wait()
        return mine.claim()

    with ThreadPoolExecutor(20) as pool:
        claims = list(pool.map(in_thread(claim), range(20)))
    assert claims.count(True) == 1


class SlowTransport(OutboxTransport):
    """Goes on sending until a test ends it."""

    began, over = threading.Event(), threading.Event()

    def send(self, body, recipients):
        self.began.set()
        assert self.over.wait(DEADLINE)
        for recipient in recipients:
            yield recipient, SENT


@on_shared_database
@pytest.mark.django_db(transaction=True)
def test_the_claim_is_renewed_for_as_long_as_a_batch_takes(gateway, transport, settings):
    make_session(gateway)
    chunk = make_chunk()
    transport(SlowTransport)
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_lease": 1}
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(in_thread(deliver), chunk.pk)
        try:
            assert SlowTransport.began.wait(DEADLINE)
            first = fresh(chunk).claimed_until
            # After so many renewals the first lease would have expired long ago.
            while fresh(chunk).claimed_until < first + timedelta(seconds=2):
                assert deliver(chunk.pk) is not None
        finally:
            SlowTransport.over.set()
        assert work.result(DEADLINE) is None
    assert fresh(chunk).sent == 1


class StuckTransport(OutboxTransport):
    """Hangs with the first message, and serves the others."""

    began, over = threading.Event(), threading.Event()

    def send(self, body, recipients):
        if not self.began.is_set():
            self.began.set()
            assert self.over.wait(DEADLINE)
        return super().send(body, recipients)


@on_shared_database
@pytest.mark.django_db(transaction=True)
def test_a_chunk_whose_batch_has_outlived_every_bound_goes_to_another_worker(
    gateway, transport, settings, caplog
):
    make_session(gateway)
    chunk = make_chunk()
    transport(StuckTransport)
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "task_lease": 1, "send_timeout": 2}
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(in_thread(deliver), chunk.pk)
        try:
            assert StuckTransport.began.wait(DEADLINE)
            first = fresh(chunk).claimed_by
            until = time.monotonic() + DEADLINE
            while deliver(chunk.pk) is not None:
                assert time.monotonic() < until
                StuckTransport.over.wait(0.1)
        finally:
            StuckTransport.over.set()
        assert work.result(DEADLINE) is None
    assert first
    assert (fresh(chunk).sent, fresh(chunk).reached) == (1, 1)
    assert "has hung" in caplog.text
    assert "Another worker has taken over" in caplog.text


@pytest.mark.parametrize(
    ("chosen", "seconds"),
    [({}, 600), ({"send_timeout": 30}, 30), ({"max_send_rate": 1}, 600 + 2500)],
)
def test_a_batch_may_take_as_long_as_its_sending_can(settings, chosen, seconds):
    settings.WEBSOCKETS = chosen
    assert longest_batch() == seconds
