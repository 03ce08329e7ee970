"""Throttles: both are sent or none, for the one that is left out may become 0 in AWS."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from django_aws_api_gateway_websockets.exceptions import GatewayNotReady
from django_aws_api_gateway_websockets.models import get_boto3_client
from tests.factories import make_created_gateway, make_gateway, make_live_gateway

pytestmark = pytest.mark.django_db


def throttles(gateway):
    stage = get_boto3_client().get_stage(ApiId=gateway.api_id, StageName="production")
    settings = stage.get("DefaultRouteSettings", {})
    return settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")


def set_in_aws(gateway, **settings):
    get_boto3_client().update_stage(
        ApiId=gateway.api_id, StageName="production", DefaultRouteSettings=settings
    )


@pytest.mark.parametrize(
    ("columns", "sent"),
    [
        ({}, (None, None)),
        ({"throttling_rate_limit": 50.5}, (50.5, 5000)),
        ({"throttling_burst_limit": 100}, (10000, 100)),
        ({"throttling_rate_limit": 50.5, "throttling_burst_limit": 100}, (50.5, 100)),
    ],
)
def test_a_new_stage_gets_both_or_none(local_gateway, columns, sent):
    gateway = make_gateway(**columns)
    gateway.create_gateway()
    assert throttles(gateway) == sent


@pytest.mark.parametrize(
    ("in_aws", "columns", "sent"),
    [
        ({"ThrottlingBurstLimit": 9}, {"throttling_rate_limit": 10}, (10, 9)),
        ({"ThrottlingBurstLimit": 0}, {"throttling_rate_limit": 10}, (10, 5000)),
        ({"ThrottlingRateLimit": 7.5}, {"throttling_burst_limit": 3}, (7.5, 3)),
        ({"ThrottlingRateLimit": 0}, {"throttling_burst_limit": 3}, (10000, 3)),
        (
            {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2},
            {"throttling_burst_limit": 3},
            (1, 3),
        ),
    ],
)
def test_the_one_that_the_row_leaves_out_stays_unless_it_is_0(
    local_gateway, in_aws, columns, sent
):
    gateway = make_live_gateway()
    set_in_aws(gateway, LoggingLevel="INFO", **in_aws)
    type(gateway).objects.update(**columns)
    gateway.refresh_from_db()
    assert any(call.startswith("update_stage") for call in gateway.upgrade_gateway(dry_run=True))
    gateway.upgrade_gateway()
    assert throttles(gateway) == sent
    assert gateway.upgrade_gateway(dry_run=True) == []


RATE, BURST = "throttling_rate_limit", "throttling_burst_limit"
BAD = [(field, value) for field in (RATE, BURST) for value in (0, -1, 1_000_001)]


@pytest.mark.parametrize(("field", "value"), [*BAD, (RATE, float("inf")), (RATE, float("nan"))])
def test_what_would_stop_all_events_or_cannot_be_meant_is_not_valid(field, value):
    gateway = make_gateway()
    setattr(gateway, field, value)
    with pytest.raises(ValidationError) as errors:
        gateway.full_clean()
    assert set(errors.value.message_dict) == {field}


@pytest.mark.parametrize("value", [None, 1, 1_000_000])
def test_other_throttles_are_valid(value):
    gateway = make_gateway(throttling_rate_limit=value, throttling_burst_limit=value)
    gateway.full_clean()


def test_a_stored_throttle_of_0_is_not_sent(edge):
    created = make_created_gateway(throttling_rate_limit=0)
    planned = make_gateway(throttling_burst_limit=0)
    for verb in (created.upgrade_gateway, planned.create_gateway):
        with pytest.raises(GatewayNotReady, match="must be above 0"):
            verb()
    assert edge.requests == []
