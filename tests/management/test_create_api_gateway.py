"""createApiGateway: one line of success, and a CommandError for what the operator can mend."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.edge import DEADLINE
from tests.factories import make_created_gateway, make_gateway

pytestmark = pytest.mark.django_db


def run(pk):
    """The lines that the command prints."""
    out = StringIO()
    call_command("createApiGateway", "--pk", str(pk), stdout=out)
    return out.getvalue().splitlines()


def test_it_creates_the_gateway_and_prints_its_url(edge, gateway):
    assert run(gateway.pk) == [
        (
            "API Gateway endpoint created for Chat: "
            "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/production"
        )
    ]
    gateway.refresh_from_db()
    assert gateway.api_created


def test_an_unknown_gateway_is_an_error(edge):
    with pytest.raises(CommandError, match="There is no gateway with the primary key 7"):
        run(7)


def test_a_created_gateway_is_an_error(edge):
    gateway = make_created_gateway(api_name="Chat")
    with pytest.raises(CommandError, match=r"^Chat has been created already\.$"):
        run(gateway.pk)
    assert edge.requests == []


def test_a_gateway_that_lacks_a_field_is_an_error_that_names_it(edge):
    with pytest.raises(CommandError, match="The target base endpoint is required"):
        run(make_gateway(target_base_endpoint="").pk)


def test_a_refusal_of_aws_is_an_error_with_its_reason(edge, gateway):
    edge.when("POST /v2/apis", 403, error_type="AccessDeniedException")
    with pytest.raises(CommandError, match="AccessDeniedException"):
        run(gateway.pk)


def test_a_missing_region_is_an_error_that_names_the_settings(settings, gateway):
    settings.AWS_REGION_NAME = None
    with pytest.raises(CommandError, match="AWS_GATEWAY_REGION_NAME"):
        run(gateway.pk)


@pytest.mark.parametrize("arguments", [[], ["--pk", "first"]])
def test_the_primary_key_is_a_number_and_required(arguments):
    with pytest.raises(CommandError, match="--pk"):
        call_command("createApiGateway", *arguments)


@pytest.fixture
def gateway():
    return make_gateway(api_name="Chat")


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_on_one_sqlite_file_one_makes_the_api(edge, gateway, open_site):
    site = open_site()
    api = {"apiId": "api1", "apiEndpoint": "wss://api1"}
    held = edge.when("POST /v2/apis$", 201, body=api, hold=True, times=1)
    first = site.start("createApiGateway", "--pk", str(gateway.pk))
    assert held.arrived.wait(DEADLINE)
    second = site.start("createApiGateway", "--pk", str(gateway.pk))
    _, refusal = second.communicate(timeout=DEADLINE)
    held.release.set()
    success, _ = first.communicate(timeout=DEADLINE)
    assert "CommandError: Chat is being provisioned by another process." in refusal
    assert success == "API Gateway endpoint created for Chat: wss://api1/production\n"
    assert (first.returncode, second.returncode) == (0, 1)
    assert edge.lines.count("POST /v2/apis") == 1
