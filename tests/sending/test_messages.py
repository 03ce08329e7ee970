"""What a message may be: its JSON or its text, and its bound."""

from __future__ import annotations

import datetime
import decimal
import uuid

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from django_aws_api_gateway_websockets.exceptions import (
    MessageError,
    MessageNotSerializable,
    MessageTooLarge,
)
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db

LIMIT = 128 * 1024


@pytest.fixture
def session():
    return make_session(make_created_gateway())


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


# Text frames


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("<p>Grüße, \U0001f680</p>\r\n", "<p>Grüße, \U0001f680</p>\r\n"),
        ('"5"', '"5"'),
        ("NaN", "NaN"),
        ("ends with NUL\0", "ends with NUL\0"),
        (mark_safe("<b>safe</b>"), "<b>safe</b>"),
        (gettext_lazy("Password"), "Password"),
    ],
)
def test_a_text_is_sent_as_it_is(edge, session, text, frame):
    assert session.send_text(text).sent == 1
    assert edge.requests[0].body == frame.encode()


@pytest.mark.parametrize("data", [b"bytes", {"a": 1}, None, 5, ["<p>"], object()])
def test_what_is_no_text_is_refused_before_anything_is_sent(edge, session, data):
    with pytest.raises(MessageNotSerializable, match=f"str, not {type(data).__name__}") as refusal:
        session.send_text(data)
    assert isinstance(refusal.value, TypeError)
    assert edge.requests == []


@pytest.mark.parametrize(("text", "reason"), [("half a pair: \ud83d", "no UTF-8"), ("", "empty")])
def test_a_text_that_makes_no_frame_is_refused_before_anything_is_sent(
    edge, session, text, reason
):
    with pytest.raises(MessageNotSerializable, match=reason) as refusal:
        session.send_text(text)
    assert isinstance(refusal.value, ValueError)
    assert edge.requests == []


def test_a_text_of_128_kib_is_sent_and_one_byte_more_is_refused(edge, session):
    text = "é" * (LIMIT // 2)
    assert session.send_text(text).sent == 1
    with pytest.raises(MessageTooLarge, match=f"has {LIMIT + 1} bytes; .* takes {LIMIT} at most"):
        session.send_text(text + "x")
    assert [len(request.body) for request in edge.requests] == [LIMIT]
