"""runLocalGateway as an operator runs it: a process of its own, with a terminal's signals."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import logging.handlers
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30


def environment(**more):
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": path}
    return {**os.environ, **settings, "PYTHONUNBUFFERED": "1", **more}


class Running:
    """The command, started; its output is read as it comes."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "runLocalGateway", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            **options,
        )
        self.output = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()

    def wait_for(self, pattern):
        """The first match of a pattern in what the command says."""
        with self._changed:
            found = self._changed.wait_for(lambda: re.search(pattern, self.output), PATIENCE)
            assert found, self.output
            return found

    def stop(self, number=signal.SIGINT):
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        self._reader.join()
        self.process.stdout.close()


@pytest.fixture
def run(tmp_path):
    """Start the command in an empty folder, on free ports."""
    pytest.importorskip("websockets")
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            ports = ["--socket-port", "0", "--control-port", "0"]
            running = Running(*ports, *arguments, cwd=tmp_path)
            stack.callback(running.close)
            return running

        yield start


def endpoint_of(running):
    return running.wait_for(r'AWS_GATEWAY_ENDPOINT_URL = "(http://127\.0\.0\.1:\d+)"')[1]


@contextlib.contextmanager
def control_plane(endpoint_url):
    import boto3

    session = boto3.Session("test", "test", region_name="eu-west-1")
    client = session.client("apigatewayv2", endpoint_url=endpoint_url)
    try:
        yield client
    finally:
        client.close()


def make_api(control):
    """An API whose sockets open without a backend; the URL of its stage."""
    api = control.create_api(
        Name="x", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    integration = control.create_integration(
        ApiId=api["ApiId"],
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="POST",
        IntegrationUri="http://127.0.0.1:1/",
    )
    control.create_route(
        ApiId=api["ApiId"],
        RouteKey="unused",
        Target=f"integrations/{integration['IntegrationId']}",
    )
    control.create_stage(ApiId=api["ApiId"], StageName="production")
    control.create_deployment(ApiId=api["ApiId"], StageName="production")
    return f"{api['ApiEndpoint']}/production"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_the_sockets_with_1001_and_ends_without_a_traceback(run, number):
    running = run()
    with control_plane(endpoint_of(running)) as control:
        url = make_api(control)
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with connect(url, proxy=None) as client:
        opened = running.wait_for(r"connection opened connection_id=(\S+)")
        assert running.stop(number) == 0
        with pytest.raises(ConnectionClosed) as error:
            client.recv(PATIENCE)
    assert error.value.rcvd.code == 1001
    running.close()
    assert f"connection closed connection_id={opened[1]} code=1001" in running.output
    assert "The local gateway has stopped." in running.output
    assert "Traceback" not in running.output


def test_apis_are_kept_from_one_run_to_the_next(run, tmp_path):
    for expected in (0, 1):
        running = run()
        with control_plane(endpoint_of(running)) as control:
            assert len(control.get_apis()["Items"]) == expected
            make_api(control)
        assert running.stop() == 0
    state = json.loads((tmp_path / ".local-gateway.json").read_text(encoding="utf-8"))
    assert len([path for path in state["documents"] if path.count("/") == 1]) == 2


def test_the_addresses_are_printed_and_an_empty_state_option_keeps_nothing(run, tmp_path):
    running = run("--state", "")
    running.wait_for(r"WebSockets: ws://127\.0\.0\.1:\d+\n")
    with control_plane(endpoint_of(running)) as control:
        make_api(control)
    assert running.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_others_are_told_its_public_urls(run):
    running = run(
        "--public-socket-url", "ws://localhost:19000", "--public-endpoint-url", "http://gateway:9"
    )
    running.wait_for(r"WebSockets: ws://localhost:19000\n")
    running.wait_for(r'AWS_GATEWAY_ENDPOINT_URL = "http://gateway:9"\n')
    running.wait_for(r"AWS_GATEWAY_REGION_NAME = .*\n.*any will do\n")
    assert running.stop() == 0


@pytest.mark.parametrize("url", ["gateway", "http://gateway", "ws://a/b", "ws://a:b", "ws://"])
def test_a_public_url_that_is_none_is_refused(url):
    with pytest.raises(CommandError, match="--public-socket-url"):
        call_command("runLocalGateway", f"--public-socket-url={url}")


class Console(io.StringIO):
    """A terminal whose reader presses CONTROL-C as soon as the addresses are there."""

    def write(self, text):
        if "AWS_GATEWAY_ENDPOINT_URL" in text:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


@pytest.fixture(autouse=True)
def log():
    """The gateway's log, as it was before when the test is over."""
    logger = logging.getLogger("django_aws_api_gateway_websockets.local")
    before = logger.level, logger.propagate, list(logger.handlers)
    logger.handlers = []  # A test that ran the command may have left one.
    yield logger
    logger.level, logger.propagate, logger.handlers = before


def call(**options):
    """Run the command in this process until its CONTROL-C; what it has written."""
    pytest.importorskip("websockets")
    stdout, stderr = Console(), io.StringIO()
    options = {"socket_port": 0, "control_port": 0, "state": "", **options}
    call_command("runLocalGateway", stdout=stdout, stderr=stderr, no_color=True, **options)
    return stdout.getvalue(), stderr.getvalue()


def test_signals_mean_what_they_meant_before_when_the_command_has_ended():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stdout, stderr = call()
    assert "The local gateway has stopped." in stdout
    assert stderr == ""
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    ("host", "is_warned_about"),
    [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)],  # noqa: S104 - to be warned
)
def test_an_address_that_others_can_reach_is_warned_about(host, is_warned_about):
    assert (f"Whoever reaches {host}" in call(host=host)[1]) == is_warned_about


