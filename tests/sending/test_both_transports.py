"""What a server can do to a message: the same outcome with our sockets and with boto3, in time."""

from __future__ import annotations

import threading
import time
from itertools import count

import pytest

from django_aws_api_gateway_websockets import sending
from django_aws_api_gateway_websockets.aws import Endpoint
from django_aws_api_gateway_websockets.sending import CLOSED, GONE, SENT, Recipient, failed
from tests.edge import DEADLINE
from tests.wire import OK, FullHouse, Server, read_request, wait_until

stages = count()


@pytest.fixture(params=["boto3", "sockets"])
def way(request, settings):
    settings.WEBSOCKETS = {"transport": request.param}
    return request.param


@pytest.fixture
def hurried(way, settings):
    settings.WEBSOCKETS = {"transport": way, "send_timeout": 1}


def recipients(server, number=1):
    endpoint = Endpoint(f"http://127.0.0.1:{server.port}/stage{next(stages)}", "eu-west-1")
    return [Recipient(f"c{n}", endpoint) for n in range(number)]


def send(server, number=1):
    return [outcome for _, outcome in sending.fan_out(b"x", recipients(server, number))]


# Error codes


def error(header="", body=""):
    header = f"x-amzn-ErrorType: {header}\r\n" if header else ""
    return f"HTTP/1.1 400 B\r\n{header}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error("BadRequestException"), "BadRequestException"),
        (error("a.b#Bad_Request.2:http://x/"), "Bad_Request.2"),
        (error("x" * 65), "400"),
        (error("Bad \x1b[31mEvent"), "400"),
        (error("Bad\tEvent"), "400"),
        (error(body='{"__type": "Bad\\nEvent refused FORGED LINE"}'), "400"),
        (error(body='{"__type": "%s"}' % ("x" * 60_000)), "400"),
        (error(body='{"code": "a\\u2028line"}'), "400"),
        (error(body='{"message": "Bad\\nEvent"}'), "400"),
        (error(body='{"__type": "InBody"}'), "InBody"),
    ],
)
def test_an_error_code_is_short_and_plain_or_the_status_is_said(answer, reason):
    with Server() as server:
        server.answering = lambda request: answer
        assert send(server) == [failed(reason)]


@pytest.mark.parametrize("code", ["", "Bad\nEvent", "x" * 60_000, None, 7])
def test_an_error_code_of_boto3_is_short_and_plain(code):
    """botocore's own parsers, and the fakes of a site's tests, may say anything."""
    from botocore.exceptions import ClientError

    from django_aws_api_gateway_websockets.sending.boto import outcome_of

    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    reason = outcome_of(ClientError(answer, "PostToConnection")).reason
    assert reason in {"400", "None", "7"}


# Deadlines


class Held(Server):
    """Sends these bytes in answer to everything, drips some more, and never ends."""

    def __init__(self, at_once=b"", drips=b""):
        super().__init__()
        self._at_once, self._drips = at_once, drips
        self.is_over = threading.Event()

    def __exit__(self, *exc_info):
        self.is_over.set()
        super().__exit__(*exc_info)

    def serve(self, number, connection, stream):
        stream.readline()
        connection.sendall(self._at_once)
        while not self.is_over.wait(0.05):
            connection.sendall(self._drips)


DRIPPING = [(b"", b""), (b"", b"H"), (b"HTTP/1.1 400 B\r\nX-A: ", b"b")]


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("at_once", "drips"), DRIPPING, ids=["hangs", "drips", "header drips"])
def test_send_timeout_ends_a_message_whatever_a_server_does(at_once, drips):
    with Held(at_once, drips) as server:
        began = time.monotonic()
        outcomes = send(server, 30)
        assert 0.8 < time.monotonic() - began < 2
    assert len(outcomes) == 30
    assert {outcome.status for outcome in outcomes} == {"failed"}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("number", "at_once", "drips"),
    [(300, *DRIPPING[0]), (1, *DRIPPING[1])],
    ids=["hangs", "drips"],
)
def test_closing_ends_within_three_seconds_whatever_a_server_does(number, at_once, drips):
    with Held(at_once, drips) as server:
        began = time.monotonic()
        outcomes = [outcome for _, outcome in sending.close(recipients(server, number))]
        assert time.monotonic() - began < 3.7
    assert len(outcomes) == number
    assert {outcome.status for outcome in outcomes} == {"failed"}


@pytest.mark.usefixtures("hurried")
def test_an_endpoint_that_takes_no_connection_is_left_in_time():
    with FullHouse() as server:
        began = time.monotonic()
        outcomes = send(server, 300)
        assert time.monotonic() - began < 2
    assert len(outcomes) == 300
    assert {outcome.status for outcome in outcomes} == {"failed"}


@pytest.mark.usefixtures("way")
def test_those_who_are_well_are_served_beside_one_who_hangs(settings, way):
    settings.WEBSOCKETS = {"transport": way, "send_timeout": 2}
    is_over = threading.Event()
    with Server() as server:
        server.answering = lambda request: (
            is_over.wait(DEADLINE) and None if request.target.endswith("/c3") else OK
        )
        outcomes = send(server, 50)
        is_over.set()
    assert outcomes.count(SENT) == 49


