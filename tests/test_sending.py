"""Encoding, bounding, posting and reporting, with real boto3 against a loopback server."""

from __future__ import annotations

import datetime
import decimal
import json
import threading
import uuid

import pytest
from django.utils.translation import gettext_lazy

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.exceptions import (
    ConfigurationError,
    MessageError,
    MessageNotSerializable,
    MessageTooLarge,
)
from tests.edge import DEADLINE
from tests.factories import make_created_gateway, make_gateway, make_session

pytestmark = pytest.mark.django_db

LIMIT = 128 * 1024


@pytest.fixture
def session():
    return make_session(make_created_gateway(api_endpoint=""))


def sent_to(edge):
    """The ids of the connections that were posted to."""
    return [line.rpartition("/")[2] for line in edge.lines]


# What a message may be


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc), "2024-02-29T00:00:00Z"),
        (datetime.timedelta(minutes=1), "P0DT00H01M00S"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (gettext_lazy("Password"), "Password"),
        ("snow ☃ man", "snow ☃ man"),
        ([1, None, True, {"a": [0.5]}], [1, None, True, {"a": [0.5]}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_reaches_the_client_as_django_writes_it_in_json(edge, session, value, expected):
    assert session.send_message({"value": value}).sent == 1
    assert edge.requests[0].json == {"value": expected}


@pytest.mark.parametrize("data", ["text", 7, None, ["a"], {"a": 1}])
def test_any_json_value_is_a_message(edge, session, data):
    session.send_message(data)
    assert edge.requests[0].json == data


def circular():
    loop: list = []
    loop.append(loop)
    return loop


def nested():
    data: list = []
    for _ in range(100_000):
        data = [data]
    return data


@pytest.mark.parametrize(
    "data",
    [
        float("nan"),
        float("inf"),
        {"value": -float("inf")},
        object(),
        {1, 2},
        b"bytes",
        {(1, 2): "a tuple as a key"},
        "half a surrogate pair: \ud83d",
        circular(),
        nested(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_json_form_is_refused_before_anything_is_sent(edge, session, data):
    with pytest.raises(MessageNotSerializable, match="The message has no JSON form") as refusal:
        session.send_message(data)
    assert isinstance(refusal.value, (TypeError, ValueError, MessageError))
    assert edge.requests == []


def test_a_message_of_128_kib_is_sent(edge, session):
    text = "x" * (LIMIT - len('""'))
    assert session.send_message(text).sent == 1
    assert len(edge.requests[0].body) == LIMIT


def test_a_message_of_one_byte_more_is_refused_before_anything_is_sent(edge, session):
    text = "x" * (LIMIT - len('""') + 1)
    with pytest.raises(MessageTooLarge, match=f"has {LIMIT + 1} bytes; .* takes {LIMIT} at most"):
        session.send_message(text)
    assert edge.requests == []


def test_the_bound_counts_bytes_and_not_characters(edge, session):
    with pytest.raises(MessageTooLarge):
        session.send_message("é" * (LIMIT // 2))
    assert edge.requests == []


# What becomes of it


def test_a_message_is_posted_to_the_stage_of_its_gateway_with_the_id_escaped(edge):
    gateway = make_created_gateway(stage_name="beta")
    session = make_session(gateway, connection_id="JC1dgf9yoAMCK-g=")
    session.send_message({"text": "hello"})
    (request,) = edge.requests
    assert (request.method, request.path) == ("POST", "/beta/@connections/JC1dgf9yoAMCK-g%3D")
    assert request.json == {"text": "hello"}


def test_a_blank_stage_name_means_production(edge):
    make_session(make_created_gateway(stage_name=""), connection_id="one")
    make_session(make_created_gateway(stage_name=""), connection_id="two").send_message("x")
    assert edge.lines == ["POST /production/@connections/two"]


@pytest.mark.parametrize("error_type", ["GoneException", "", "OfWhateverType"])
def test_a_410_is_gone_with_and_without_an_error_type(edge, session, error_type):
    edge.when("@connections", 410, error_type=error_type)
    report = session.send_message("x")
    assert (report.sent, report.gone, report.failed) == (0, 1, 0)
    session.refresh_from_db()
    assert not session.connected


def test_a_gone_exception_of_another_status_is_gone(edge, session):
    edge.when("@connections", 400, error_type="GoneException")
    assert session.send_message("x").gone == 1


@pytest.mark.parametrize(
    ("status", "error_type", "reason"),
    [
        (400, "BadRequestException", "BadRequestException"),
        (403, "ForbiddenException", "ForbiddenException"),
        (403, "ExpiredTokenException", "ExpiredTokenException"),
        (413, "PayloadTooLargeException", "PayloadTooLargeException"),
        (404, "", "404"),
    ],
)
def test_a_refusal_of_aws_is_reported_with_its_reason(
    edge, session, caplog, status, error_type, reason
):
    edge.when("@connections", status, error_type=error_type)
    report = session.send_message("secret")
    assert (report.sent, report.gone, report.failed) == (0, 0, 1)
    assert report.reasons == {reason: 1}
    session.refresh_from_db()
    assert session.connected
    assert caplog.messages == [
        f"Not reached connection_id={session.connection_id} reason={reason}"
    ]


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(429, "LimitExceededException"), (500, "InternalServerException"), (503, "")],
)
def test_a_passing_failure_is_tried_again(edge, session, status, error_type):
    edge.when("@connections", status, error_type=error_type, times=1)
    assert session.send_message("x").sent == 1
    assert sent_to(edge) == [session.connection_id] * 2


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(429, "LimitExceededException"), (500, "InternalServerException")],
)
def test_a_lasting_failure_is_reported_after_the_fifth_try(edge, session, status, error_type):
    edge.when("@connections", status, error_type=error_type)
    report = session.send_message("x")
    assert report.reasons == {error_type: 1}
    assert len(edge.requests) == 5
    session.refresh_from_db()
    assert session.connected


def test_a_reset_connection_is_tried_again(edge, session):
    edge.when("@connections", reset=True, times=1)
    assert session.send_message("x").sent == 1


def test_connections_that_keep_breaking_are_reported(edge, session):
    edge.when("@connections", reset=True)
    report = session.send_message("x")
    assert report.failed == 1
    assert list(report.reasons) == ["ConnectionClosedError"]


def test_one_recipient_failing_in_the_middle_does_not_stop_the_rest(edge):
    gateway = make_created_gateway()
    ids = [make_session(gateway, channel_name="room").connection_id for _ in range(5)]
    edge.when(ids[2], 403, error_type="ForbiddenException")
    edge.when(ids[3], 410, error_type="GoneException")
    report = gateway.sessions.send_message("x")
    assert sorted(sent_to(edge)) == sorted(ids)
    assert (report.sent, report.gone, report.failed) == (3, 1, 1)
    assert report.reasons == {"ForbiddenException": 1}


def test_a_profile_that_does_not_exist_is_reported(edge, session, settings):
    settings.AWS_IAM_PROFILE = "nobody has this one"
    report = session.send_message("x")
    assert report.reasons == {"ProfileNotFound": 1}


def test_half_a_key_pair_is_raised(edge, session, settings):
    settings.AWS_SECRET_ACCESS_KEY = None
    with pytest.raises(ConfigurationError, match="Set both AWS_ACCESS_KEY_ID and AWS_SECRET"):
        session.send_message("x")


def test_a_session_without_a_gateway_cannot_be_served(edge):
    report = make_session(None).send_message("x")
    assert report.reasons == {"The session has no created gateway": 1}
    assert edge.requests == []


def test_a_session_of_a_gateway_that_is_not_created_cannot_be_served(edge):
    report = make_session(make_gateway()).send_message("x")
    assert report.reasons == {"The session has no created gateway": 1}
    assert edge.requests == []


def test_a_gateway_whose_id_makes_no_host_name_fails_alone(edge, settings):
    settings.AWS_GATEWAY_ENDPOINT_URL = None
    report = make_session(make_created_gateway(api_id="under_score")).send_message("x")
    assert report.reasons == {"ValueError": 1}


# Several at a time


class Crowd:
    """Lets requests go when ``size`` of them wait, and knows how many there were at most."""

    def __init__(self, size):
        self._barrier = threading.Barrier(size, timeout=DEADLINE)
        self._lock = threading.Lock()
        self._waiting = 0
        self.largest = 0

    def wait(self):
        with self._lock:
            self._waiting += 1
            self.largest = max(self.largest, self._waiting)
        self._barrier.wait()
        with self._lock:
            self._waiting -= 1


@pytest.mark.parametrize(("chosen", "workers"), [({}, 10), ({"max_in_flight": 2}, 2)])
def test_as_many_recipients_as_max_in_flight_are_served_at_once(edge, settings, chosen, workers):
    settings.WEBSOCKETS = chosen
    gateway = make_created_gateway()
    for _ in range(workers * 2):
        make_session(gateway)
    crowd = Crowd(workers)
    edge.when("@connections").wait = crowd.wait
    assert gateway.sessions.send_message("x").sent == workers * 2
    assert crowd.largest == workers


# A transport of the site's own


class ListTransport:
    sent: list = []

    def send(self, body, recipients):
        for recipient in recipients:
            self.sent.append((json.loads(body), recipient.connection_id))
            yield recipient, sending.SENT


def test_the_transport_that_the_settings_name_does_the_sending(session, settings):
    settings.WEBSOCKETS = {"transport": f"{__name__}.ListTransport"}
    ListTransport.sent.clear()
    assert session.send_message({"a": 1}).sent == 1
    assert ListTransport.sent == [({"a": 1}, session.connection_id)]
