"""The clients themselves: one a process and endpoint, and what each one repeats."""

from __future__ import annotations

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from django_aws_api_gateway_websockets import aws
from django_aws_api_gateway_websockets.models import get_boto3_client
from tests.edge import DEADLINE

pytestmark = pytest.mark.usefixtures("outside_of_tests")

HERE = aws.Endpoint("http://127.0.0.1:9001/here", "eu-west-1")
THERE = aws.Endpoint("http://127.0.0.1:9001/there", "eu-west-1")


def in_a_forked_child(question):
    """What ``question``, a yes-or-no one, is answered in a child process."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python warns of forks of programs with threads, which this one may be by now.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.write(writing, b"yes" if question() else b"no")
        os._exit(0)
    answer = os.read(reading, 3)
    os.close(reading)
    os.close(writing)
    os.waitpid(child, 0)
    return answer == b"yes"


# One a process and endpoint


def test_an_endpoint_has_one_client():
    client = aws.connections_client(HERE)
    assert aws.connections_client(HERE) is client
    assert aws.connections_client(THERE) is not client


def test_threads_that_ask_at_once_get_one_client(settings):
    settings.AWS_ACCESS_KEY_ID = "of this test, so that no client is there yet"
    together = threading.Barrier(8, timeout=DEADLINE)

    def ask(_):
        together.wait()
        return aws.connections_client(HERE)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"AWS_ACCESS_KEY_ID": "another"},
        {"AWS_SESSION_TOKEN": "another"},
        {"WEBSOCKETS": {"max_in_flight": 3}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_setting_makes_another_client(settings, changed):
    client = aws.connections_client(HERE)
    for name, value in changed.items():
        setattr(settings, name, value)
    assert aws.connections_client(HERE) is not client


def test_a_client_keeps_a_warm_connection_for_each_worker(settings):
    settings.WEBSOCKETS = {"max_in_flight": 23}
    assert aws.connections_client(HERE).meta.config.max_pool_connections == 23


def test_a_client_gives_a_silent_aws_up_before_a_handler_is_given_up():
    """API Gateway waits 29 seconds for a handler."""
    config = aws.connections_client(HERE).meta.config
    assert config.connect_timeout + config.read_timeout < 29


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system does not fork")
def test_a_forked_child_makes_its_own_client():
    client = aws.connections_client(HERE)
    same_in_child = in_a_forked_child(lambda: aws.connections_client(HERE) is client)
    same_twice = in_a_forked_child(
        lambda: aws.connections_client(HERE) is aws.connections_client(HERE)
    )
    assert (same_in_child, same_twice) == (False, True)


# What is repeated


@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_creating_call_is_not_repeated_after_a_failure_that_may_have_made_it(edge, status):
    edge.when("POST /v2/apis", status, error_type="InternalServerException")
    with pytest.raises(ClientError, match="InternalServerException"):
        get_boto3_client().create_api(Name="x", ProtocolType="WEBSOCKET")
    assert edge.lines == ["POST /v2/apis"]


def test_a_creating_call_is_not_repeated_after_its_connection_broke(edge):
    edge.when("POST /v2/apis", reset=True)
    with pytest.raises(ConnectionClosedError):
        get_boto3_client().create_api(Name="x", ProtocolType="WEBSOCKET")
    assert edge.lines == ["POST /v2/apis"]


def test_a_throttled_call_is_repeated(edge):
    edge.when("POST /v2/apis", 429, error_type="TooManyRequestsException", times=1)
    api = get_boto3_client().create_api(Name="x", ProtocolType="WEBSOCKET")
    assert api["ApiId"]
    assert edge.lines == ["POST /v2/apis"] * 2


def answered(status):
    """What botocore's event hands to its listeners for an answer of that status."""
    return SimpleNamespace(status_code=status), {}


def test_throttling_is_waited_out_for_half_a_minute():
    delays = [aws.wait_out_throttling(answered(429), attempt) for attempt in range(1, 6)]
    assert delays == sorted(delays)
    # CreateDeployment is allowed once in five seconds.
    assert delays[0] >= 1
    assert 5 < sum(delays) <= 31


def test_throttling_is_given_up_after_the_fifth_wait():
    assert aws.wait_out_throttling(answered(429), 6) is None


@pytest.mark.parametrize("response", [None, answered(200), answered(500), answered(409)])
def test_nothing_but_throttling_is_waited_out(response):
    assert aws.wait_out_throttling(response, 1) is None
