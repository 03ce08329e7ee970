"""Upgrades: what is brought to AWS for a created gateway, and the same as a dry run.

A gateway's own methods call these functions, and these call the steps that a site may override.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from ..exceptions import GatewayNotReady
from ..provisioning import deployments, domains, pings, steps
from ..provisioning.clients import DryRun
from ..security import proof
from .attempts import database_of, note, write
from .columns import FIELDS_FROM_AWS, throttle_refusal
from .pings import are_answered_by_api


def bring_into_service(gateway: Any, client: Any) -> None:
    """Make or correct all routes and the stage, deploy them, and record it."""
    waiting = rows_of_routes(gateway).filter(deployed=False)
    routes = list(waiting.values_list("pk", "route_key", "integration_url"))
    run_step(gateway, gateway._create_routes, client)
    run_step(gateway, gateway._create_stage_and_deploy, client)
    for pk, route_key, url in routes:
        # One that has been changed meanwhile is not what has been deployed.
        same = gateway.additional_routes.filter(pk=pk, route_key=route_key, integration_url=url)
        same.update(deployed=True)
    fingerprint = proof.fingerprint(proof.value_for(gateway))
    write(gateway, api_created=True, source_proof=fingerprint)


def rows_of_routes(gateway: Any) -> Any:
    """Return the rows of the additional routes, of the primary: AWS is made to be as they are."""
    return gateway.additional_routes.db_manager(database_of(gateway)).all()


def run_step(gateway: Any, step: Callable[[Any], None], client: Any) -> None:
    """Run a step, and write what it has learnt from AWS."""
    step(client)
    write(gateway, **{name: getattr(gateway, name) for name in FIELDS_FROM_AWS})


def ensure_routes(gateway: Any, client: Any) -> tuple[Any, list[str]]:
    """Make or correct the routes, and delete those that no row has any more.

    Return the table of the routes, and the keys of those that are deleted.
    """
    # The database is read before the first call to AWS, and not between two calls.
    routes, known = gateway.wanted_routes(), known_keys(gateway)
    table = gateway.route_table(client)
    for route in routes:
        table.ensure(route)
    if answers_pings(gateway, client, {*known, *(route.key for route in routes)}):
        table.ensure_ping()
        known.add(pings.KEY)
    return table, table.remove_unknown(known)


def answers_pings(gateway: Any, client: Any, keys: set[str]) -> bool:
    """True if AWS should answer pings; ``keys`` are those of the API's other routes."""
    return pings.can_make(client) and are_answered_by_api(gateway, keys)


def known_keys(gateway: Any) -> set[str]:
    """Return the keys of the routes of all rows that have the gateway's API."""
    primary = type(gateway)._base_manager.using(database_of(gateway))
    rows = primary.filter(api_id=gateway.api_id)
    return {
        key
        for row in (gateway, *rows)
        for key in (
            *(route.key for route in row.own_routes()),
            *rows_of_routes(row).values_list("route_key", flat=True),
        )
    }


def ensure_stage(gateway: Any, client: Any) -> Any:
    """Make the stage, or correct its throttles; return it as it was found."""
    return steps.ensure_stage(client, gateway.api_id, gateway.stage, throttles_of(gateway))


def deploy_changes(gateway: Any, client: Any, stage: Any) -> None:
    """Deploy the routes as they are in AWS, unless the stage serves the same already.

    Afterwards delete the integrations that are not used any more.
    """
    table = gateway.route_table(client)
    gateway.deployment_digest = deployments.digest_of(client, table)
    try:
        if deployments.is_deployed(client, gateway.api_id, stage, gateway.deployment_digest):
            gateway.deployment_id = stage["DeploymentId"]
        else:
            gateway.deploy_api(client)
    finally:
        gateway.deployment_digest = ""
    table.remove_unused_integrations()


