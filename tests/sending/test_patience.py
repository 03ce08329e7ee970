"""Patience: how long a message waits for those who hang, all of them together."""

from __future__ import annotations

import random
from functools import partial

import pytest

from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import Recipient
from django_aws_api_gateway_websockets.sending.sockets.engine import IN_FLIGHT
from tests.sending.simulated import HANGS, THROTTLED, UNREACHABLE, SimulatedAws, recipients

#: API Gateway gives a handler 29 seconds.
HANDLER = 29


@pytest.fixture
def aws(monkeypatch):
    return partial(SimulatedAws, monkeypatch, capacity=IN_FLIGHT)


def those(ids, answer):
    """Let these connections, by their numbers, be answered like this, and the others well."""
    return lambda connection_id, tries: answer if int(connection_id) in ids else None


def shuffled(number):
    everybody = recipients(number)
    random.Random(1).shuffle(everybody)  # noqa: S311 - the same order each time
    return everybody


def seconds(world):
    return world.now - 1000.0


@pytest.mark.parametrize("others", [0, 1, 200, 5000])
@pytest.mark.parametrize("hanging", [1, 10, 300])
@pytest.mark.parametrize("order", [recipients, shuffled], ids=["first", "anywhere"])
def test_clients_that_hang_take_no_handler_past_29_seconds(aws, hanging, others, order):
    world = aws(refuses=those(range(hanging), HANGS))
    report = world.send(order(hanging + others))
    assert (report.sent, report.reasons) == (others, {"ReadTimeoutError": hanging})
    assert seconds(world) < HANDLER


@pytest.mark.parametrize("order", [recipients, shuffled], ids=["first", "anywhere"])
def test_a_call_that_shares_its_connections_is_in_time_too(aws, order):
    world = aws(capacity=146, refuses=those(range(300), HANGS))
    report = world.send(order(2000))
    assert (report.sent, report.failed) == (1700, 300)
    assert seconds(world) < HANDLER


@pytest.mark.parametrize("begins_at", [17, 22, 26.9])
def test_a_client_that_is_tried_late_is_not_waited_for_past_29_seconds(aws, begins_at):
    number = int(begins_at * 100)
    world = aws(capacity=2, latency=0.02, refuses=those({number}, HANGS))
    report = world.send(number + 1)
    assert (report.sent, report.failed) == (number, 1)
    assert begins_at < seconds(world) < HANDLER


def test_a_client_of_a_long_message_is_waited_for_as_long_as_any(aws):
    world = aws(capacity=2, latency=0.02, refuses=those({5000}, HANGS))
    report = world.send(5001)
    assert (report.sent, report.failed) == (5000, 1)
    assert 50 + 24 < seconds(world) < 50 + 26


def test_recipients_that_are_throttled_have_their_time_nevertheless(aws):
    world = aws(latency=1, refuses=lambda connection_id, tries: THROTTLED if tries < 9 else None)
    report = world.send(20, tries=9, within=40, delay=2)
    assert report.sent == 20
    assert seconds(world) > HANDLER - 10


@pytest.mark.parametrize("number", [1, 300, 3000])
@pytest.mark.parametrize("answer", [UNREACHABLE, HANGS], ids=["unreachable", "hangs"])
def test_an_endpoint_that_nobody_gets_an_answer_of_is_given_up_in_time(aws, number, answer):
    world = aws(refuses=lambda connection_id, tries: answer)
    report = world.send(number)
    assert report.reasons == {answer.code: number}
    assert seconds(world) < HANDLER


def test_of_an_unreachable_endpoint_those_alone_are_tried_who_found_it_out(aws):
    world = aws(refuses=lambda connection_id, tries: UNREACHABLE)
    world.send(3000)
    assert len(world.tries) <= IN_FLIGHT


def test_an_endpoint_that_comes_back_serves_those_who_waited(aws):
    world = aws(refuses=lambda connection_id, tries: UNREACHABLE if seconds(world) < 12 else None)
    assert world.send(3000).sent == 3000
    assert seconds(world) < 20


OTHER = Endpoint("https://b2.execute-api.eu-west-1.amazonaws.com/production", "eu-west-1")


def test_an_unreachable_endpoint_fails_nobody_of_another(aws):
    world = aws(refuses=those(range(1000), UNREACHABLE))
    others = [Recipient(f"{n}", OTHER) for n in range(1000, 2000)]
    mixed = [one for pair in zip(recipients(1000), others) for one in pair]
    report = world.send(mixed)
    assert (report.sent, report.reasons) == (1000, {"ConnectTimeoutError": 1000})
    assert seconds(world) < HANDLER


@pytest.mark.parametrize("answer", [HANGS, UNREACHABLE])
def test_a_few_that_hang_give_up_nobody(aws, answer):
    world = aws(capacity=2, refuses=those(range(6), answer))
    report = world.send(106)
    assert report.sent == 100
