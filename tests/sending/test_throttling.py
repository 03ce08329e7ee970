"""A broadcast on which AWS's throttling falls, in simulated time: one client's, the account's."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from django_aws_api_gateway_websockets.sending.exchanges import Answer
from django_aws_api_gateway_websockets.sending.pace import pace
from tests.sending.simulated import THROTTLED, SimulatedAws, recipients

pytestmark = pytest.mark.once

#: A process with 64 requests in flight and 20 ms for each sends so many a second, unless slowed.
FULL_SPEED = 3200


@pytest.fixture
def aws(monkeypatch):
    return partial(SimulatedAws, monkeypatch)


def slow(refusals):
    """Every tenth client refuses its message so many times."""
    return lambda connection_id, tries: (
        THROTTLED if connection_id.endswith("0") and tries <= refusals else None
    )


def refused(requests):
    return sum(status == 429 for _, _, status in requests)


def let_through(requests):
    return sum(status == 200 for _, _, status in requests)


# One client's


@pytest.mark.parametrize("refusals", [1, 2, 3, 4])
def test_slow_clients_get_it_in_the_end_and_cost_the_others_nothing(aws, refusals):
    world = aws(refuses=slow(refusals))
    report = world.send(5000)
    assert report.sent == report.total == 5000
    assert len(world.requests) == 5000 + 500 * refusals
    assert not pace().is_throttled
    others = [time for time, connection_id, _ in world.requests if not connection_id.endswith("0")]
    assert max(others) - 1000 < 5000 / FULL_SPEED * (1 + 0.1 * refusals) + 0.2


def test_clients_that_stay_slow_are_given_up_after_five_tries(aws):
    world = aws(refuses=slow(99))
    report = world.send(5000)
    assert (report.sent, report.reasons) == (4500, {"LimitExceededException": 500})
    assert {world.tries[r.connection_id] for r in recipients(5000)} == {1, 5}
    assert not pace().is_throttled
    assert world.now - 1000 < 10


def test_slow_clients_as_many_as_there_are_places_hold_up_nobody(aws):
    world = aws(capacity=2, refuses=slow(99))
    world.send(500)
    first_done = [connection_id for _, connection_id, _ in world.requests[:300]]
    assert len(set(first_done)) > 200
    assert world.now - 1000 < 20


def test_a_recipient_is_not_tried_for_longer_than_its_time(aws):
    world = aws(refuses=lambda connection_id, tries: Answer(503, "503", is_transient=True))
    report = world.send(1, tries=1000, within=30)
    assert report.reasons == {"503": 1}
    assert 30 <= world.now - 1000 < 34


def test_the_pauses_grow_and_are_not_the_same_for_all(aws):
    world = aws(refuses=lambda connection_id, tries: THROTTLED)
    world.send(20)
    pauses = {n: [] for n in range(4)}
    for r in recipients(20):
        times = [time for time, name, _ in world.requests if name == r.connection_id]
        for n, (before, after) in enumerate(zip(times, times[1:])):
            pauses[n].append(after - before)
    means = [sum(p) / len(p) for p in pauses.values()]
    assert all(2 * 0.6 < later / before < 2 * 1.6 for before, later in zip(means, means[1:]))
    assert all(max(p) > min(p) * 1.1 for p in pauses.values())


def test_others_are_served_before_a_slow_one_is_tried_again(aws):
    world = aws(capacity=2, latency=0.001, refuses=lambda name, tries: name == "0" and THROTTLED)
    world.send(51)
    names = [connection_id for _, connection_id, _ in world.requests]
    assert set(names[: names.index("0", 1)]) == {str(n) for n in range(51)}


# The account's


@pytest.mark.parametrize(
    ("quota", "capacity", "latency"),
    [(200, 64, 0.02), (2000, 64, 0.02), (500, 256, 0.2), (250, 256, 0.02), (10_000, 256, 0.02)],
)
def test_a_throttled_broadcast_slows_down_to_the_quota(aws, quota, capacity, latency):
    world = aws(quota=quota, burst=quota / 2, capacity=capacity, latency=latency)
    report = world.send(quota * 10)
    assert report.sent == report.total == quota * 10
    flood = 0.3 * capacity / latency  # Until enough is known.
    assert len(world.requests) < quota * 10 * 1.5 + flood
    settled = world.between(4, 8)
    assert let_through(settled) > 0.85 * quota * 4
    assert refused(settled) < 0.35 * len(settled)


def test_a_thousand_get_through_a_narrow_quota_with_less_than_two_requests_each(aws):
    world = aws(quota=200, burst=50)
    report = world.send(1000)
    assert report.sent == report.total == 1000
    assert len(world.requests) < 2000


@pytest.mark.parametrize("latency", [0.002, 0.02, 0.05])
@pytest.mark.parametrize(("number", "quota"), [(300, 50), (500, 200), (3000, 1000)])
def test_a_broadcast_that_is_short_and_fast_gets_through_too(aws, number, quota, latency):
    world = aws(quota=quota, burst=quota / 4, capacity=256, latency=latency)
    assert world.send(number).sent == number
    assert len(world.requests) < number * 3
    assert world.now - 1000 < number / quota * 1.5


@pytest.mark.parametrize("quota", [2300, 2700, 3000])
def test_a_quota_that_is_missed_by_little_costs_nobody_the_message(aws, quota):
    world = aws(quota=quota, burst=100)
    report = world.send(20_000)
    assert report.failed <= 10  # One in 1,000 may have bad luck five times.
    assert len(world.requests) < 20_000 * 1.3


def test_it_recovers_when_aws_lets_more_through(aws):
    world = aws(quota=200)
    world.at(3, partial(setattr, world, "quota", 2000))
    assert world.send(6000).sent == 6000
    assert let_through(world.between(1, 3)) < 200 * 3
    assert let_through(world.between(4, 6)) > 2000 * 2 * 0.6


def test_it_follows_a_quota_that_falls(aws):
    world = aws(quota=1500)
    world.at(2, partial(setattr, world, "quota", 100))
    assert world.send(5000).sent == 5000
    settled = world.between(4, 20)
    assert let_through(settled) > 0.85 * 100 * 16
    assert refused(settled) < 0.35 * len(settled)


def test_seconds_in_which_nothing_gets_through_cost_nobody_the_message(aws):
    world = aws(quota=1500)
    world.at(1, partial(setattr, world, "quota", 0))
    world.at(3, partial(setattr, world, "quota", 1500))
    assert world.send(6000).sent == 6000
    assert len(world.between(1.5, 3)) < 0.05 * FULL_SPEED * 1.5


def test_slow_clients_during_the_account_s_throttling_do_not_stop_it(aws):
    world = aws(quota=200, refuses=slow(10**6))
    report = world.send(2000)
    assert (report.sent, report.failed) == (1800, 200)
    assert Counter(report.reasons) == {"LimitExceededException": 200}
    assert world.now - 1000 < 120


def test_after_a_throttled_broadcast_the_next_one_starts_at_full_speed(aws):
    world = aws(quota=200)
    world.send(1000)
    world.quota = None
    world.now += 60
    started = world.now
    world.send(5000)
    assert world.now - started < 5000 / FULL_SPEED + 1


def test_broadcasts_of_one_process_share_what_they_learn(aws):
    first = aws(quota=200)
    first.send(1000)
    second = aws(quota=200)
    second.now = first.now
    second.send(400)
    assert refused(second.requests) < 200


# The process's own


def test_max_send_rate_bounds_a_broadcast(aws, settings):
    settings.WEBSOCKETS = {"max_send_rate": 500}
    world = aws(quota=600, burst=60)
    assert world.send(5000).sent == 5000
    assert refused(world.requests) == 0
    assert world.now - 1000 == pytest.approx(5000 / 500, rel=0.05)


def test_permits_of_which_no_use_is_made_are_not_lost(aws, settings):
    settings.WEBSOCKETS = {"max_send_rate": 50}
    world = aws(refuses=slow(1))
    world.send(50)
    assert world.now - 1000 < 55 / 50 + 0.3


# To the end


def test_nobody_is_waited_for_when_all_are_done(aws):
    world = aws()
    world.send([])
    assert world.now == 1000
    world.send(64)
    assert world.now - 1000 == pytest.approx(0.02)


@pytest.mark.parametrize("is_throttled", [False, True])
def test_at_the_deadline_those_not_served_are_out_of_time(aws, is_throttled):
    world = aws(quota=10 if is_throttled else None, capacity=10, latency=0.5)
    report = world.send(1000, send_timeout=3)
    assert report.total == 1000
    assert report.reasons["Out of time"] > 900
    assert report.sent > 20
    assert world.now - 1000 < 4


def test_after_the_deadline_answers_are_waited_for_without_haste(aws):
    world = aws(latency=5)
    waits = []
    wait = world.wait
    world.wait = lambda seconds: waits.append(seconds) or wait(seconds)
    assert world.send(10, send_timeout=1).sent == 10
    assert len(waits) < 10
