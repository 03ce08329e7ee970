"""The requests that hypothesis makes up: those of strangers, and of clients of API Gateway.

FUZZ_EXAMPLES    how many of each kind; without it they are few, and the same ones each time
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Mapping, Sequence
from urllib.parse import urlencode

from hypothesis import HealthCheck, example, settings
from hypothesis import strategies as st

from django_aws_api_gateway_websockets.security import proof
from tests.watched import (
    ALICE,
    API_ID,
    CONNECTIONS,
    FINGERPRINT,
    FULL,
    GUEST,
    HANDLERS,
    HOME,
    LOGIN,
    NO_HANDLERS,
    OTHER,
    PROOF,
    TICKET,
    UNDEPLOYED_PROOF,
    Sent,
)

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")

fuzzed = settings(
    max_examples=int(EXAMPLES or 200),
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[
        # All examples have the same site, and what one of them writes is undone.
        HealthCheck.function_scoped_fixture,
        # How fast the machine is at the moment is no claim of ours.
        HealthCheck.too_slow,
    ],
)


def examples(**values: Sequence[Any]) -> Callable[[Any], Any]:
    """Decorate a test to try each of these values of its argument as well, in any case."""
    ((name, cases),) = values.items()

    def decorate(test: Any) -> Any:
        for case in cases:
            test = example(**{name: case})(test)
        return test

    return decorate


# What requests are made of

#: WSGI hands the bytes of a header on as Latin-1.
latin = st.text(st.characters(max_codepoint=255), max_size=300)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=140)


def mostly(usual: Any, strategy: Any) -> Any:
    """The usual strategy four times in five, else the other one."""
    return st.integers(0, 4).flatmap(lambda number: usual if number else strategy)


EVENTS = ("connect", "default", "disconnect")
routes = mostly(
    st.sampled_from(EVENTS),
    st.one_of(
        st.sampled_from([*HANDLERS, *NO_HANDLERS, "forbidden"]),
        st.from_regex(r"\A[-a-zA-Z0-9_]{1,40}\Z"),
        text,
    ),
)
methods = st.one_of(
    st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]),
    st.text(st.characters(max_codepoint=255), max_size=9),
)
connection_ids = st.one_of(
    st.sampled_from([*CONNECTIONS, "New="]),
    st.sampled_from([GUEST.lower(), f" {GUEST}", f"{GUEST}\n", f"{GUEST}\0"]),
    st.integers(250, 300).map("x".__mul__),
    latin,
)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=140)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
)
actions = st.one_of(
    st.sampled_from([*HANDLERS, "change_channel", "forbidden"]),
    st.sampled_from(NO_HANDLERS),
    text,
    values,
)
messages = st.fixed_dictionaries(
    {"action": actions}, optional={"channel": text | values, "text": values, "more": values}
)


def _encoded(data: Any, encoding: str, ensure_ascii: bool) -> bytes:
    # Half a surrogate pair has no encoding, and is sent all the same.
    return json.dumps(data, ensure_ascii=ensure_ascii).encode(encoding, "surrogatepass")


bodies = mostly(
    messages.map(json.dumps).map(str.encode),
    st.one_of(
        st.builds(
            _encoded,
            messages | values,
            st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]),
            st.booleans(),
        ),
        st.builds(
            bytes.__mul__, st.sampled_from([b"[", b'{"action":', b"9"]), st.integers(0, 9999)
        ),
        st.binary(max_size=300),
        st.just(b""),
    ),
)
queries = st.one_of(
    st.lists(
        st.tuples(st.sampled_from(["channel", "ws_token", FULL]), text | st.just(TICKET)),
        max_size=3,
    ).map(urlencode),
    text.map(lambda channel: urlencode({"channel": channel})),
    st.sampled_from(["ws_token=%2B2AA-", r"ws_token=\ud800", "channel=%ED%A0%80"]),
    latin,
)


# Headers

#: Those that make surrogates among them. (At one that is no text encoding, such as "hex", or a
#: charset with a NUL, Django fails before there is a view.)
CHARSETS = ("utf-7", "raw_unicode_escape", "utf-16", "latin-1", "no such")

OWN_ORIGINS = ("https://testserver", "https://testserver:443")
FOREIGN_ORIGINS = (
    *("http://testserver", "https://testserver:8443", "https://testserver.evil.net", "null", "*"),
    *("https://evil.net/?testserver", "https://evil.net\\@testserver", "https://a@testserver"),
    *("https://testserver/", "https://testserver\0", "https://[::1", "https://testserver:x", ""),
)
origins = st.none() | st.sampled_from([*OWN_ORIGINS, *FOREIGN_ORIGINS]) | latin
cookies = st.one_of(
    st.sampled_from([f"sessionid={LOGIN}", f"a=b; sessionid={LOGIN}; sessionid=c"]),
    st.sampled_from(
        [
            r'sessionid="\000-long-enough"',
            "sessionid=\0-long-enough",
            "sessionid=\xed\xa0\x80 34567",
        ]
    ),
    st.integers(1, 9999).map("x".__mul__).map("sessionid={}".format),
    latin.map("sessionid={}".format),
    latin,
)
content_types = st.one_of(
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]),
    st.sampled_from(CHARSETS).map("text/plain; charset={}".format),
    latin.map(lambda value: value.replace("\0", "")),
)
#: What API Gateway lets a client say.
OF_CLIENTS = {
    "Origin": origins,
    "Cookie": cookies,
    "Content-Type": content_types,
    "Content-Length": st.sampled_from(["", "0", "-1", "1e3", "\xb2", "9" * 5000]) | latin,
    "Sec-Websocket-Key": latin,
    "Sec-Websocket-Version": latin,
    "Sec-Websocket-Protocol": st.sampled_from(["json", "xml, json", ",,"]) | latin,
    "User-Agent": latin,
    "X-Forwarded-For": latin,
    "X-Forwarded-Host": latin,
    "X-Http-Method-Override": st.sampled_from(["GET", "DELETE"]),
    "X-Csrftoken": latin,
}
#: What somebody may say besides who posts to the view without API Gateway.
OF_STRANGERS = {
    API_ID: st.sampled_from([OTHER, "", None, "\0", f"{HOME}\0", "unknown"]) | latin,
    "Host": st.sampled_from([None, "", "evil.net", "testserver:80"]) | latin,
    "X-Forwarded-Proto": st.sampled_from([None, "", "http"]) | latin,
    "X_Websocket-Secret": latin,
}
forged_proofs = st.one_of(
    st.none(),
    st.sampled_from(["", FINGERPRINT, UNDEPLOYED_PROOF, f"{PROOF}, {PROOF}"]),
    latin,
)


def some_of(headers: Mapping[str, Any]) -> Any:
    """A few of these headers."""
    pairs = [st.tuples(st.just(name), value) for name, value in headers.items()]
    return st.lists(st.one_of(pairs), max_size=3).map(dict)


@st.composite
def requests(draw: Any, headers: Any) -> Sent:
    route = draw(routes)
    is_handshake = route in ("connect", "disconnect")
    usual = ["New="] if route == "connect" else [GUEST, ALICE]
    return Sent(
        route,
        draw(mostly(st.just(b""), bodies) if is_handshake else bodies),
        draw(queries),
        draw(headers),
        draw(mostly(st.sampled_from(usual), connection_ids)),
        draw(mostly(st.just("POST"), methods)),
    )


of_clients = requests(some_of(OF_CLIENTS))
of_strangers = requests(
    st.builds(
        lambda claimed, forged: {**claimed, proof.HEADER: forged},
        some_of({**OF_CLIENTS, **OF_STRANGERS}),
        forged_proofs,
    )
)
