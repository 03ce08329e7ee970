"""Sending from asynchronous code: the loop, the ORM's thread and what is cancelled."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, connections
from django.http import HttpResponse
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import path

from django_aws_api_gateway_websockets.exceptions import MessageTooLarge
from django_aws_api_gateway_websockets.models import WebSocketSession
from tests.edge import DEADLINE
from tests.factories import make_session
from tests.overheard import marking, verbs

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("room", "transport"),
]

sessions = WebSocketSession.objects


@pytest.fixture
def run():
    """``run(coroutine)`` in a loop of its own, as a program's asyncio.run does."""

    async def to_the_end(coroutine):
        try:
            return await coroutine
        finally:
            # The thread of the ORM has a connection of its own, which nobody else closes.
            await sync_to_async(connections.close_all)()

    return lambda coroutine: asyncio.run(to_the_end(coroutine))


async def one(connection_id="a"):
    return await sessions.select_related("api_gateway").aget(connection_id=connection_id)


async def to_a_session():
    return await (await one()).asend_message("x")


async def to_a_session_without_its_gateway():
    return await (await sessions.aget(connection_id="a")).asend_message("x")


async def to_a_queryset():
    return await sessions.filter(connection_id="a").asend_message("x")


async def to_the_manager():
    return await sessions.asend_message("x")


async def to_a_gateway():
    return await (await one()).api_gateway.sessions.asend_message("x")


async def text_to_a_session():
    return await (await one()).asend_text("<p>")


async def text_to_the_manager():
    return await sessions.asend_text("<p>")


SENDERS = {
    to_a_session: 1,
    to_a_session_without_its_gateway: 1,
    to_a_queryset: 1,
    to_the_manager: 3,
    to_a_gateway: 3,
    text_to_a_session: 1,
    text_to_the_manager: 3,
}


@pytest.fixture
def shared_memory():
    """Skips on SQLite in memory, of which each thread would have another one."""
    if connection.vendor == "sqlite":
        pytest.skip("Another thread has another SQLite in memory")


@pytest.mark.parametrize("send", SENDERS, ids=lambda send: send.__name__)
def test_it_sends_under_async_to_sync(edge, send):
    assert async_to_sync(send)().sent == SENDERS[send]
    assert len(edge.requests) == SENDERS[send]


@pytest.mark.usefixtures("shared_memory")
@pytest.mark.parametrize("send", SENDERS, ids=lambda send: send.__name__)
def test_it_sends_in_a_loop_of_its_own(edge, run, send):
    assert run(send()).sent == SENDERS[send]
    assert len(edge.requests) == SENDERS[send]


def test_it_sends_in_a_request(edge, settings):
    async def view(request):
        report = await sessions.asend_message("x")
        return HttpResponse(f"{report.sent} {report.gone}")

    settings.ROOT_URLCONF = (path("", view),)
    edge.when("/b$", 410)
    sessions.update(request_count=2)

    async def get():
        return await AsyncClient().get("/")

    response = async_to_sync(get)()
    assert response.content == b"2 1"
    assert not sessions.get(connection_id="b").connected


@pytest.mark.parametrize("send", SENDERS, ids=lambda send: send.__name__)
def test_rows_of_those_that_are_gone_are_marked(edge, send):
    sessions.update(request_count=2)
    edge.when("/a$", 410)
    assert async_to_sync(send)().gone == 1
    assert not sessions.get(connection_id="a").connected


def test_its_statements_run_where_those_of_the_orm_do(edge):
    sessions.update(request_count=2)
    edge.when("@connections", 410)
    with CaptureQueriesContext(connection) as queries:
        assert async_to_sync(to_the_manager)().gone == 3
    assert verbs(queries) == ["SELECT", *marking(batches=1, rows=3)]


def test_a_bad_message_is_raised(edge):
    with pytest.raises(MessageTooLarge):
        async_to_sync(sessions.all().asend_message)("x" * 200_000)
    assert edge.requests == []


@pytest.mark.parametrize("method", ["asend_message", "asend_text"])
def test_progress_is_told(edge, method):
    told = []
    everybody = sessions.all()
    send = getattr(everybody, method)
    async_to_sync(send)("x", progress=lambda *words: told.append(words))
    assert told[-1] == (3, 3)


def test_who_has_gone_is_marked_even_if_the_progress_callback_raises(edge):
    sessions.update(request_count=2)
    edge.when("/a$", 410)

    def interrupt(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async_to_sync(sessions.all().asend_message)("x", progress=interrupt)
    assert not sessions.get(connection_id="a").connected


async def arrived(answer):
    while not answer.arrived.is_set():
        await asyncio.sleep(0.001)


async def requests(edge, number):
    while len(edge.requests) < number:
        await asyncio.sleep(0.001)


def test_neither_the_loop_nor_the_orm_waits_for_the_network(edge):
    held = edge.when("@connections", hold=True)

    async def meanwhile():
        task = asyncio.ensure_future(sessions.asend_message("x"))
        await asyncio.wait_for(arrived(held), DEADLINE)
        ticks = 0
        for _ in range(10):
            await asyncio.sleep(0)
            ticks += 1
        number = await asyncio.wait_for(sessions.acount(), DEADLINE)
        assert not task.done()
        held.release.set()
        return ticks, number, (await task).sent

    assert async_to_sync(meanwhile)() == (10, 4, 3)


def test_many_at_the_same_time_all_arrive(edge):
    async def all_at_once():
        return await asyncio.gather(*[sessions.asend_message(n) for n in range(10)])

    reports = async_to_sync(all_at_once)()
    assert [report.sent for report in reports] == [3] * 10
    assert sorted(request.json for request in edge.requests) == sorted(list(range(10)) * 3)


def test_who_stops_waiting_breaks_nothing(edge):
    sessions.update(request_count=2)
    held = edge.when("/a$", 410, hold=True)

    async def impatient():
        task = asyncio.ensure_future(sessions.asend_message("first"))
        await asyncio.wait_for(arrived(held), DEADLINE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        second = await sessions.exclude(connection_id="a").asend_message("second")
        held.release.set()
        # Sending that has begun ends in its own thread.
        await asyncio.wait_for(requests(edge, 5), DEADLINE)
        # No task waits for it to mark the row. The next message marks it.
        assert await sessions.filter(connection_id="a", connected=True).aexists()
        third = await sessions.asend_message("third")
        return second.sent, third.sent, third.gone

    assert async_to_sync(impatient)() == (2, 2, 1)
    assert not sessions.get(connection_id="a").connected
    reached = sorted((r.json, r.connection_id) for r in edge.requests)
    names = {"first": "abc", "second": "bc", "third": "abc"}
    assert reached == [(text, name) for text in names for name in names[text]]


@pytest.mark.usefixtures("shared_memory")
def test_a_program_that_ends_while_it_is_cancelled_comes_to_its_end(edge, run):
    held = edge.when("/a$", hold=True)

    async def impatient():
        task = asyncio.ensure_future(sessions.asend_message("first"))
        await asyncio.wait_for(arrived(held), DEADLINE)
        task.cancel()
        held.release.set()
        await asyncio.wait_for(requests(edge, 3), DEADLINE)

    run(impatient())
    assert (make_session(None).connected, len(edge.requests)) == (True, 3)
