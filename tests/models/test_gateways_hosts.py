"""Columns of a gateway that become a part of a host: what is refused, and where."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from tests.factories import fresh, make_created_gateway, make_gateway, make_session

pytestmark = pytest.mark.django_db

HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"

VALID = [
    ("domain_name", "ws.example.com"),
    ("domain_name", "a-b.1.xn--bcher-kva.example"),
    ("domain_name", "ws.localhost"),
    ("domain_name", ""),
    ("stage_name", "production"),
    ("stage_name", "Beta_2-x"),
    ("stage_name", ""),
    ("api_id", "a1b2c3d4e5"),
    ("api_id", ""),
    ("api_endpoint", f"wss://{HOST}"),
    ("api_endpoint", "wss://x.execute-api.cn-north-1.amazonaws.com.cn"),
    ("api_endpoint", "wss://x.execute-api.eu-west-1.api.aws"),
    ("api_endpoint", "ws://127.0.0.1:9000/a1b2c3d4e5"),
    ("api_endpoint", "ws://[::1]:9000"),
    ("api_endpoint", "ws://gateway:9000"),
    ("api_endpoint", ""),
]

#: What changes the host of a URL, or is none.
TRICKS = [
    "@evil.net",
    "/",
    "/evil.net",
    "\\evil.net",
    "?x",
    "#x",
    ":99999999",
    "\n",
    " ",
    "\t",
    "\0",
]
BAD_DOMAINS = [f"ws.example.com{trick}" for trick in TRICKS] + [
    *("WS.example.com", "bücher.example", "*.example.com", ".example.com", "ws.example.com."),
    *("ws..example.com", "-ws.example.com", "ws-.example.com", "under_score.example.com"),
    *("localhost", "127.0.0.1", "[::1]", "ws.example.com:8443", "wss://ws.example.com"),
    *("user@ws.example.com", f"{'a' * 64}.example.com", f"{'a.' * 127}com", "ws.ex\uff41mple.com"),
]
OTHER_PATH = "ws://127.0.0.1:9000/another"
BAD_ENDPOINTS = [
    OTHER_PATH,
    *(f"wss://{HOST}{trick}" for trick in TRICKS),
    *(f"https://{HOST}", HOST, f"//{HOST}", "javascript:alert(1)", "wss://", "wss:///x"),
    *(f"wss://evil.net/{HOST}", f"wss://user:pass@{HOST}", f"wss://{HOST}/a1b2c3d4e5/../x"),
    *(f" wss://{HOST}", f"wss://evil.net\\.{HOST}", f"wss://\uff45vil.{HOST}"),
]
BAD_STAGES = ["a/b", "../x", "a?b", "a#b", "a b", "a\n", "a.b", "ä", "a%2Fb", "$default"]
BAD_IDS = ["evil.net/", "a.b", "a@b", "a/b", "a#", "a?", "a\n", "ä", "a b"]

BAD = [
    *(("domain_name", text) for text in BAD_DOMAINS),
    *(("api_endpoint", text) for text in BAD_ENDPOINTS),
    *(("stage_name", text) for text in BAD_STAGES),
    *(("api_id", text) for text in BAD_IDS),
]


@pytest.mark.parametrize(("field", "text"), VALID)
def test_what_aws_and_the_local_gateway_give_is_valid(field, text):
    gateway = make_gateway(**{"api_id": "a1b2c3d4e5", field: text})
    gateway.full_clean()


@pytest.mark.parametrize(("field", "text"), BAD)
def test_what_would_lead_elsewhere_is_not_valid(field, text):
    gateway = ApiGateway(**{"api_name": "Chat", "api_id": "a1b2c3d4e5", field: text})
    with pytest.raises(ValidationError) as errors:
        gateway.full_clean()
    assert field in errors.value.message_dict


@pytest.mark.parametrize(("field", "text"), [pair for pair in BAD if "\0" not in pair[1]])
def test_saving_takes_what_1_1_1_took(field, text):
    gateway = make_gateway(**{field: text[:63]})
    assert getattr(fresh(gateway), field) == text[:63]


def test_a_form_without_the_field_is_not_kept_from_saving():
    """What is stored already, in a field that is read-only by now, refuses no other change."""
    gateway = make_created_gateway(api_endpoint="https://evil.net/")
    gateway.clean_fields(exclude={"api_endpoint"})
    with pytest.raises(ValidationError):
        gateway.clean_fields()


# Where a host is made of them


@pytest.mark.parametrize("text", [text for text in BAD_DOMAINS if text != "WS.example.com"])
def test_a_bad_domain_gives_no_url_and_no_origin(text, caplog):
    gateway = ApiGateway(api_name="Chat", domain_name=text, custom_domain_created=True)
    assert gateway.socket_url == ""
    assert gateway.own_hosts == ()
    assert "No socket URL gateway=Chat: " in caplog.text


def is_harmless(text):
    """moto answers with https://, and a path of one name, or of none, leads to the same host."""
    return text in (f"https://{HOST}", f"wss://{HOST}/", OTHER_PATH)


@pytest.mark.parametrize("text", [text for text in BAD_ENDPOINTS if not is_harmless(text)])
def test_a_bad_endpoint_gives_no_url_and_no_origin(text, caplog):
    gateway = ApiGateway(api_name="Chat", api_id="a1b2c3d4e5", api_endpoint=text)
    assert gateway.socket_url == ""
    assert gateway.own_hosts == ()
    assert "No socket URL gateway=Chat: " in caplog.text


@pytest.mark.parametrize("text", BAD_STAGES)
def test_a_bad_stage_gives_no_url(text):
    assert ApiGateway(api_endpoint=f"wss://{HOST}", stage_name=text).socket_url == ""


def test_an_origin_is_its_own_only_once_the_domain_is_made():
    gateway = ApiGateway(domain_name="WS.example.com", api_endpoint=f"wss://{HOST}")
    assert gateway.own_hosts == (HOST,)
    gateway.custom_domain_created = True
    assert gateway.own_hosts == ("ws.example.com", HOST)
    assert ApiGateway().own_hosts == ()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("api_id", text) for text in BAD_IDS),
        *(("stage_name", text) for text in BAD_STAGES),
        *(("api_endpoint", text) for text in BAD_ENDPOINTS if not is_harmless(text)),
    ],
)
def test_nothing_is_sent_by_a_bad_gateway_and_the_others_go_on(edge, settings, field, text):
    if "\0" in text:
        pytest.skip("No database takes it")
    bad = make_created_gateway(**{"api_id": "a1b2c3d4e5", field: text})
    make_session(bad, connection_id="lost")
    make_session(make_created_gateway(), connection_id="well")
    report = WebSocketSession.objects.send_message("x")
    assert (report.sent, report.failed) == (1, 1)
    ((reason, _),) = report.reasons.items()
    assert repr(text)[:20] in reason
    assert [request.connection_id for request in edge.requests] == ["well"]


def test_a_slash_at_the_end_of_an_endpoint_is_not_doubled():
    assert ApiGateway(api_endpoint=f"wss://{HOST}/").socket_url == f"wss://{HOST}/production"