def test_the_log_goes_to_the_console_unless_the_project_has_a_place_for_it(log, capsys):
    log.propagate = False
    call()
    assert "gateway started sockets=ws://" in capsys.readouterr().err
    place = logging.handlers.BufferingHandler(100)
    log.handlers = [place]
    call()
    assert log.handlers == [place]
    assert any("gateway started" in record.getMessage() for record in place.buffer)


def test_a_projects_own_level_for_the_log_stays(log):
    log.setLevel(logging.ERROR)
    call()
    assert log.level == logging.ERROR


def test_a_state_file_that_is_not_ours_is_named(tmp_path):
    pytest.importorskip("websockets")
    file = tmp_path / "broken.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(CommandError, match=r"broken\.json"):
        call_command("runLocalGateway", state=str(file))


@pytest.mark.parametrize("option", ["socket_port", "control_port"])
def test_a_port_in_use_is_named(option):
    pytest.importorskip("websockets")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"socket_port": 0, "control_port": 0, option: port}
        with pytest.raises(CommandError, match=rf"in use.*{port}"):
            call_command("runLocalGateway", state="", **ports)


@pytest.mark.parametrize(
    "options", [{"state": "", "host": "no.such.host.invalid"}, {"state": "/no/such/folder/x.json"}]
)
def test_an_address_or_folder_that_cannot_be_is_an_error(options):
    pytest.importorskip("websockets")
    with pytest.raises(CommandError, match="cannot start"):
        call_command("runLocalGateway", socket_port=0, control_port=0, **options)


@pytest.mark.parametrize("port", ["65536", "-1", "web"])
def test_a_port_that_cannot_be_is_an_error(port):
    with pytest.raises(CommandError, match="--socket-port"):
        call_command("runLocalGateway", f"--socket-port={port}")


@pytest.mark.skipif(sys.version_info < (3, 10), reason="an older Python is refused before that")
@pytest.mark.parametrize(
    ("version", "words"), [(None, "needs websockets."), ("15.0.1", "needs websockets 16")]
)
def test_without_the_right_websockets_the_remedy_is_named(monkeypatch, version, words):
    module = None if version is None else types.SimpleNamespace(version=version)
    monkeypatch.setitem(sys.modules, "websockets.version", module)
    with pytest.raises(CommandError, match=words) as error:
        call_command("runLocalGateway")
    assert 'python -m pip install "websockets>=16"' in str(error.value)


@pytest.mark.skipif(sys.version_info >= (3, 10), reason="this Python is new enough")
def test_an_older_python_is_refused():
    with pytest.raises(CommandError, match=r"Python 3\.10 or newer"):
        call_command("runLocalGateway")
