"""IntegrationUri: what can be called, and what is refused when it is set."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from .refusals import BAD, refusal
from .world import Api

CALLABLE = [
    "http://example.com",
    "https://example.com/ws/?a=1&b=%20",
    "http://127.0.0.1:8000/ws/",
    "http://[::1]:8000/ws/",
    "http://localhost:1/",
    "http://localhost:65535/",
    "http://my_site:8000/ws/{kind}/",
    "http://example.com./",
    "http://xn--bcher-kva.example/",
    "http://example.com/ü/",
    "http://example.com/" + "x" * 2000,
]
NOT_CALLABLE = [
    "",
    "x",
    "ftp://example.com/",
    "ws://example.com/",
    "example.com/ws/",
    "//example.com/ws/",
    "http:",
    "http://",
    "http:///ws/",
    "http://?a",
    "http://:80/",
    "http://127.0.0.1:99999/x",
    "http://127.0.0.1:65536/x",
    "http://127.0.0.1:0/x",
    "http://127.0.0.1:-1/x",
    "http://127.0.0.1:http/x",
    "http://127.0.0.1:8000:9000/x",
    "http://exa mple/x",
    " http://example.com/",
    "http://example.com/ ",
    "http://example.com/a b",
    "http://example.com/a\nb",
    "http://example.com/a\tb",
    "http://example.com/a\x00b",
    "http://example.com/a\x7fb",
    "http://example.com/a\u00a0b",
    "http://example.com/%zz",
    "http://example.com/%",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://@example.com/",
    "http://example.com/#part",
    "http://example.com\\x",
    "http://exa%20mple/",
    "http://a..b/",
    "http://.example.com/",
    "http://./",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://bücher.example/",
    "http://999.1.1.1/",
    "http://1.2.3/",
    "http://[::1/",
    "http://::1/",
    "http://[nonsense]/",
    "http://[127.0.0.1]/",
    "http://{host}/",
    "http://${stageVariables.host}/",
    "http://example.com/${stageVariables.path}",
    "http://example.com/" + "x" * 2048,
]


@pytest.mark.parametrize("uri", CALLABLE)
def test_what_can_be_called_is_kept_as_it_is(world, uri):
    api = Api(world)
    identifier = api.add_integration("x", IntegrationUri=uri)
    shown = api.control.get_integration(ApiId=api.id, IntegrationId=identifier)
    assert shown["IntegrationUri"] == uri


def test_what_cannot_be_called_is_refused_at_creation_and_update(world):
    api = Api(world)
    where = {"ApiId": api.id, "IntegrationId": api.add_integration("x")}
    before = api.control.get_integration(**where)["IntegrationUri"]
    update = api.control.update_integration
    accepted = [
        uri
        for uri in NOT_CALLABLE
        if refusal(api.add_integration, name="x", IntegrationUri=uri) != BAD
        or refusal(update, **where, IntegrationUri=uri) != BAD
    ]
    assert accepted == []
    assert api.control.get_integration(**where)["IntegrationUri"] == before
