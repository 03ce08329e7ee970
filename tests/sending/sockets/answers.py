"""Answers of every shape: whole ones, broken ones, and ones that lie about their length.

Each is made of parts that a ``choose`` picks: hypothesis's draw, or that of a random generator.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

#: Returns one of these.
Choose = Callable[[Sequence[Any]], Any]

INTERIM = (
    *(
        b"",
        b"",
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n",
    ),
    *(
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 1\r\n\r\n",
    ),
)
VERSIONS = (
    b"HTTP/1.1",
    b"HTTP/1.1",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"HTTP/2",
    b"http/1.1",
    b"ICY",
    b"",
)
STATUSES = (
    *(b"200 OK", b"200", b"200 ", b"204 No Content", b"304 Not Modified", b"403 Forbidden"),
    *(
        b"410 Gone",
        b"429 Too Many",
        b"500 Error",
        b"503 \xff\xfe",
        b"099 X",
        b"1000 X",
        b"2oo OK",
        b"",
    ),
)
#: The end of a line.
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n")
HEADERS = (
    *(b"Date: Wed, 25 Nov 2026 10:00:00 GMT", b"Connection: keep-alive", b"Connection: close"),
    *(
        b"Content-Type: application/json",
        b"X-Folded: a\r\n b",
        b" leading: x",
        b"no colon",
        b": x",
    ),
    *(
        b"X-Mentions: content-length: 3",
        b"X-Long: " + b"y" * 300,
        b"\xff: \xff",
        b"X-Nul: \0",
        b"X: \r",
    ),
)
LENGTHS = (b"Content-Length", b"content-length", b"Content-Length ", b"CONTENT-LENGTH")
BODIES = (
    b"",
    b"{}",
    b'{"__type": "InBody"}',
    b'{"message": "x"}',
    b"x" * 2000,
    b"0\r\n\r\n",
    b"\r\n",
)


def head(choose: Choose, error_type: bytes, *framing: bytes) -> bytes:
    """An answer up to its body, with AWS's error type among its headers."""
    lines = [choose(VERSIONS) + b" " + choose(STATUSES)]
    lines += [choose(HEADERS) for _ in range(choose(range(3)))]
    lines += [b"x-amzn-ErrorType: " + error_type, *framing]
    return b"".join(line + choose(ENDS) for line in [*lines, b""])


def with_length(choose: Choose, error_type: bytes) -> bytes:
    body = choose(BODIES)
    wrong = choose([0, 0, 0, 0, 1, -1, 5000, 10**30, -len(body) - 1])
    length = choose(LENGTHS) + b": %d" % (len(body) + wrong)
    return head(choose, error_type, *[length] * choose([1, 1, 1, 2])) + body


def chunked(choose: Choose, error_type: bytes) -> bytes:
    chunks = [
        b"%x" % len(body) + choose([b"", b";x=y"]) + b"\r\n" + body + b"\r\n"
        for body in BODIES
        if body
    ]
    wrong = choose([b"", b"", b"", b"zz\r\n{}", b"-1\r\n", b"ffffffff\r\n{}"])
    end = choose([b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX: trailer\r\n\r\n", b"", b"0\r\n"])
    return (
        head(
            choose,
            error_type,
            choose([b"Transfer-Encoding: chunked", b"transfer-encoding: CHUNKED"]),
        )
        + b"".join(choose(chunks) for _ in range(choose(range(4))))
        + wrong
        + end
    )


def until_the_end(choose: Choose, error_type: bytes) -> bytes:
    return head(choose, error_type) + choose(BODIES)


def no_http(choose: Choose, error_type: bytes) -> bytes:
    return choose(
        [
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\0" * 100,
            b"\r\n\r\n",
            b"HTTP/1.1",
            b"<html>" * 50,
            b"\xff",
        ]
    )


def answer(choose: Choose, error_type: bytes) -> bytes:
    kind = choose([with_length, with_length, with_length, chunked, until_the_end, no_http])
    return choose(INTERIM) + kind(choose, error_type)
