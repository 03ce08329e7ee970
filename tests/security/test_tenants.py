"""Sites and tenants that share SECRET_KEY and a cache: nothing of one opens the other."""

from __future__ import annotations

import pytest
from django.db import connections
from django.utils.crypto import salted_hmac

from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.security.rates import Rate
from django_aws_api_gateway_websockets.testing import WebSocketClient, make_gateway
from tests.aws_requests import HANDSHAKE, answered, post
from tests.checks.messages import problems
from tests.factories import fresh, make_created_gateway
from tests.second_database import ALIAS, second_database

pytestmark = pytest.mark.django_db

UNKNOWN_GATEWAY = (400, b"Some of the required headers are missing")


def earlier_proof(gateway, key):
    """What a gateway sends that was deployed when the proof was of the primary key alone."""
    salt = "django_aws_api_gateway_websockets.proof"
    return salted_hmac(salt, str(gateway.pk), secret=key, algorithm="sha256").hexdigest()


def connect(gateway, value):
    headers = {proof.HEADER: value}
    return answered(WebSocketClient("/ws/", gateway=gateway, headers=headers).connect())


@pytest.fixture
def deployed_earlier(settings, websocket_outbox):
    gateway = make_created_gateway(api_name="Earlier")
    gateway.source_proof = proof.fingerprint(earlier_proof(gateway, settings.SECRET_KEY))
    gateway.save()
    return gateway


def test_the_same_primary_key_on_another_site_has_another_proof(websocket_outbox):
    here = make_gateway()
    stolen = proof.value_for(ApiGateway(pk=here.pk, api_id="theirs"))
    assert connect(here, proof.value_for(here)) == (200, b"{}")
    assert connect(here, stolen) == UNKNOWN_GATEWAY


def test_a_message_with_another_tenants_proof_is_refused(websocket):
    ws = websocket("/ws/")
    stolen = proof.value_for(ApiGateway(pk=ws.gateway.pk, api_id="theirs"))
    for api_id in (ws.gateway.api_id, "theirs"):
        forged = {**HANDSHAKE, proof.HEADER: stolen, "X-Amzn-Apigateway-Api-Id": api_id}
        for route in ("connect", "default", "disconnect"):
            assert answered(post(ws, route, headers=forged)) == UNKNOWN_GATEWAY
    assert (ws.session.connected, ws.session.request_count) == (True, 1)


def test_a_gateway_that_was_deployed_earlier_is_served_until_its_upgrade(
    deployed_earlier, edge, settings
):
    value = earlier_proof(deployed_earlier, settings.SECRET_KEY)
    assert connect(deployed_earlier, value) == (200, b"{}")
    assert "W005" in problems(deploy=True)
    # A route that is added meanwhile maps the new value.
    assert connect(deployed_earlier, proof.value_for(deployed_earlier)) == (200, b"{}")
    deployed_earlier.upgrade_gateway()
    upgraded = fresh(deployed_earlier)
    assert upgraded.source_proof == proof.fingerprint(proof.value_for(upgraded))
    assert connect(upgraded, value) == UNKNOWN_GATEWAY
    assert "W005" not in problems(deploy=True)


def test_an_earlier_gateway_with_a_key_of_the_fallbacks_is_served(deployed_earlier, settings):
    value = earlier_proof(deployed_earlier, settings.SECRET_KEY)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a-new-key"
    assert connect(deployed_earlier, value) == UNKNOWN_GATEWAY
    settings.SECRET_KEY_FALLBACKS = [old]
    assert connect(deployed_earlier, value) == (200, b"{}")


def test_no_other_gateway_accepts_the_earlier_form(settings, websocket_outbox):
    gateway = make_gateway()
    assert connect(gateway, earlier_proof(gateway, settings.SECRET_KEY)) == UNKNOWN_GATEWAY


@pytest.mark.parametrize("name", ["tenant", "NAME"])
def test_users_of_two_tenants_are_not_counted_together(monkeypatch, settings, name):
    def count():
        return Rate(1, 60).wait_for("ticket:user=1")

    def go_to(tenant):
        if name == "tenant":  # as django-tenants names the schema of the request
            monkeypatch.setattr(connections["default"], "schema_name", tenant, raising=False)
        else:
            monkeypatch.setitem(connections["default"].settings_dict, "NAME", tenant)

    go_to("one")
    assert (count(), count() is None) == (None, False)
    go_to("two")
    assert count() is None
    go_to("one")
    assert count() is not None


def test_users_of_two_databases_are_not_counted_together(settings, monkeypatch):
    class ToTheSecond:
        def db_for_write(self, model, **hints):
            return ALIAS

    with second_database() as other:
        monkeypatch.setitem(other.settings_dict, "NAME", "elsewhere")
        assert Rate(1, 60).wait_for("message:user=1") is None
        settings.DATABASE_ROUTERS = [ToTheSecond()]
        assert Rate(1, 60).wait_for("message:user=1") is None
        assert Rate(1, 60).wait_for("message:user=1") is not None
