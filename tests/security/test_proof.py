"""Proof that an event comes from API Gateway: who has it, and the answer without it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from django_aws_api_gateway_websockets.exceptions import AwsCallFailed, ConfigurationError
from django_aws_api_gateway_websockets.models import get_boto3_client
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.testing import WebSocketClient
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.aws_requests import HANDSHAKE, answered, post
from tests.factories import (
    fresh,
    make_created_gateway,
    make_gateway,
    make_live_gateway,
    make_route,
    make_session,
)

pytestmark = pytest.mark.django_db

MAPPED = "integration.request.header.X-Websocket-Secret"
UNKNOWN_GATEWAY = (400, b"Some of the required headers are missing")


@pytest.fixture
def ws(websocket):
    return websocket("/ws/")


def true_proof(ws):
    return proof.value_for(ws.gateway)


# What is mapped


def mapped(gateway):
    """The values that the gateway's integrations with the site map, as AWS has them."""
    found = get_boto3_client().get_integrations(ApiId=fresh(gateway).api_id)["Items"]
    proxies = [each for each in found if each["IntegrationType"] == "HTTP_PROXY"]
    return [integration["RequestParameters"][MAPPED].strip("'") for integration in proxies]


def test_every_integration_maps_the_same_secret_and_the_row_says_so(local_gateway):
    gateway = make_gateway()
    make_route(gateway, route_key="early")
    gateway.create_gateway()
    value = proof.value_for(gateway)
    assert mapped(gateway) == [value] * 4
    assert fresh(gateway).source_proof == proof.fingerprint(value) != value


@pytest.mark.django_db(transaction=True)
def test_a_route_that_is_added_later_maps_it_as_well(local_gateway):
    gateway = make_live_gateway()
    make_route(gateway, route_key="late")
    assert mapped(gateway) == [proof.value_for(gateway)] * 4


def test_each_gateway_and_each_key_has_a_value_of_its_own(settings):
    one, other = make_gateway(), make_gateway()
    values = {proof.value_for(one), proof.value_for(other)}
    settings.SECRET_KEY = "another"
    values |= {proof.value_for(one), proof.value_for(other)}
    assert len(values) == 4
    assert all(len(value) == 64 and proof.is_mappable(value) for value in values)


def test_a_secret_that_aws_would_refuse_and_print_is_not_sent_to_it(edge, settings):
    settings.WEBSOCKETS = {"source_secret": "it's mine"}
    gateway = make_gateway()
    with pytest.raises(ConfigurationError, match="without spaces, quotes") as found:
        gateway.create_gateway()
    assert "it's mine" not in f"{found.value}{fresh(gateway).last_error}{edge.requests}"
    assert not fresh(gateway).api_created


# What is refused


@pytest.fixture(params=["missing", "empty", "wrong", "cut", "longer", "upper", "foreign", "utf-8"])
def forged(request, ws):
    """A header that proves nothing."""
    value = true_proof(ws)
    return {
        "missing": None,
        "empty": "",
        "wrong": "0" * 64,
        "cut": value[:-1],
        "longer": f"{value}, {value}",
        "upper": value.upper(),
        "foreign": proof.value_for(make_created_gateway()),
        "utf-8": "sécret",
    }[request.param]


def test_a_connect_without_the_proof_is_refused(ws, forged):
    stranger = WebSocketClient("/ws/", headers={proof.HEADER: forged})
    assert answered(stranger.connect()) == UNKNOWN_GATEWAY
    assert stranger.session is None


@pytest.mark.parametrize("route", ["default", "disconnect", "whoami"])
def test_an_event_without_the_proof_is_refused(ws, forged, route):
    response = post(ws, route, b'{"action": "whoami"}', headers={proof.HEADER: forged})
    assert answered(response) == UNKNOWN_GATEWAY
    assert (ws.session.connected, ws.session.request_count) == (True, 1)


def test_nobody_learns_which_gateways_and_connections_exist(ws):
    for api_id in (ws.gateway.api_id, "nobodys"):
        for connection_id in (ws.connection_id, "nobodys="):
            headers = {"X-Amzn-Apigateway-Api-Id": api_id, "Connectionid": connection_id}
            forged = {**HANDSHAKE, **headers, proof.HEADER: "0" * 64}
            assert answered(post(ws, "connect", headers=forged)) == UNKNOWN_GATEWAY
            assert answered(post(ws, headers=forged)) == UNKNOWN_GATEWAY


@pytest.mark.parametrize("connection_id", [None, "nobodys="])
@pytest.mark.parametrize(("route", "selects"), [("connect", 1), ("default", 2)])
def test_a_forged_event_costs_the_same_whether_its_connection_exists(
    ws, route, selects, connection_id
):
    connection_id = connection_id or ws.connection_id
    headers = {**HANDSHAKE, proof.HEADER: "0" * 64, "Connectionid": connection_id}
    with CaptureQueriesContext(connection) as captured:
        response = post(ws, route, b"[" * 200_000, headers=headers)
    assert answered(response)[0] == 400  # Not the 413 for its body.
    assert [query["sql"].split()[0] for query in captured] == ["SELECT"] * selects