class Interruption(BaseException):
    """Like gevent.Timeout, which is no Exception."""


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("kind", [Interruption, TimeoutError, KeyboardInterrupt])
def test_what_the_caller_raises_ends_the_message_at_once(kind):
    """It is raised where the next recipient is read, as by a signal's handler."""
    with Held() as server:

        def interrupted():
            yield from recipients(server, 3)
            raise kind

        began = time.monotonic()
        with pytest.raises(kind):
            list(sending.fan_out(b"x", interrupted()))
        assert time.monotonic() - began < 2


@pytest.mark.usefixtures("way")
def test_a_message_that_is_broken_off_ends_at_once():
    with Held() as server, Server() as well:
        both = [*recipients(well), *recipients(server, 3)]
        results = sending.fan_out(b"x", both)
        began = time.monotonic()
        assert next(results)[1] == SENT
        results.close()
        assert time.monotonic() - began < 2


def test_the_threads_of_boto3_end_with_their_message(settings):
    settings.WEBSOCKETS = {"transport": "boto3"}

    before = set(threading.enumerate())

    def working():
        return [each for each in set(threading.enumerate()) - before if "send" in each.name]

    with Held() as server:
        settings.WEBSOCKETS = {"transport": "boto3", "send_timeout": 0.5}
        send(server, 5)
        assert len(working()) == 5
    assert wait_until(lambda: not working(), DEADLINE)


@pytest.mark.usefixtures("way")
def test_a_process_that_may_have_no_more_threads_sends_all_the_same(monkeypatch):
    usual = threading.Thread.start

    def start(thread):
        if thread.name.startswith("websocket-"):
            raise RuntimeError("can't start new thread")
        usual(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with Server() as server:
        assert send(server, 20) == [SENT] * 20
        assert {outcome for _, outcome in sending.close(recipients(server, 20))} == {CLOSED}


@pytest.mark.usefixtures("way")
def test_an_early_hint_is_no_success(settings, way):
    """Python's http.client, which boto3 uses, takes it for the answer; our sockets read on."""
    with Server() as server:
        server.answering = lambda request: (
            b"HTTP/1.1 103 E\r\nLink: </>\r\n\r\nHTTP/1.1 410 G\r\nContent-Length: 0\r\n\r\n"
        )
        assert set(send(server, 20)) <= {GONE, failed("103")}


# Answers


def closing(status):
    return f"HTTP/1.1 {status}\r\nConnection: close\r\n"


ANSWERS = {
    "200": ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", SENT),
    "204": ("HTTP/1.1 204 No Content\r\n\r\n", SENT),
    "HTTP/1.0": ("HTTP/1.0 200 OK\r\n\r\n", SENT),
    "until the end": (closing("200 OK") + "\r\nabc", SENT),
    "100": ("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 410 G\r\nContent-Length: 0\r\n\r\n", GONE),
    "300": ("HTTP/1.1 300 M\r\nContent-Length: 0\r\n\r\n", failed("300")),
    "304": ("HTTP/1.1 304 N\r\n\r\n", failed("304")),
    "large": ("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + "x" * 100_000, SENT),
    "chunked": (
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        GONE,
    ),
    "garbage": ("SSH-2.0-OpenSSH_9.2\r\n", None),
    "HTTP/0.9": ("<html>no</html>", None),
    "no status": ("HTTP/1.1 \r\n\r\n", None),
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("answer", "outcome"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_has_one_outcome_whoever_reads_it(answer, outcome):
    def serve(number, connection, stream):
        request = stream.readline()
        if request:
            connection.sendall(answer.encode())

    with Server() as server:
        server.serve = serve
        (found,) = send(server)
    if outcome:
        assert found == outcome
    else:
        assert found.status == "failed"


ODD = {
    "cut": "Content-Length: 1000\r\n\r\nabc",
    "cut in its head": "X-A: b\r\n",
    "length twice": "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "no length": "Content-Length: abc\r\n\r\n",
    "two framings": "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "more than it said": "Content-Length: 0\r\n\r\nHTTP/1.1 500 E\r\nContent-Length: 0\r\n\r\n",
}

#: What botocore takes for a lost connection. Our sockets go by the status.
ODDER = {
    "150 headers": "".join(f"X-{n}: y\r\n" for n in range(150)) + "Content-Length: 0\r\n\r\n",
    "long header": "X-A: " + "y" * 70_000 + "\r\nContent-Length: 0\r\n\r\n",
    "two lengths": "Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde",
    "a broken chunk": "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
}


@pytest.mark.parametrize(
    ("way", "rest"),
    [
        *(("boto3", rest) for rest in ODD.values()),
        *(("sockets", rest) for rest in [*ODD.values(), *ODDER.values()]),
    ],
    indirect=["way"],
)
@pytest.mark.parametrize(
    ("status", "outcome"), [("200", SENT), ("410", GONE), ("400", failed("400"))]
)
def test_the_status_decides_whatever_is_odd_about_the_rest(way, status, outcome, rest):
    def serve(number, connection, stream):
        if read_request(number, stream):
            connection.sendall(f"HTTP/1.1 {status} X\r\n{rest}".encode())

    with Server() as server:
        server.serve = serve
        assert send(server, 3) == [outcome] * 3
        assert server.connections == 3


@pytest.mark.usefixtures("way")
def test_closing_takes_any_success_for_one():
    with Server() as server:
        server.answering = lambda request: b"HTTP/1.1 204 No Content\r\n\r\n"
        assert [outcome for _, outcome in sending.close(recipients(server, 5))] == [CLOSED] * 5
