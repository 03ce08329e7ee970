"""sendWebSocketMessage: its recipients, its output and its exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from django.core.management import CommandError, call_command

from tests.edge import DEADLINE
from tests.factories import make_session

pytestmark = pytest.mark.django_db

HELLO = '{"text": "hello"}'


def run(*arguments, stderr=None, **options):
    """What the command prints."""
    out = StringIO()
    options = {"stdout": out, "stderr": stderr or StringIO(), "no_color": True, **options}
    call_command("sendWebSocketMessage", *arguments, **options)
    return out.getvalue()


@pytest.fixture
def typed(monkeypatch):
    """Put text into the standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", StringIO(text))


def reached(outbox):
    return "".join(sorted(message.connection_id for message in outbox))


# Recipients


def test_a_channel_gets_the_message(outbox, room, gateway):
    make_session(gateway, connection_id="elsewhere", channel_name="garden")
    assert run("--channel", "room", HELLO) == "Sent to 3 connections; 0 gone, 0 failed.\n"
    assert reached(outbox) == "abc"
    assert outbox.to("a") == [{"text": "hello"}]


def test_a_user_gets_the_message_on_each_connection(outbox, gateway, alice, bob):
    for connection_id, user in {"x": alice, "y": alice, "z": bob, "guest": None}.items():
        make_session(gateway, connection_id=connection_id, user=user)
    assert run("--user", "alice", HELLO) == "Sent to 2 connections; 0 gone, 0 failed.\n"
    assert reached(outbox) == "xy"


def test_all_get_the_message(outbox, room, gateway, alice):
    make_session(gateway, connection_id="x", user=alice)
    assert run("--all", HELLO) == "Sent to 4 connections; 0 gone, 0 failed.\n"
    assert reached(outbox) == "abcx"


def test_an_empty_channel_is_that_of_those_without_one(outbox, room, gateway):
    make_session(gateway, connection_id="x", channel_name="")
    assert run("--channel", "", HELLO) == "Sent to 1 connection; 0 gone, 0 failed.\n"
    assert reached(outbox) == "x"


def test_nobody_being_there_is_a_success(outbox, room):
    assert run("--channel", "empty", HELLO) == "Sent to 0 connections; 0 gone, 0 failed.\n"


def test_an_unknown_user_is_an_error(outbox, room):
    with pytest.raises(CommandError, match=r"^There is no user carol\.$"):
        run("--user", "carol", HELLO)
    assert outbox == []


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "--channel", "room"], ["--user", "alice", "--all"]]
)
def test_one_says_to_whom_once(outbox, room, arguments):
    with pytest.raises(CommandError, match=r"--channel|--user"):
        run(*arguments, HELLO)
    assert outbox == []


# The message


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_the_message_may_come_from_the_standard_input(outbox, room, typed, arguments):
    typed('{"text":\n  "h\u00e9llo"}\n')
    run("--channel", "room", *arguments)
    assert outbox.to("a") == [{"text": "h\u00e9llo"}]


@pytest.mark.parametrize("message", ['"hello"', "-5", "null", "[1, 2.5]"])
def test_any_json_is_a_message(outbox, room, message):
    run("--all", message)
    assert outbox.to("a") == [json.loads(message)]


def test_a_text_is_sent_as_it_is(outbox, room, typed):
    typed("<p>h\u00e9llo</p>\n")
    run("--all", "--text", "<p>hello</p>")
    run("--all", "--text")
    assert [message.text for message in outbox[::3]] == ["<p>hello</p>", "<p>h\u00e9llo</p>\n"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("\ud800", "no UTF-8 form"), ("x" * 131_073, "131073 bytes")],
)
def test_a_text_that_cannot_be_sent_is_an_error_that_says_why(outbox, room, text, reason):
    with pytest.raises(CommandError, match=rf"(?s){reason}.*Nothing was sent\.$"):
        run("--all", "--text", text)
    assert outbox == []


def test_input_that_is_no_text_is_an_error(outbox, room, monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"\xff"), "utf-8"))
    with pytest.raises(CommandError, match=r"is not text .*Nothing was sent\.$"):
        run("--all", "--text")
    assert outbox == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "not JSON"),
        ("", "not JSON"),
        ('{"a": 1} {"b": 2}', "not JSON"),
        ('{"share": NaN}', "NaN"),
        ("[-Infinity]", "-Infinity"),
        ("1e999", "no JSON form"),
        ("[" * 100_000, "not JSON"),
        (r'"\ud800"', "no JSON form"),
        (json.dumps("x" * 131_072), "131074 bytes"),
    ],
    ids=["text", "empty", "two", "nan", "infinity", "huge", "deep", "surrogate", "large"],
)
def test_what_cannot_be_sent_is_an_error_that_says_why(outbox, room, typed, message, reason):
    typed(message)
    with pytest.raises(CommandError, match=rf"(?s)^The message .*{reason}.*Nothing was sent\.$"):
        run("--all")
    assert outbox == []


def test_a_missing_region_is_an_error_that_names_the_settings(outbox, settings, gateway):
    settings.AWS_REGION_NAME = None
    gateway.api_endpoint = ""
    gateway.save()
    make_session(gateway)
    with pytest.raises(CommandError, match="AWS_GATEWAY_REGION_NAME"):
        run("--all", HELLO)
    assert outbox == []


# The outcome


def test_those_that_are_gone_are_counted_and_are_no_error(outbox, room):
    outbox.gone.add("b")
    assert run("--all", HELLO) == "Sent to 2 connections; 1 gone, 0 failed.\n"