def test_a_hook_that_answers_a_forged_event_has_no_session_at_hand(ws, mount):
    class HelpfulView(WebSocketView):
        def _return_bad_request(self, msg):
            if self.websocket_session:
                self.websocket_session.send_message({"refused": msg})
            return super()._return_bad_request(msg)

    mount(HelpfulView)
    post(ws, headers={proof.HEADER: "0" * 64})
    assert ws.received == []
    ws.send({"action": None})
    assert ws.received == [{"refused": "route_select_key action missing from request body."}]


def test_the_reason_is_for_the_log_and_the_secret_is_not(ws, caplog):
    post(ws, headers={proof.HEADER: f"{true_proof(ws)[:-1]}x"})
    post(ws, headers={proof.HEADER: None})
    wrong, missing = [r.getMessage() for r in caplog.records if r.name.endswith("views")]
    assert "SourceUnproved Unexpected API Gateway the header X-Websocket-Secret is wrong" in wrong
    assert "the header X-Websocket-Secret is missing" in missing
    assert true_proof(ws)[:-1] not in caplog.text


# What is accepted


@pytest.mark.parametrize("route", ["default", "disconnect"])
def test_a_gateway_of_an_older_release_is_served_without(websocket, route):
    ws = websocket("/ws/", gateway=make_created_gateway())
    response = post(ws, route, b'{"action": "whoami"}', headers={proof.HEADER: None})
    assert response.status_code == 200


def test_the_proof_of_a_fallback_key_counts_until_that_goes(ws, settings):
    headers = {proof.HEADER: true_proof(ws)}
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["older", settings.SECRET_KEY]
    assert post(ws, body=b'{"action": "whoami"}', headers=headers).status_code == 200
    settings.SECRET_KEY_FALLBACKS = ["older"]
    assert answered(post(ws, headers=headers)) == UNKNOWN_GATEWAY


@pytest.mark.parametrize("secrets", [[""], ["", "own"], ["own", ""]])
def test_an_empty_secret_in_the_settings_opens_no_door(ws, settings, secrets):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "source_secret": secrets}
    for value in ("", None):
        assert answered(post(ws, headers={proof.HEADER: value})) == UNKNOWN_GATEWAY


@pytest.mark.parametrize("secrets", [[None], ["own", None], b"0own", 7, ["own", 7]])
def test_a_secret_that_is_no_text_is_an_error_and_no_door(ws, settings, secrets):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "source_secret": secrets}
    for guess in ("None", "48", "7", "own"):
        with pytest.raises(ConfigurationError, match="must be text"):
            post(ws, headers={proof.HEADER: guess})


@pytest.mark.parametrize("fallbacks", [[None], [""], [7], ["old", None]])
def test_a_fallback_key_that_is_none_is_an_error_and_no_door(ws, settings, fallbacks):
    guesses = [known_by(ws, str(key)) for key in fallbacks]
    settings.SECRET_KEY_FALLBACKS = fallbacks
    for guess in guesses:
        with pytest.raises(ConfigurationError, match="SECRET_KEY_FALLBACKS"):
            post(ws, headers={proof.HEADER: guess})


def known_by(ws, key):
    """The proof under a key that somebody guesses."""
    with override_settings(SECRET_KEY=key or "unset"):
        return true_proof(ws)


def test_keys_may_be_bytes_as_django_has_them(ws, settings):
    settings.SECRET_KEY = b"bytes"
    headers = {proof.HEADER: true_proof(ws)}
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [b"bytes"]
    assert post(ws, body=b'{"action": "whoami"}', headers=headers).status_code == 200


# The header of 4.1.0


def test_a_proof_by_the_old_header_is_one_as_well(ws, settings):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "source_secret": ["new", "old"]}
    whoami = b'{"action": "whoami"}'
    for value, status in (("new", 200), ("old", 200), ("else", 400), ("", 400)):
        headers = {proof.HEADER: None, proof.OLD_HEADER: value}
        assert post(ws, body=whoami, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("value", "secret", "required", "accepted"),
    [
        ("", "", False, True),
        ("guess", "", False, True),
        ("", "own", False, True),
        ("own", "own", False, True),
        ("old", ["own", "old"], False, True),
        ("guess", "own", False, False),
        ("", "own", True, False),
        ("own", "own", True, True),
        ("old", ["own", "old"], True, True),
        ("guess", "own", True, False),
    ],
)
def test_what_a_gateway_that_has_not_been_upgraded_may_bring(
    settings, value, secret, required, accepted
):
    settings.WEBSOCKETS = {"source_secret": secret, "require_old_header": required}
    assert proof.is_old_proof(value) is accepted


@pytest.fixture
def gateway_of_4_1_0():
    """A gateway that an older release has deployed: this one knows no proof of it."""
    return make_created_gateway(api_name="Chat", source_proof=None)


BY_OLD_HEADER = [
    ("own", False, True),
    ("older", False, True),
    ("guess", False, False),
    (None, False, True),
    ("own", True, True),
    ("older", True, True),
    ("guess", True, False),
    ("", True, False),
    (None, True, False),
]


