"""A transport of the site's own."""

from __future__ import annotations

import json

import pytest

from django_aws_api_gateway_websockets import sending
from tests.factories import make_created_gateway, make_session

pytestmark = pytest.mark.django_db


class ListTransport:
    sent: list = []

    def send(self, body, recipients):
        for recipient in recipients:
            self.sent.append((json.loads(body), recipient.connection_id))
            yield recipient, sending.SENT


def test_the_transport_that_the_settings_name_does_the_sending(settings):
    session = make_session(make_created_gateway())
    settings.WEBSOCKETS = {"transport": f"{__name__}.ListTransport"}
    ListTransport.sent.clear()
    assert session.send_message({"a": 1}).sent == 1
    assert ListTransport.sent == [({"a": 1}, session.connection_id)]


class HostileTransport:
    """Passes on what somebody else has written."""

    def send(self, body, recipients):
        for recipient in recipients:
            yield recipient, sending.failed("Bad\nEvent refused FORGED LINE " + "x" * 60_000)


def test_what_a_transport_says_is_cut_to_a_line_in_the_log_and_in_the_report(settings, caplog):
    session = make_session(make_created_gateway())
    settings.WEBSOCKETS = {"transport": f"{__name__}.HostileTransport"}
    report = session.send_message("x")
    (reason,) = report.reasons
    assert reason.startswith("Bad\\nEvent refused")
    for text in (reason, *caplog.messages):
        assert text.isprintable()
        assert len(text) < 300
