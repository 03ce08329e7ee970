"""Custom domains that AWS has already: new certificates, and domains that lead to another API."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_aws_api_gateway_websockets.exceptions import GatewayNotReady
from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from tests.control_plane import calls_since
from tests.factories import fresh, make_gateway, make_live_gateway

pytestmark = pytest.mark.django_db

NAME, OLD, NEW = "ws.example.com", "arn:aws:acm:old", "arn:aws:acm:new"


@pytest.fixture
def gateway(control_plane):
    """A live gateway with its custom domain."""
    gateway = make_gateway(api_name="Chat", domain_name=NAME, certificate_arn=OLD)
    gateway.create_gateway()
    gateway.create_custom_domain()
    return fresh(gateway)


def configuration():
    domain = get_boto3_client().get_domain_name(DomainName=NAME)
    return domain["DomainNameConfigurations"][0]


def renew(gateway):
    ApiGateway.objects.filter(pk=gateway.pk).update(certificate_arn=NEW)
    return fresh(gateway)


def upgrade(gateway):
    call_command("upgradeApiGateway", "--pk", str(gateway.pk), stdout=StringIO())


def create_custom_domain(gateway):
    call_command("createCustomDomain", "--pk", str(gateway.pk), stdout=StringIO())


@pytest.mark.parametrize("verb", [upgrade, create_custom_domain])
def test_a_new_certificate_is_brought_to_aws(local_gateway, gateway, verb):
    target, start = configuration()["ApiGatewayDomainName"], len(local_gateway.requests)
    verb(renew(gateway))
    assert [n for n in calls_since(local_gateway, start) if n[:3] != "Get"] == ["UpdateDomainName"]
    assert configuration()["CertificateArn"] == NEW
    assert configuration()["ApiGatewayDomainName"] == target
    assert fresh(gateway).status == "created, with custom domain"


def test_a_dry_run_shows_it(gateway):
    (call,) = renew(gateway).upgrade_gateway(dry_run=True)
    assert call.startswith(f"update_domain_name DomainName={NAME} DomainNameConfigurations=[")
    assert NEW in call
    assert configuration()["CertificateArn"] == OLD


def test_what_is_up_to_date_is_an_error_of_the_command(local_gateway, gateway):
    start = len(local_gateway.requests)
    with pytest.raises(CommandError, match=r"^Chat has its custom domain already\.$"):
        create_custom_domain(gateway)
    assert {name[:3] for name in calls_since(local_gateway, start)} == {"Get"}


def test_what_the_row_does_not_choose_is_kept(gateway):
    client, own = get_boto3_client(), "arn:aws:acm:ownership"
    kept = {**configuration(), "OwnershipVerificationCertificateArn": own}
    client.update_domain_name(DomainName=NAME, DomainNameConfigurations=[kept])
    renew(gateway).upgrade_gateway()
    assert configuration()["OwnershipVerificationCertificateArn"] == own
    assert configuration()["CertificateArn"] == NEW


def test_a_renewal_that_aws_refuses_is_told_and_made_up_for(local_gateway, gateway):
    renew(gateway)
    local_gateway.inject("UpdateDomainName")
    with pytest.raises(CommandError, match="UpdateDomainName"):
        create_custom_domain(gateway)
    assert "UpdateDomainName" in fresh(gateway).last_error
    create_custom_domain(gateway)
    assert configuration()["CertificateArn"] == NEW
    assert fresh(gateway).last_error is None


def test_a_domain_that_somebody_has_made_gets_the_certificate_of_the_row(control_plane):
    gateway = make_live_gateway()
    made = [{"CertificateArn": OLD, "EndpointType": "REGIONAL"}]
    get_boto3_client().create_domain_name(DomainName=NAME, DomainNameConfigurations=made)
    ApiGateway.objects.update(domain_name=NAME, certificate_arn=NEW)
    create_custom_domain(gateway)
    assert configuration()["CertificateArn"] == NEW
    assert control_plane.mappings(NAME) == {fresh(gateway).api_mapping_id: "production"}


@pytest.mark.parametrize("certificate", [OLD, NEW])
def test_a_domain_that_leads_to_another_api_is_refused_before_anything_is_written(
    local_gateway, gateway, certificate
):
    other = make_live_gateway()
    columns = {"domain_name": NAME, "certificate_arn": certificate}
    ApiGateway.objects.filter(pk=other.pk).update(**columns)
    before, start = vars(fresh(other)), len(local_gateway.requests)
    with pytest.raises(GatewayNotReady) as refusal:
        fresh(other).create_custom_domain()
    assert gateway.api_id in str(refusal.value)
    assert gateway.api_mapping_id in str(refusal.value)
    assert "Delete that mapping in AWS, or give this gateway another domain_name." in str(
        refusal.value
    )
    assert {name[:3] for name in calls_since(local_gateway, start)} == {"Get"}
    after = vars(fresh(other))
    changed = {name for name, value in before.items() if after[name] != value}
    assert changed <= {"_state", "last_error", "updated_on"}
    assert configuration()["CertificateArn"] == OLD


def test_another_key_of_the_domain_may_lead_to_another_api(gateway, control_plane):
    client, other = get_boto3_client(), make_live_gateway()
    name = "keys.example.com"
    made = [{"CertificateArn": OLD, "EndpointType": "REGIONAL"}]
    client.create_domain_name(DomainName=name, DomainNameConfigurations=made)
    client.create_api_mapping(
        DomainName=name, ApiId=gateway.api_id, Stage="production", ApiMappingKey="chat"
    )
    ApiGateway.objects.filter(pk=other.pk).update(domain_name=name, certificate_arn=OLD)
    other = fresh(other)
    other.create_custom_domain()
    mappings = client.get_api_mappings(DomainName=name)["Items"]
    keys = {mapping["ApiMappingKey"]: mapping["ApiId"] for mapping in mappings}
    assert keys == {"chat": gateway.api_id, "": other.api_id}


def test_a_mapping_to_another_stage_of_the_api_is_led_to_the_right_one(control_plane):
    gateway, client = make_live_gateway(), get_boto3_client()
    made = [{"CertificateArn": OLD, "EndpointType": "REGIONAL"}]
    client.create_domain_name(DomainName=NAME, DomainNameConfigurations=made)
    client.create_stage(ApiId=gateway.api_id, StageName="old")
    mapping = client.create_api_mapping(DomainName=NAME, ApiId=gateway.api_id, Stage="old")
    ApiGateway.objects.update(domain_name=NAME, certificate_arn=OLD)
    fresh(gateway).create_custom_domain()
    assert control_plane.mappings(NAME) == {mapping["ApiMappingId"]: "production"}


@pytest.mark.parametrize("verb", ["create_custom_domain", "upgrade_gateway"])
def test_the_hosted_zone_is_never_sent(local_gateway, control_plane, verb):
    gateway = make_live_gateway()
    columns = {"domain_name": NAME, "certificate_arn": OLD, "hosted_zone_id": "Z123"}
    ApiGateway.objects.update(**columns)
    fresh(gateway).create_custom_domain()
    getattr(renew(gateway), verb)()
    sent = str([parameters for _, parameters in local_gateway.requests])
    assert NEW in sent
    assert "Z123" not in sent
    assert fresh(gateway).hosted_zone_id == "Z123"


def test_a_domain_that_somebody_has_led_elsewhere_keeps_no_upgrade_from_the_routes(gateway):
    client, other = get_boto3_client(), make_live_gateway()
    client.update_api_mapping(
        DomainName=NAME,
        ApiMappingId=gateway.api_mapping_id,
        ApiId=other.api_id,
        Stage="production",
    )
    gateway.upgrade_gateway()
    with pytest.raises(GatewayNotReady, match=other.api_id):
        renew(gateway).upgrade_gateway()
    assert configuration()["CertificateArn"] == OLD