@pytest.mark.parametrize(("value", "required", "accepted"), BY_OLD_HEADER)
def test_a_gateway_of_4_1_0_is_served_by_its_own_header(
    ws, settings, gateway_of_4_1_0, value, required, accepted
):
    chosen = {"source_secret": ["own", "older"], "require_old_header": required}
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, **chosen}
    headers = {proof.HEADER: None, proof.OLD_HEADER: value}
    old = WebSocketClient("/ws/", gateway=gateway_of_4_1_0, headers=headers)
    assert answered(old.connect()) == ((200, b"{}") if accepted else UNKNOWN_GATEWAY)
    assert (old.session is not None) is accepted
    make_session(gateway_of_4_1_0, connection_id="opened-before=")
    headers["Connectionid"] = "opened-before="
    response = post(old, body=b'{"action": "whoami"}', headers=headers)
    assert response.status_code == (200 if accepted else 400)


def test_a_gateway_of_1_1_1_is_served_without_a_header(ws, settings, gateway_of_4_1_0):
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "source_secret": "own"}
    assert connect_without_proof(gateway_of_4_1_0) == (200, b"{}")


def test_an_upgrade_makes_the_old_header_needless(edge, settings, gateway_of_4_1_0):
    settings.WEBSOCKETS = {"source_secret": "own", "require_old_header": True}
    gateway_of_4_1_0.upgrade_gateway()
    assert connect_without_proof(fresh(gateway_of_4_1_0)) == UNKNOWN_GATEWAY
    headers = {proof.HEADER: "own"}
    upgraded = WebSocketClient("/ws/", gateway=fresh(gateway_of_4_1_0), headers=headers)
    assert answered(upgraded.connect()) == (200, b"{}")


# Gateways that are not quite created


def connect_without_proof(gateway):
    headers = {proof.HEADER: None}
    return answered(WebSocketClient("/ws/", gateway=gateway, headers=headers).connect())


def test_a_gateway_whose_creation_failed_half_way_asks_for_the_proof(edge):
    edge.when("POST /v2/apis/[^/]+/stages", 403, error_type="AccessDeniedException")
    gateway = make_gateway()
    with pytest.raises(AwsCallFailed):
        gateway.create_gateway()
    assert connect_without_proof(fresh(gateway)) == UNKNOWN_GATEWAY


def test_an_api_of_somebodys_own_asks_for_the_secret_of_ones_own_if_there_is_one(ws, settings):
    gateway = make_gateway(api_id="byhand", api_endpoint="wss://byhand.example.com")
    assert connect_without_proof(gateway) == (200, b"{}")
    settings.WEBSOCKETS = {**settings.WEBSOCKETS, "source_secret": "own"}
    assert connect_without_proof(gateway) == UNKNOWN_GATEWAY
    headers = {proof.HEADER: "own"}
    owner = WebSocketClient("/ws/", gateway=gateway, headers=headers)
    assert answered(owner.connect()) == (200, b"{}")


def test_an_old_gateway_whose_upgrade_failed_is_served_on(edge):
    gateway = make_created_gateway()
    edge.when("POST /v2/apis/[^/]+/deployments", 403, error_type="AccessDeniedException")
    with pytest.raises(AwsCallFailed):
        gateway.upgrade_gateway()
    assert connect_without_proof(fresh(gateway)) == (200, b"{}")


@pytest.mark.parametrize(
    "hook", ["_allowed_apigateway", "_check_platform_registered_api_gateways"]
)
def test_a_view_that_chooses_its_gateways_asks_for_their_proof_all_the_same(ws, mount, hook):
    def choose(self, request, *args, **kwargs):
        return True

    url = mount(type("ChoosingView", (WebSocketView,), {hook: choose}))
    assert answered(WebSocketClient(url).connect()) == (200, b"{}")
    forged = WebSocketClient(url, headers={proof.HEADER: None})
    assert answered(forged.connect()) == UNKNOWN_GATEWAY


def test_a_view_of_an_api_without_a_row_asks_for_the_secret_of_ones_own(mount, settings):
    url = mount(WebSocketView, aws_api_gateway_id="lone")
    lone = make_created_gateway(api_id="lone")
    lone.delete()

    def connect(secret):
        headers = {proof.HEADER: secret}
        return answered(WebSocketClient(url, gateway=lone, headers=headers).connect())

    assert connect(None) == (200, b"{}")
    settings.WEBSOCKETS = {"source_secret": "own"}
    assert [connect(secret) for secret in ("own", "other", None)] == [
        (200, b"{}"),
        UNKNOWN_GATEWAY,
        UNKNOWN_GATEWAY,
    ]


# Through a gateway


@pytest.mark.skipif(find_spec("websockets") is None, reason="Needs the extra [local]")
@pytest.mark.django_db(transaction=True)
def test_what_a_client_sends_by_the_headers_name_is_replaced(live_websocket):
    headers = {proof.HEADER: "0" * 64, "sourceIp": "198.51.100.7", "connectionId": "stolen="}
    socket = live_websocket("/ws/", channel="lobby", headers=headers)
    socket.send({"action": "chat", "text": "hello"})
    assert socket.receive() == {"text": "hello"}