def throttles_of(gateway: Any) -> dict[str, Any]:
    """Return the row's throttles. Raises GatewayNotReady for what would stop all events."""
    for name in ("throttling_rate_limit", "throttling_burst_limit"):
        refusal = throttle_refusal(getattr(gateway, name))
        if refusal:
            raise GatewayNotReady(f"{name}: {refusal}")
    return {
        "ThrottlingRateLimit": gateway.throttling_rate_limit,
        "ThrottlingBurstLimit": gateway.throttling_burst_limit,
    }


def tags_of(gateway: Any) -> dict[str, str]:
    """Return the tags as AWS takes them. Raises GatewayNotReady for what is no object."""
    if not isinstance(gateway.tags, dict):
        text = 'The tags must be an object of names and values: {"team": "web"}'
        raise GatewayNotReady(text)
    return {str(name): str(value) for name, value in gateway.tags.items()}


def ip_address_type_of(gateway: Any) -> dict[str, str]:
    """Return the parameter of that name, which is sent only if somebody has chosen it."""
    return {"IpAddressType": gateway.ip_address_type} if gateway.ip_address_type else {}


def domain_configuration(gateway: Any) -> dict[str, str]:
    """Return the configuration of the custom domain. Its hosted zone is an answer of AWS."""
    return {
        "CertificateArn": gateway.certificate_arn,
        "DomainNameStatus": "AVAILABLE",
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
        **ip_address_type_of(gateway),
    }


def ensure_ip_address_type(gateway: Any, client: Any) -> None:
    """Bring a chosen address type to a created API."""
    if gateway.ip_address_type:
        endpoint = steps.ensure_ip_address_type(client, gateway.api_id, gateway.ip_address_type)
        gateway.api_endpoint = endpoint or gateway.api_endpoint


def correct_domain(gateway: Any, client: Any) -> None:
    """Bring a new certificate, and the like, to a custom domain that has been made."""
    if not (gateway.custom_domain_created and gateway.domain_name and gateway.certificate_arn):
        return
    found = domains.find_domain_name(client, gateway.domain_name)
    if found is not None:
        name, wanted = gateway.domain_name, domain_configuration(gateway)
        domains.correct_domain_name(client, name, gateway.api_id, wanted, found)


def delete_stray_apis(gateway: Any, client: Any) -> list[str]:
    """Delete APIs that an overtaken creation has made without an owner; return their ids.

    They bear the gateway's token, no row has them, and they have no stage: nobody reaches them.
    """
    found = steps.stray_apis(client, gateway.creation_token or "", gateway.api_id)
    rows = type(gateway)._base_manager.using(database_of(gateway)).filter(api_id__in=found)
    known = set(rows.values_list("api_id", flat=True)) if found else set()
    strays = [api_id for api_id in found if api_id not in known]
    for api_id in strays:
        client.delete_api(ApiId=api_id)
    return strays


def upgrade(gateway: Any, client: Any) -> None:
    """Bring to AWS all that may have changed on the row, or in this package."""
    throttles_of(gateway)  # AWS is asked for nothing that it may not get as a whole.
    run_step(gateway, partial(ensure_ip_address_type, gateway), client)
    bring_into_service(gateway, client)
    correct_domain(gateway, client)
    for api_id in delete_stray_apis(gateway, client):
        note(gateway, f"The API {api_id} has been deleted in AWS: no row has it.")


def calls_of_upgrade(gateway: Any, reading_client: Any) -> list[str]:
    """Return the calls that an upgrade would make."""
    client: Any = DryRun(reading_client)
    if gateway.ip_address_type:
        steps.ensure_ip_address_type(client, gateway.api_id, gateway.ip_address_type)
    table, _ = ensure_routes(gateway, client)
    stage = ensure_stage(gateway, client)
    digest = deployments.digest_of(client, table)
    if not deployments.is_deployed(client, gateway.api_id, stage, digest):
        client.create_deployment(StageName=gateway.stage)
    table.remove_unused_integrations()
    correct_domain(gateway, client)
    delete_stray_apis(gateway, client)
    return list(client.calls)
