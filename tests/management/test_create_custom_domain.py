"""createCustomDomain: one line of success, and a CommandError for what the operator can mend."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_created_gateway, make_gateway

pytestmark = pytest.mark.django_db

DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}


def run(pk):
    """The lines that the command prints."""
    out = StringIO()
    call_command("createCustomDomain", "--pk", str(pk), stdout=out)
    return out.getvalue().splitlines()


def test_it_makes_the_domain_and_prints_where_dns_must_point(edge):
    gateway = make_created_gateway(api_name="Chat", **DOMAIN)
    assert run(gateway.pk) == [
        (
            "Custom Domain setup for Chat. "
            "Next update DNS to point to d-1.execute-api.eu-west-1.amazonaws.com"
        )
    ]
    gateway.refresh_from_db()
    assert gateway.custom_domain_created


def test_an_unknown_gateway_is_an_error(edge):
    with pytest.raises(CommandError, match="There is no gateway with the primary key 7"):
        run(7)


#: What a finished domain's row has, of which 1.1.1 left some empty when AWS refused a step.
MADE = {"api_gateway_domain_name": "d-0.example.com", "api_mapping_id": "m0"}


def test_a_finished_domain_is_an_error(edge):
    columns = {**DOMAIN, **MADE, "custom_domain_created": True}
    gateway = make_created_gateway(api_name="Chat", **columns)
    with pytest.raises(CommandError, match=r"^Chat has its custom domain already\.$"):
        run(gateway.pk)
    assert edge.lines == ["GET /v2/domainnames/ws.example.com"]


@pytest.mark.parametrize("empty", [["api_mapping_id"], ["api_gateway_domain_name"], [*MADE]])
def test_a_domain_that_1_1_1_left_half_made_is_finished(edge, empty):
    columns = {**DOMAIN, **MADE, "custom_domain_created": True, **dict.fromkeys(empty, "")}
    gateway = make_created_gateway(api_name="Chat", **columns)
    (line,) = run(gateway.pk)
    assert line.endswith("point to d-1.execute-api.eu-west-1.amazonaws.com")
    gateway.refresh_from_db()
    assert gateway.has_custom_domain
    assert (gateway.api_mapping_id, gateway.status) == ("m1", "created, with custom domain")
    assert "POST /v2/domainnames/ws.example.com/apimappings" in edge.lines


def test_a_half_made_domain_that_fails_again_stays_unfinished(edge):
    edge.when("POST .*/apimappings", 400, error_type="BadRequestException", times=1)
    columns = {**DOMAIN, "custom_domain_created": True}
    gateway = make_created_gateway(api_name="Chat", **columns)
    with pytest.raises(CommandError, match="BadRequestException"):
        run(gateway.pk)
    gateway.refresh_from_db()
    assert not gateway.has_custom_domain
    run(gateway.pk)
    gateway.refresh_from_db()
    assert gateway.has_custom_domain


@pytest.mark.parametrize(
    ("make", "columns", "message"),
    [
        (make_gateway, DOMAIN, "The API needs to be created before calling this method"),
        (make_created_gateway, {**DOMAIN, "certificate_arn": ""}, "A Certificate ARN is required"),
        (make_created_gateway, {**DOMAIN, "domain_name": ""}, "A domain name is required"),
    ],
)
def test_a_gateway_that_is_not_ready_is_an_error_that_says_why(edge, make, columns, message):
    with pytest.raises(CommandError, match=f"^{message}$"):
        run(make(**columns).pk)


def test_a_refusal_of_aws_is_an_error_with_its_reason(edge):
    edge.when("POST /v2/domainnames", 400, error_type="BadRequestException")
    with pytest.raises(CommandError, match="BadRequestException"):
        run(make_created_gateway(**DOMAIN).pk)
