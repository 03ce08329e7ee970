"""How fast a process may send, told with times that are made up."""

from __future__ import annotations

import threading

import pytest

from django_aws_api_gateway_websockets.sending.pace import BURST, MEMORY, MIN_RATE, Pace, Sample
from django_aws_api_gateway_websockets.sending.pace import pace as process_pace

NOON = 43_200.0


@pytest.fixture
def cap(settings):
    def at(rate):
        settings.WEBSOCKETS = {"max_send_rate": rate}
        return process_pace()

    return at


def taken(pace, start, end, step=0.001, wanted=10):
    """How many messages leave if more are always there."""
    steps = int((end - start) / step)
    return sum(pace.reserve(wanted, start + n * step) for n in range(steps))


def answer(pace, start, end, *, rate=1000, refused=0.0, step=0.01):
    """Note answers to messages that leave evenly, a share of which is refused, from then on."""
    steps = int((end - start) / step)
    each = int(rate * step)
    for n in range(steps):
        now = start + n * step
        pace.note([Sample(now, i < each * refused, True) for i in range(each)], now)


def throttled(pace, at=NOON):
    """Bring it down to 80 % of the half of 1,000 that is let through."""
    answer(pace, at, at + 0.13, refused=0.5)
    assert pace.is_throttled
    return rate_of(pace, at + 0.2)


def rate_of(pace, now):
    pace.reserve(10_000, now)
    pace.reserve(10_000, now + 1)  # A burst: from here on it is even.
    return taken(pace, now + 1, now + 3) / 2


# The cap


def test_without_a_cap_all_may_leave_at_once():
    pace = Pace()
    assert pace.reserve(100_000, NOON) == 100_000
    assert pace.delay(NOON) == 0


@pytest.mark.parametrize("rate", [0.5, 10, 1250, 10_000])
def test_no_more_than_the_cap_leave_in_any_time(cap, rate):
    pace = cap(rate)
    seconds = max(2, 4 / rate)
    assert taken(pace, NOON, NOON + seconds) == pytest.approx(rate * seconds, rel=0.1, abs=1)


def test_the_delay_is_the_time_to_the_next_message(cap):
    pace = cap(10)
    while pace.reserve(10, NOON):
        pass
    delay = pace.delay(NOON)
    assert 0 < delay <= 0.1
    assert pace.reserve(1, NOON + delay - 0.01) == 0
    assert pace.reserve(1, NOON + delay + 0.01) == 1


def test_what_was_not_sent_for_a_while_may_leave_at_once_up_to_a_burst(cap):
    pace = cap(1000)
    pace.reserve(1, NOON)
    assert pace.reserve(10_000, NOON + 3600) == pytest.approx(1000 * BURST, abs=2)
    assert pace.reserve(10_000, NOON + 3600) <= 1


def test_what_is_given_back_may_leave_now(cap):
    pace = cap(1000)
    pace.reserve(1, NOON)
    allowed = pace.reserve(50, NOON + 1)
    pace.give_back(allowed - 1)
    assert pace.reserve(allowed - 1, NOON + 1) == allowed - 1


def test_a_cap_that_is_changed_counts_from_then_on(cap):
    pace = cap(10)
    pace.reserve(1, NOON)
    cap(1000)
    assert taken(pace, NOON + 1, NOON + 2) == pytest.approx(1000, rel=0.15)


def test_threads_share_the_cap(cap):
    pace = cap(100)
    total = []

    def work():
        total.append(taken(pace, NOON, NOON + 2))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each goes through the same two seconds at its own time: so all of them come to one's worth.
    assert sum(total) <= 100 * 2 + 100 * BURST + 1


# What throttling teaches


def test_a_few_refusals_among_many_leave_the_pace_alone():
    pace = Pace()
    answer(pace, NOON, NOON + 60, refused=0.1)
    assert not pace.is_throttled


def test_refusals_in_a_small_room_are_its_clients_own():
    pace = Pace()
    pace.note([Sample(NOON, True, True)] * 30, NOON)
    pace.note([], NOON + 0.2)
    assert not pace.is_throttled


def test_many_refusals_slow_everything_down_within_a_fifth_of_a_second():
    pace = Pace()
    answer(pace, NOON, NOON + 0.2, refused=0.5)
    assert pace.is_throttled


def test_refusals_that_are_over_in_a_moment_count_when_the_next_answer_comes():
    pace = Pace()
    pace.note([Sample(NOON, True, True)] * 300, NOON)
    assert not pace.is_throttled
    pace.note([], NOON + 0.11)
    assert pace.is_throttled


def test_the_rate_becomes_a_little_less_than_what_was_let_through():
    assert throttled(Pace()) == pytest.approx(0.8 * 500, rel=0.2)


def test_answers_to_what_had_left_before_count_once():
    pace = Pace()
    rate = throttled(pace)
    left_before = NOON + 0.1
    pace.note([Sample(left_before, True, True)] * 1000, NOON + 0.15)
    pace.note([Sample(left_before, True, True)] * 1000, NOON + 0.35)
    assert rate_of(pace, NOON + 3) == pytest.approx(rate, rel=0.02)


def test_refusals_at_the_lower_rate_bring_it_down_further():
    pace = Pace()
    rate = throttled(pace)
    answer(pace, NOON + 1, NOON + 1.5, refused=0.9)
    assert rate_of(pace, NOON + 2) < rate / 2


def test_something_is_tried_however_much_is_refused():
    pace = Pace()
    throttled(pace)
    answer(pace, NOON + 1, NOON + 60, rate=100, refused=1.0)
    assert rate_of(pace, NOON + 61) == pytest.approx(MIN_RATE, rel=0.1)


def test_slow_clients_do_not_keep_it_down():
    pace = Pace()
    throttled(pace)
    answer(pace, NOON + 1, NOON + 6, refused=0.1)
    assert not pace.is_throttled


def test_it_speeds_up_slowly_at_first_and_then_faster():
    pace = Pace()
    rate = throttled(pace)
    answer(pace, NOON + 4, NOON + 4.3)
    soon = rate_of(pace, NOON + 4.3)
    assert rate < soon < rate * 1.1
    answer(pace, NOON + 8, NOON + 9)
    assert rate_of(pace, NOON + 9) > rate * 1.5


def test_from_the_bottom_it_is_at_full_speed_again_within_seconds():
    pace = Pace()
    throttled(pace)
    answer(pace, NOON + 1, NOON + 60, rate=100, refused=1.0)
    now, seconds = NOON + 60, 0.01
    while pace.is_throttled and now < NOON + 90:
        left = pace.reserve(50, now)
        pace.note([Sample(now, False, True)] * left, now)
        now += seconds
    assert now < NOON + 75


def test_after_some_seconds_of_silence_it_is_forgotten():
    pace = Pace()
    throttled(pace)
    now = NOON + 0.2 + MEMORY
    pace.note([Sample(now, True, True)], now)
    assert not pace.is_throttled


def test_silence_before_the_refusals_does_not_lower_the_rate():
    pace = Pace()
    pace.note([Sample(NOON, False, True)] * 40, NOON)
    pace.note([Sample(NOON + 0.05, False, True)] * 10, NOON + 0.05)
    assert throttled(pace, NOON + 4) == pytest.approx(0.8 * 500, rel=0.2)


def test_the_lower_of_cap_and_throttling_counts(cap):
    pace = cap(100)
    throttled(pace)
    assert rate_of(pace, NOON + 10) == pytest.approx(100, rel=0.05)
