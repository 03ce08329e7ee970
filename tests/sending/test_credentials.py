"""Credentials that expire, change or are not there while a message is on its way."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
from django.utils import timezone

from tests.factories import make_created_gateway, make_many
from tests.wire import Server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("transport", "new_session")]

#: Requests of which AWS takes the first key to be good.
GOOD_FOR = 20
EVERYBODY = 120


@pytest.fixture
def crowd():
    gateway = make_created_gateway()
    make_many(gateway, EVERYBODY)
    return gateway.sessions.all()


@pytest.fixture
def behind_a_proxy(edge, settings, monkeypatch):
    """Endpoints that are not on this machine, for which boto3's own chain is asked for keys."""
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://aws.test"
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = None
    monkeypatch.setenv("HTTP_PROXY", edge.url)
    return edge


class Expiry:
    """From the twentieth request on AWS refuses a key, whose owner may do something then."""

    def __init__(self, edge, key, at_expiry=lambda: None, code="ExpiredTokenException"):
        self.refused = []
        self._edge, self._key, self._at_expiry = edge, key, at_expiry
        edge.when("@connections", 403, error_type=code, only=self._refuses)

    def _refuses(self, request):
        if request.access_key != self._key or len(self._edge.requests) <= GOOD_FOR:
            return False
        if not self.refused:
            self._at_expiry()
        self.refused.append(request.connection_id)
        return True

    @property
    def served(self):
        return Counter(r.connection_id for r in self._edge.requests) - Counter(self.refused)


def use_keys(monkeypatch, name):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", name)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "only-for-tests")
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"token-of-{name}")


@pytest.mark.parametrize("code", ["ExpiredTokenException", "ExpiredToken"])
def test_new_keys_of_the_environment_are_found_when_the_old_ones_have_expired(
    behind_a_proxy, crowd, monkeypatch, code
):
    use_keys(monkeypatch, "old")
    expiry = Expiry(behind_a_proxy, "old", lambda: use_keys(monkeypatch, "new"), code)
    report = crowd.send_message("x")
    assert (report.sent, report.total) == (EVERYBODY, EVERYBODY)
    assert expiry.served == {session.connection_id: 1 for session in crowd}
    assert {r.headers["X-Amz-Security-Token"] for r in behind_a_proxy.requests} == {
        "token-of-old",
        "token-of-new",
    }


@pytest.fixture
def use_process(tmp_path, settings, monkeypatch):
    """A profile whose process hands out key1, key2 and so on, each for so many minutes."""

    def lasting(minutes):
        expires = (timezone.now() + timedelta(minutes=minutes)).isoformat()
        program = tmp_path / "keys.py"
        program.write_text(
            "import json, pathlib\n"
            f"calls = pathlib.Path({str(tmp_path / 'calls')!r})\n"
            "number = len(calls.read_text()) + 1 if calls.exists() else 1\n"
            "calls.write_text('x' * number)\n"
            "print(json.dumps({'Version': 1, 'AccessKeyId': f'key{number}',"
            f" 'SecretAccessKey': 's', 'SessionToken': 't', 'Expiration': {expires!r}}}))\n"
        )
        config = tmp_path / "config"
        config.write_text(f"[profile process]\ncredential_process = {sys.executable} {program}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        settings.AWS_IAM_PROFILE = "process"

    return lasting


def test_a_process_is_asked_again_when_its_keys_have_expired_before_their_time(
    edge, crowd, use_process
):
    use_process(minutes=60)
    expiry = Expiry(edge, "key1")
    assert crowd.send_message("x").sent == EVERYBODY
    assert expiry.served == {session.connection_id: 1 for session in crowd}
    assert {request.access_key for request in edge.requests} == {"key1", "key2"}


def test_keys_that_are_about_to_expire_are_refreshed_before(edge, crowd, use_process):
    use_process(minutes=5)
    expiry = Expiry(edge, "key1")
    assert crowd[:GOOD_FOR].send_message("x").sent == GOOD_FOR
    assert crowd.send_message("x").sent == EVERYBODY
    assert expiry.refused == []


def test_keys_that_are_refused_however_new_they_are_end_in_a_failure(edge, crowd, use_process):
    use_process(minutes=5)
    edge.when("@connections", 403, error_type="ExpiredTokenException")
    report = crowd.send_message("x")
    assert report.reasons == {"ExpiredTokenException": EVERYBODY}
    assert len(edge.requests) <= EVERYBODY * 3


def test_expired_keys_of_the_settings_fail_at_once(edge, crowd, settings, monkeypatch):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "max_in_flight": 4}
    settings.AWS_ACCESS_KEY_ID = "static"
    sessions = []
    session_class = boto3.Session
    monkeypatch.setattr(
        boto3, "Session", lambda **options: sessions.append(1) or session_class(**options)
    )
    Expiry(edge, "static")
    report = crowd.send_message("x")
    assert (report.sent, report.total) == (GOOD_FOR, EVERYBODY)
    assert report.reasons == {"ExpiredTokenException": EVERYBODY - GOOD_FOR}
    assert len(edge.requests) < GOOD_FOR + 10
    for session in crowd[:10]:
        assert session.send_message("x").reasons == {"ExpiredTokenException": 1}
    assert len(sessions) <= 2


def test_without_keys_nothing_is_sent(behind_a_proxy, crowd):
    assert crowd.send_message("x").reasons == {"NoCredentialsError": EVERYBODY}
    assert behind_a_proxy.requests == []


class Sts(BaseHTTPRequestHandler):
    """Hands out no role to anybody."""

    def do_POST(self):
        body = (
            b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
            b"<Code>AccessDenied</Code><Message>No</Message></Error></ErrorResponse>"
        )
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silence."""


@pytest.fixture
def sts(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Sts)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("sts")
def test_a_role_that_is_denied_is_reported(edge, crowd, settings, tmp_path, monkeypatch):
    (tmp_path / "config").write_text(
        "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\n"
        "source_profile = base\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    settings.AWS_IAM_PROFILE = "role"
    assert crowd.send_message("x").reasons == {"AccessDenied": EVERYBODY}
    assert edge.requests == []


def test_credentials_that_take_long_to_be_missed_are_missed_once(crowd, settings, monkeypatch):
    """A container cannot reach the metadata service, which is asked for a second each time."""
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://aws.test"
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = None
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "max_in_flight": 10}
    with Server() as silent:
        silent.serve = lambda number, connection, stream: stream.read()
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{silent.port}")
        monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "1")
        report = crowd.send_message("x")
        assert report.reasons == {"NoCredentialsError": EVERYBODY}
        assert silent.accepted <= 2, "One for its token, one without"
