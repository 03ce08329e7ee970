"""A site's own helpers on proxies of the models, and on the queryset, replace none of ours."""

from __future__ import annotations

import pytest
from django.db import models

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    WebSocketSession,
    WebSocketSessionQuerySet,
)
from tests.factories import make_gateway, make_session

pytestmark = pytest.mark.django_db

#: The steps of provisioning, which 1.1.1 had for overriding.
STEPS = {
    "_create_api",
    "_create_api_mapping",
    "_create_domain_name",
    "_create_routes",
    "_create_stage_and_deploy",
}

#: The private names that ours have beside those of Django's classes.
PRIVATE_NAMES = {
    ApiGateway: STEPS,
    ApiGatewayAdditionalRoute: {"_columns_in_aws"},
    WebSocketSession: {"_columns_stored"},
    WebSocketSessionQuerySet: set(),
}


class PlainModel(models.Model):
    class Meta:
        app_label = "tests"
        managed = False

    def __str__(self):
        return "plain"


def private_names(thing):
    return {name for name in dir(thing) if name.startswith("_") and not name.startswith("__")}


@pytest.mark.parametrize("ours", PRIVATE_NAMES, ids=lambda ours: ours.__name__)
def test_there_are_no_private_names_but_these(ours):
    of_django = private_names(PlainModel) | private_names(models.QuerySet)
    assert private_names(ours) - of_django == PRIVATE_NAMES[ours]


NAMES = ["_tags", "_claim", "_deploy", "_remember", "_loaded", "_stored", "_run_step", "_close"]
NAMES += ["_create_stage", "_bring_into_service", "_changed_fields", "_now_or_on_commit"]
HELPERS = dict.fromkeys(NAMES, lambda self: "the site's own")


def proxy_of(model):
    meta = type("Meta", (), {"proxy": True, "app_label": "tests"})
    body = {**HELPERS, "Meta": meta, "__module__": __name__}
    return type(f"Own{model.__name__}", (model,), body)


OwnGateway = proxy_of(ApiGateway)
OwnRoute = proxy_of(ApiGatewayAdditionalRoute)
OwnSession = proxy_of(WebSocketSession)


def test_a_proxy_with_such_helpers_is_provisioned(local_gateway, commit):
    made = make_gateway(domain_name="ws.example.com", certificate_arn="arn:aws:acm:x")
    gateway = OwnGateway.objects.get(pk=made.pk)
    gateway.create_gateway()
    gateway.upgrade_gateway()
    gateway.create_custom_domain()
    with commit():
        route = OwnRoute.objects.create(
            api_gateway=gateway, name="o", route_key="o", integration_url="https://e.net/o"
        )
    row = OwnGateway.objects.get(pk=made.pk)
    assert (row.api_created, row.has_custom_domain) == (True, True)
    assert OwnRoute.objects.get(pk=route.pk).deployed


def test_a_session_with_such_helpers_is_saved_sent_to_and_closed(outbox, gateway):
    session = OwnSession.objects.get(pk=make_session(gateway).pk)
    session.channel_name = "moved"
    session.save()
    assert session.send_message("x").sent == 1
    assert session.close().closed == 1
    row = WebSocketSession.objects.get(pk=session.pk)
    assert (row.channel_name, row.connected) == ("moved", False)


def test_a_queryset_with_such_helpers_sends_and_closes(outbox, gateway):
    queryset = type("OwnQuerySet", (WebSocketSessionQuerySet,), HELPERS)
    make_session(gateway)
    sessions = queryset(WebSocketSession)
    assert (sessions.send_message("x").sent, sessions.close().closed) == (1, 1)
