"""Two workers share a broadcast, and one is killed half-way: who gets the message, how often.

They run on a real Redis with Celery, and on the database backend of Django's tasks. The database
must be one that processes share: TEST_DATABASE=postgresql or mariadb.

TEST_REDIS_URL    redis://127.0.0.1:6379/15
"""

from __future__ import annotations

import os
import time
from collections import Counter
from secrets import token_urlsafe

import django
import pytest
from django.db import connection

from django_aws_api_gateway_websockets.broadcasts.worker import BATCH_SIZE
from django_aws_api_gateway_websockets.models import Broadcast, WebSocketSession
from tests.factories import make_created_gateway
from tests.workers.edge import DEADLINE, PostingEdge
from tests.workers.world import BROADCAST, World, kill, kill_children

pytestmark = pytest.mark.django_db(transaction=True)

RECIPIENTS = 20_000
#: Enough for several chunks, where their number proves no more.
FEWER = 4_000

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


@pytest.fixture(autouse=True)
def _shared_database():
    if connection.vendor == "sqlite":
        pytest.skip("Processes do not share SQLite's database in memory")


@pytest.fixture
def celery():
    pytest.importorskip("celery")
    redis = pytest.importorskip("redis")
    prefix = f"{token_urlsafe()}:"
    with redis.Redis.from_url(REDIS) as server:
        try:
            server.ping()
        except redis.ConnectionError:
            pytest.skip(f"No Redis at {REDIS}")
        yield World("celery", prefix, REDIS)
        if keys := list(server.scan_iter(f"{prefix}*")):
            server.delete(*keys)


@pytest.fixture
def django_tasks():
    pytest.importorskip("django_tasks_db")
    if django.VERSION < (6,):
        pytest.importorskip("django_tasks")
    world = World("django", "", "")
    world.run("-m", "django", "migrate", "django_tasks_database", "--verbosity=0")
    # The tables stay, since their migrations cannot be taken back.
    yield world
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_tasks_database_dbtaskresult")


@pytest.fixture(params=["celery", "django_tasks"])
def world(request):
    return request.getfixturevalue(request.param)


def make_everybody(count):
    """The connection ids of so many sessions."""
    gateway = make_created_gateway()
    ids = [f"c{number}=" for number in range(count)]
    WebSocketSession.objects.bulk_create(
        (WebSocketSession(connection_id=id_, api_gateway=gateway) for id_ in ids), batch_size=1000
    )
    return set(ids)


def wait_for(broadcast):
    """Wait until everything is done, which nothing but the database tells."""
    deadline = time.monotonic() + DEADLINE
    while not broadcast.is_finished:
        assert time.monotonic() < deadline, broadcast.report
        time.sleep(0.1)


def step_of(broadcast, posted):
    """The connection ids of the step in which this one was posted."""
    pk = WebSocketSession.objects.get(connection_id=posted).pk
    (keys,) = [chunk.recipients for chunk in broadcast.chunks.all() if pk in chunk.recipients]
    start = keys.index(pk) // BATCH_SIZE * BATCH_SIZE
    step = WebSocketSession.objects.filter(pk__in=keys[start : start + BATCH_SIZE])
    return set(step.values_list("connection_id", flat=True))


def broadcast_with_a_kill(world, at_most_once):
    """Broadcast to everybody, kill worker 0 half-way; when all is done, what and who posted."""
    with PostingEdge(workers=2) as edge, world.workers(edge.urls) as workers:
        broadcast = Broadcast.objects.get(pk=world.run("-c", BROADCAST, str(at_most_once)))
        # Both work.
        edge.wait_until_held(0)
        edge.wait_until_held(1)
        edge.hold_from(broadcast.size // 2)
        edge.wait_until_held(0)
        kill(workers[0])
        edge.release()
        wait_for(broadcast)
    return broadcast, edge


def test_each_recipient_gets_it_and_twice_only_in_the_step_under_way(world):
    everybody = make_everybody(RECIPIENTS)
    broadcast, edge = broadcast_with_a_kill(world, at_most_once=False)
    received = Counter(connection_id for _, connection_id in edge.posts)
    of_the_dead = edge.posted_by(0)
    in_doubt = step_of(broadcast, of_the_dead[-1]) & set(of_the_dead)
    assert set(received) == everybody
    assert {id_ for id_, times in received.items() if times > 1} == in_doubt
    assert max(received.values()) == 2
    assert (broadcast.report.sent, broadcast.reached) == (RECIPIENTS, RECIPIENTS)


def test_at_most_once_only_recipients_of_the_step_under_way_miss_it(world):
    everybody = make_everybody(FEWER)
    broadcast, edge = broadcast_with_a_kill(world, at_most_once=True)
    received = Counter(connection_id for _, connection_id in edge.posts)
    of_the_dead = edge.posted_by(0)
    step = step_of(broadcast, of_the_dead[-1])
    assert set(received.values()) == {1}
    assert everybody - set(received) == step - set(of_the_dead)
    assert (broadcast.report.sent, broadcast.reached) == (FEWER - len(step), FEWER)


def test_celery_runs_the_task_of_a_killed_process_again(celery):
    celery.variables["WORKERS_VISIBILITY"] = "3600"
    everybody = make_everybody(FEWER)
    with PostingEdge(workers=1) as edge, celery.workers(edge.urls) as workers:
        broadcast = Broadcast.objects.get(pk=celery.run("-c", BROADCAST, "False"))
        edge.wait_until_held(0)
        kill_children(workers[0])
        edge.release()
        wait_for(broadcast)
    assert set(edge.posted_by(0)) == everybody
    assert broadcast.report.sent == FEWER
