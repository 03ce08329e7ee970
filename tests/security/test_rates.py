"""How often one client may connect and send: what a rate is, who is counted, and where."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe

import pytest
from django.core.cache.backends.locmem import LocMemCache

from django_aws_api_gateway_websockets.exceptions import ConfigurationError
from django_aws_api_gateway_websockets.security.rates import Rate

LOCAL_MEMORY = "django.core.cache.backends.locmem.LocMemCache"

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(autouse=True)
def count_in(settings):
    """``count_in(backend)`` counts in another cache; without it, in memory of the test's own."""

    def put(backend, location):
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}

    put(LOCAL_MEMORY, token_urlsafe())
    return put


def ask(rate, times, key="somebody"):
    return [Rate.parse(rate).wait_for(key) for _ in range(times)]


# What a rate is


@pytest.mark.parametrize(
    ("text", "limit", "seconds"),
    [("1/s", 1, 1), ("30/m", 30, 60), ("5/h", 5, 3600), ("100/d", 100, 86400)],
)
def test_a_rate_is_a_number_and_a_period(text, limit, seconds):
    assert Rate.parse(text) == (limit, seconds)


NO_RATES = [
    *("0/m", "m", "/m", "30/w", "30/min", "30/M", "30", "-1/m", "+1/m", "1.5/s", "1e3/s", ""),
    *("030/m", "1_000/m", "٣/m", "1٣/m", " 30/m", "30/m ", "30/m\n", "30 /m", "30/m/s"),
    *("9999999999/d", None, 30, 30.5, ("30/m",), b"30/m"),
]


@pytest.mark.parametrize("text", NO_RATES, ids=repr)
def test_anything_else_is_the_sites_mistake_and_the_error_shows_a_rate(text):
    with pytest.raises(ConfigurationError, match=r'is not a rate\. Write "30/m"'):
        Rate.parse(text)


# How it is counted


def test_so_many_get_through_and_all_others_wait_for_the_same_moment():
    first, second, third, *others = ask("3/m", 10)
    assert (first, second, third) == (None, None, None)
    assert set(others) == {others[0]}
    assert 1 <= others[0] <= 60


@pytest.mark.parametrize("period", ["s", "m", "h", "d"])
def test_who_has_waited_as_long_as_it_says_gets_through_and_no_sooner(clock, period):
    _, wait = ask(f"1/{period}", 2)
    clock.now += wait - 1
    assert ask(f"1/{period}", 1) == [1]
    clock.now += 1
    assert ask(f"1/{period}", 1) == [None]


def test_attempts_in_vain_do_not_make_the_wait_longer(clock):
    _, first, *others = ask("1/m", 100)
    waits = others[-1:]
    for _ in range(first):
        clock.now += 1
        waits += ask("1/m", 1)
    assert waits == [*range(first, 0, -1), None]


def test_whatever_the_moment_no_more_than_twice_the_limit_get_through_in_a_period(clock):
    through = []
    for second in range(600):
        through += [second for wait in ask("5/m", 7) if wait is None]
        clock.now += 1
    crowds = [sum(start <= second < start + 60 for second in through) for start in range(540)]
    assert max(crowds) <= 10
    assert 50 <= len(through) <= 55


def test_the_windows_of_two_clients_begin_at_different_moments():
    waits = {ask("1/h", 2, key)[1] for key in ("alice", "bob", "carol")}
    assert len(waits) == 3


def test_a_client_waits_for_nobody_else():
    assert ask("1/m", 1, "alice") == ask("1/m", 1, "bob") == [None]


def test_rates_of_one_period_share_the_count_and_those_of_different_ones_do_not():
    assert ask("5/m", 5) == [None] * 5
    assert ask("6/m", 2)[0] is None
    assert ask("7/m", 1) != [None]
    assert ask("1/h", 1) == [None]


@pytest.mark.parametrize("key", ["", "two words\n\0", "Zürich ☕", "x" * 1000])
def test_a_key_may_be_any_text(key):
    """Memcached takes few of them, and Django warns of the others, which is an error here."""
    first, second = ask("1/m", 2, key)
    assert first is None
    assert second is not None


# Where it is counted


class ForgetfulCache(LocMemCache):
    """Drops an entry in the moment before it is counted up, as any cache may, once."""

    forgets = iter(())

    def incr(self, key, delta=1, version=None):
        if next(self.forgets, False):
            self.delete(key, version=version)
        return super().incr(key, delta, version)


def test_a_count_that_the_cache_drops_meanwhile_begins_anew(count_in, monkeypatch):
    count_in(f"{__name__}.ForgetfulCache", token_urlsafe())
    monkeypatch.setattr(ForgetfulCache, "forgets", iter([True]))
    answers = [wait is None for wait in ask("2/m", 4)]
    assert answers == [True, True, True, False]


def test_a_cache_of_files_counts_to_the_end_of_the_window(count_in, clock, tmp_path):
    """Its ``incr`` would set the cache's own TIMEOUT, five minutes, in place of the rate's."""
    count_in("django.core.cache.backends.filebased.FileBasedCache", str(tmp_path))
    clock.now += ask("2/h", 3)[-1]
    first, second, wait = ask("2/h", 3)
    assert (first, second, wait) == (None, None, 3600)
    clock.now += 301
    assert ask("2/h", 1) == [3299]


def test_of_many_at_once_exactly_the_limit_get_through():
    barrier = threading.Barrier(50, timeout=30)

    def attempts(_):
        barrier.wait()
        return ask("300/d", 20)

    with ThreadPoolExecutor(50) as pool:
        waits = [wait for found in pool.map(attempts, range(50)) for wait in found]
    assert (len(waits), waits.count(None)) == (1000, 300)