def test_failures_are_an_error_with_their_reasons(outbox, room):
    outbox.failing.update(
        a="ForbiddenException", b="EndpointConnectionError", c="ForbiddenException"
    )
    stdout = StringIO()
    with pytest.raises(CommandError) as error:
        run("--all", HELLO, stdout=stdout)
    assert stdout.getvalue() == "Sent to 0 connections; 0 gone, 3 failed.\n"
    assert str(error.value).splitlines() == [
        "3 connections could not be reached.",
        "2 failed: ForbiddenException",
        "1 failed: EndpointConnectionError",
    ]
    assert error.value.returncode == 1


def test_with_verbosity_0_it_is_silent_but_for_errors(outbox, room):
    terminal = Terminal()
    assert run("--all", HELLO, verbosity=0, stderr=terminal) == ""
    assert terminal.getvalue() == ""
    outbox.failing["a"] = "ForbiddenException"
    with pytest.raises(CommandError, match="1 failed: ForbiddenException"):
        run("--all", HELLO, verbosity=0)


# On a terminal


class Terminal(StringIO):
    def isatty(self):
        return True


def screen(text):
    """The lines that a terminal shows after such text."""
    lines, column = [""], 0
    for character in text:
        if character == "\n":
            lines.append("")
        elif character == "\r":
            column = 0
        else:
            lines[-1] = lines[-1][:column] + character + lines[-1][column + 1 :]
            column += 1
        if character == "\n":
            column = 0
    return [line.rstrip() for line in lines]


def test_the_bar_is_drawn_and_wiped_off(outbox, room):
    terminal = Terminal()
    run("--all", HELLO, stderr=terminal)
    assert f"[{'#' * 30}] 100%  3 of 3 connections\r" in terminal.getvalue()
    assert screen(terminal.getvalue()) == [""]


def test_without_anybody_there_is_no_bar(outbox, room):
    terminal = Terminal()
    run("--channel", "empty", HELLO, stderr=terminal)
    assert "[" not in terminal.getvalue()
    assert screen(terminal.getvalue()) == [""]


def test_an_error_finds_the_bar_wiped_off(outbox, room):
    terminal = Terminal()
    outbox.failing["a"] = "ForbiddenException"
    with pytest.raises(CommandError):
        run("--all", HELLO, stderr=terminal)
    assert screen(terminal.getvalue()) == [""]


class Console:
    """A pseudo-terminal, and what has been written to it."""

    def __init__(self):
        import pty

        self.reader, self.end = pty.openpty()

    def read(self):
        """All that was written, when the last process that has it open has ended."""
        os.close(self.end)
        text = b""
        try:
            while some := os.read(self.reader, 4096):
                text += some
        except OSError:
            pass  # Linux says so that no process has it open.
        finally:
            os.close(self.reader)
        return text.decode()


@pytest.fixture
def console():
    pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    return Console()


@pytest.fixture
def site(transactional_db, edge, room, open_site):
    """A site with the room, in which "b" has gone."""
    edge.when("@connections/b$", 410, error_type="GoneException")
    return open_site()


RESULT = "Sent to 2 connections; 1 gone, 0 failed."


def test_at_a_terminal_the_bar_is_there_and_the_result_alone_remains(site, console):
    process = site.start(
        "sendWebSocketMessage",
        "--all",
        HELLO,
        stdout=console.end,
        stderr=console.end,
    )
    shown = console.read()
    assert process.wait(DEADLINE) == 0
    assert "] 100%  3 of 3 connections" in shown
    assert screen(shown) == [RESULT, ""]


@pytest.mark.once
def test_the_bar_goes_to_stderr_and_the_result_to_stdout(site, console, edge):
    process = site.start("sendWebSocketMessage", "--channel=room", HELLO, stderr=console.end)
    shown = console.read()
    assert process.communicate()[0] == f"{RESULT}\n"
    assert "] 100%  3 of 3 connections" in shown
    assert screen(shown) == [""]
    assert sorted(edge.lines) == [f"POST /production/@connections/{name}" for name in "abc"]
    assert {request.body.decode() for request in edge.requests} == {HELLO}


@pytest.mark.once
def test_in_a_pipe_there_is_the_result_and_nothing_else(site, edge):
    process = site.start("sendWebSocketMessage", "--all", stdin=subprocess.PIPE)
    assert process.communicate(HELLO, timeout=DEADLINE) == (f"{RESULT}\n", "")
    assert process.returncode == 0
    assert {request.body.decode() for request in edge.requests} == {HELLO}


@pytest.mark.once
def test_a_failure_is_the_status_1(site, edge):
    edge.when("@connections/c$", 403, error_type="ForbiddenException")
    process = site.start("sendWebSocketMessage", "--all", HELLO)
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert stdout == "Sent to 1 connection; 1 gone, 1 failed.\n"
    assert stderr.endswith(
        "CommandError: 1 connection could not be reached.\n1 failed: ForbiddenException\n"
    )
    assert process.returncode == 1


def test_ctrl_c_ends_it_with_a_line_that_says_how_far_it_came(site, edge, console):
    held = edge.when("@connections/c$", hold=True)
    process = site.start("sendWebSocketMessage", "--all", HELLO, stderr=console.end)
    assert held.arrived.wait(DEADLINE)
    process.send_signal(signal.SIGINT)
    held.release.set()
    shown = "\n".join(screen(console.read()))
    line = r"Interrupted after \d( of 3)? connections; some more may have got it\.\n"
    assert re.fullmatch(line, shown), shown
    assert (process.communicate()[0], process.wait(DEADLINE)) == ("", 130)
