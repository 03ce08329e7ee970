"""On a real Redis the rates count exactly, whoever counts at the same time.

TEST_REDIS_URL    redis://127.0.0.1:6379/15
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe

import pytest

from django_aws_api_gateway_websockets.security.rates import Rate
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.chat import ChatView

URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


@pytest.fixture(autouse=True)
def seconds_left(settings):
    """``seconds_left()``: how long each count of this test will be kept in Redis."""
    redis = pytest.importorskip("redis")
    prefix = token_urlsafe()
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": URL, "KEY_PREFIX": prefix}}
    with redis.Redis.from_url(URL) as server:
        try:
            server.ping()
        except redis.ConnectionError:
            pytest.skip(f"No Redis at {URL}")
        counts = f"{prefix}:*"
        yield lambda: [server.ttl(key) for key in server.scan_iter(counts)]
        server.delete(*server.scan_iter(counts))


def test_of_many_at_once_exactly_the_limit_comes_through():
    with ThreadPoolExecutor(50) as pool:
        waits = list(pool.map(lambda _: Rate.parse("300/d").wait_for("somebody"), range(1000)))
    assert waits.count(None) == 300
    assert all(0 < wait <= 86_400 for wait in waits if wait is not None)


def test_what_is_counted_expires_and_refused_attempts_do_not_prolong_it(seconds_left):
    for _ in range(5):
        Rate.parse("2/m").wait_for("somebody")
    (left,) = seconds_left()
    assert 0 < left <= 60


@pytest.mark.django_db
def test_a_view_counts_there(websocket, mount):
    ws = websocket(mount(ChatView, message_rate="3/d"))
    answers = [ws.send({"action": "later"}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    other = WebSocketClient("/ws/", headers={"sourceIp": "198.51.100.1"})
    assert other.connect().status_code == 200
