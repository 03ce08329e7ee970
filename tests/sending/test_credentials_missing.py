"""Credentials that cannot be had, in every way: an outcome of the recipients, and said once."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import SENT, Recipient, credentials, failed
from tests.edge import DEADLINE
from tests.factories import make_created_gateway, make_session
from tests.wire import Server, wait_until

pytestmark = pytest.mark.usefixtures("new_session")


@pytest.fixture(params=["boto3", "sockets"])
def way(request, settings):
    settings.WEBSOCKETS = {"transport": request.param}
    return request.param


@pytest.fixture
def aws(settings, monkeypatch, way):
    """A server that is not on this machine, as far as the settings say: boto3 looks for keys."""
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = None
    settings.AWS_GATEWAY_ENDPOINT_URL = None
    with Server() as server:
        yield server


@pytest.fixture
def configure(tmp_path, monkeypatch, settings):
    """``configure("credential_process = x")`` makes that the profile that the settings name."""

    def write(text):
        path = tmp_path / "config"
        path.write_bytes(text if isinstance(text, bytes) else f"[profile chosen]\n{text}".encode())
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
        settings.AWS_IAM_PROFILE = "chosen"

    return write


def recipients(server, number):
    endpoint = Endpoint(f"http://127.0.0.1:{server.port}/prod", "eu-west-1")
    return [Recipient(f"c{n}", endpoint) for n in range(number)]


def send(server, number=3):
    return Counter(outcome for _, outcome in sending.fan_out(b"x", recipients(server, number)))


def close(server):
    return [outcome for _, outcome in sending.close(recipients(server, 1))]


def process(program):
    return f"credential_process = {sys.executable} -c {program!r}\n"


PROBLEMS = {
    "no program": "credential_process = /nowhere/at/all",
    "not to be run": "credential_process = /etc/hostname",
    "no quotes": 'credential_process = "unbalanced',
    "no command": "credential_process =",
    "no JSON": process("print(1+)"),
    "garbage": process("import sys; sys.stdout.buffer.write(bytes([255]))"),
    "a list": process("print([])"),
    "a number": process("print(7)"),
    "another version": process("print(chr(123)+chr(125))"),
    "fails": process("raise SystemExit(3)"),
    "no source": "role_arn = arn:aws:iam::1:role/x\nsource_profile = nobody",
    "its own source": "role_arn = arn:aws:iam::1:role/x\nsource_profile = chosen",
    "odd source": "role_arn = arn:aws:iam::1:role/x\ncredential_source = Nowhere",
    "no token file": "role_arn = arn:aws:iam::1:role/x\nweb_identity_token_file = /nowhere",
    "no sso": "sso_session = nobody\nsso_account_id = 1\nsso_role_name = x",
    "half an sso": "sso_start_url = https://x.invalid\nsso_account_id = 1",
    "half a pair": "aws_access_key_id = a",
    "no profile": b"[profile other]\n",
    "no configuration": b"garbage",
    "no text": b"[profile chosen]\nregion = \xff\xfe\x00",
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_keys_that_cannot_be_had_are_an_outcome(aws, configure, caplog, problem):
    configure(problem)
    ((outcome, number),) = send(aws).items()
    assert (outcome.status, number) == ("failed", 3)
    assert outcome.reason
    assert close(aws) == [outcome]
    assert aws.requests == []
    (said,) = [m for m in caplog.messages if m.startswith("No credentials")]
    assert f"reason={outcome.reason} " in said
    assert "aws sts get-caller-identity" in said
    assert said.isprintable()
    assert len(said) < 500


def test_a_failure_holds_for_some_seconds_whoever_asks(aws, configure, tmp_path, monkeypatch):
    calls = tmp_path / "calls"
    configure(
        process(f"open({str(calls)!r}, 'a').write('x'); raise SystemExit(1)".replace("'", '"'))
    )
    monkeypatch.setattr(credentials, "FAILED_SECONDS", 0.5)
    began = time.monotonic()
    assert {failed("CredentialRetrievalError")} == set(send(aws, 1200)) | set(send(aws))
    assert {failed("CredentialRetrievalError")} == set(close(aws))
    if time.monotonic() - began < 0.5:
        assert calls.read_text() == "x"
    assert wait_until(lambda: bool(send(aws)) and calls.read_text() == "xx", 5)


def test_what_a_program_says_is_not_logged(aws, configure, caplog):
    configure(process('import sys; sys.exit("the secret key")'))
    send(aws)
    assert "secret" not in caplog.text


def test_a_lookup_that_hangs_is_left_in_time(aws, configure, tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "LOOKUP_SECONDS", 0.5)
    go_on = tmp_path / "go_on"
    configure(
        process(
            f"import pathlib, time\nwhile not pathlib.Path({str(go_on)!r}).exists():"
            " time.sleep(.01)"
        ).replace("\\n", "\n  ")
    )
    began = time.monotonic()
    assert send(aws) == {failed("CredentialRetrievalError"): 3}
    assert send(aws) == {failed("CredentialRetrievalError"): 3}
    assert time.monotonic() - began < 1.5
    go_on.touch()
    # It logs what it has found, too.
    assert wait_until(lambda: not any("credentials" in t.name for t in threading.enumerate()), 10)


def use_keys(path, name):
    path.write_text(f"[default]\naws_access_key_id = {name}\naws_secret_access_key = s\n")


CODES = ["UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException"]


@pytest.mark.parametrize("code", CODES)
def test_keys_that_are_rotated_in_the_shared_file_are_found(aws, tmp_path, monkeypatch, code):
    shared = tmp_path / "credentials"
    use_keys(shared, "old")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    assert send(aws) == {SENT: 3}
    refusal = f"HTTP/1.1 403 F\r\nx-amzn-ErrorType: {code}\r\nContent-Length: 0\r\n\r\n".encode()
    taken = aws.answering
    aws.answering = lambda request: (
        refusal if "Credential=old/" in request.headers["authorization"] else taken(request)
    )
    use_keys(shared, "new")
    assert send(aws, 30) == {SENT: 30}
    assert send(aws, 30) == {SENT: 30}


@pytest.mark.parametrize("code", CODES)
def test_keys_that_stay_refused_fail_all_others_without_a_call(
    aws, monkeypatch, settings, way, code
):
    settings.WEBSOCKETS = {"transport": way, "max_in_flight": 4}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "old")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    aws.answering = lambda request: (
        f"HTTP/1.1 403 F\r\nx-amzn-ErrorType: {code}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert send(aws, 100) == {failed(code): 100}
    assert len(aws.requests) < 20


def test_keys_that_come_later_are_found(aws, monkeypatch):
    monkeypatch.setattr(credentials, "FAILED_SECONDS", 0.1)
    assert send(aws) == {failed("NoCredentialsError"): 3}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "late")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert wait_until(lambda: send(aws) == {SENT: 3}, 5)


BROKEN = {"ProfileNotFound": "[profile other]\n", "ConfigParseError": "garbage"}


@pytest.mark.django_db
@pytest.mark.parametrize("api_endpoint", ["wss://a1.execute-api.eu-west-1.amazonaws.com", ""])
@pytest.mark.parametrize("region", ["eu-west-1", None])
@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_profile_of_the_environment_is_an_outcome_of_sessions(
    aws, tmp_path, monkeypatch, settings, reason, region, api_endpoint
):
    """Whether or not the region has to be looked for there, too."""
    config = tmp_path / "config"
    config.write_text(BROKEN[reason])
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    settings.AWS_REGION_NAME = settings.AWS_GATEWAY_REGION_NAME = region
    session = make_session(make_created_gateway(api_endpoint=api_endpoint))
    for report in (session.send_message("x"), type(session).objects.send_message("x")):
        assert report.reasons == {reason: 1}
    assert session.close().reasons == {reason: 1}


@pytest.mark.parametrize("way", ["sockets"], indirect=True)  # boto3 refreshes within its calls.
def test_a_refresh_that_takes_long_holds_up_no_message_that_has_keys(
    aws, configure, tmp_path, monkeypatch
):
    """botocore looks for new keys a quarter of an hour before the old ones expire."""
    monkeypatch.setattr(credentials, "SLOW_SECONDS", 0.1)
    go_on, asked = tmp_path / "go_on", tmp_path / "asked"
    go_on.touch()
    expires = (timezone.now() + timedelta(minutes=5)).isoformat()
    program = tmp_path / "keys.py"
    program.write_text(
        "import json, pathlib, time\n"
        f"asked, go_on = pathlib.Path({str(asked)!r}), pathlib.Path({str(go_on)!r})\n"
        "asked.touch()\n"
        "while not go_on.exists(): time.sleep(.01)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': 'a', 'SecretAccessKey': 's',"
        f" 'SessionToken': 't', 'Expiration': {expires!r}}}))\n"
    )
    configure(f"credential_process = {sys.executable} {program}")

    def until_asked():
        """Recipients until the program is asked again, and some more."""
        yield from recipients(aws, 3)
        go_on.unlink()
        asked.unlink()
        while not asked.exists() and time.monotonic() < began + DEADLINE:
            yield from recipients(aws, 1)
        yield from recipients(aws, 30)

    began = time.monotonic()
    outcomes = {outcome for _, outcome in sending.fan_out(b"x", until_asked())}
    assert asked.exists(), "It was asked for new keys meanwhile"
    assert not go_on.exists(), "It has not answered"
    go_on.touch()
    assert outcomes == {SENT}
