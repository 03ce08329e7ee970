"""Domains: the custom domain of a gateway, its certificate, and the mapping to the API's stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

from .. import aws
from ..exceptions import GatewayNotReady
from .answers import require_ip_address_types, text_of
from .steps import Note, create_with_tags

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

#: What of a domain's configuration UpdateDomainName takes. The rest is AWS's answer.
WRITABLE = (
    *("CertificateArn", "EndpointType", "IpAddressType", "OwnershipVerificationCertificateArn"),
    "SecurityPolicy",
)


def ensure_domain_name(
    client: ApiGatewayV2Client,
    domain_name: str,
    api_id: str,
    configuration: Mapping[str, str],
    tags: Mapping[str, str],
    note: Note,
) -> Any:
    """Return AWS's answer about the custom domain, which is made or corrected.

    The tags are only for a new one. Raises GatewayNotReady for the domain of another API, before
    it changes that.
    """
    if "IpAddressType" in configuration:
        require_ip_address_types(client)
    found = find_domain_name(client, domain_name)
    if found is None:
        return create_with_tags(
            client.create_domain_name,
            tags,
            note,
            DomainName=domain_name,
            DomainNameConfigurations=[configuration],
        )
    require_own_root(client, domain_name, api_id)
    return correct_domain_name(client, domain_name, api_id, configuration, found)


def correct_domain_name(
    client: ApiGatewayV2Client,
    domain_name: str,
    api_id: str,
    configuration: Mapping[str, str],
    found: Any,
) -> Any:
    """Bring a new certificate, and the like, to a domain that AWS has; return AWS's answer."""
    corrected: Any = _corrected(found, configuration)
    if corrected is None:
        return found
    require_own_root(client, domain_name, api_id)
    return client.update_domain_name(DomainName=domain_name, DomainNameConfigurations=[corrected])


def find_domain_name(client: ApiGatewayV2Client, domain_name: str) -> Optional[Mapping[str, Any]]:
    """Return AWS's answer about the custom domain, or None if there is none."""
    # A fake of a site's tests, or a mock that was not told what to answer, has found nothing.
    if not hasattr(client, "get_domain_name"):
        return None
    try:
        found: Any = client.get_domain_name(DomainName=domain_name)
    except client.exceptions.NotFoundException:
        return None
    return found if isinstance(found, Mapping) else None


def target_of(domain: Any) -> str:
    """Return the name that the DNS record of a custom domain must point to."""
    return text_of(domain, "DomainNameConfigurations", 0, "ApiGatewayDomainName")


def mapping_of(mapping_id: Any) -> str:
    """Return the id of a mapping; raise AwsCallFailed if it is none."""
    return text_of({"ApiMappingId": mapping_id}, "ApiMappingId")


def ensure_api_mapping(
    client: ApiGatewayV2Client, domain_name: str, api_id: str, stage: str
) -> str:
    """Return the id of the domain's mapping without a key, made to lead to the stage.

    Raises GatewayNotReady if it leads to another API.
    """
    wanted = {"ApiId": api_id, "Stage": stage}
    root = require_own_root(client, domain_name, api_id)
    if root is None:
        created = client.create_api_mapping(DomainName=domain_name, **wanted)
        return text_of(created, "ApiMappingId")
    mapping_id = str(root["ApiMappingId"])
    if root.get("Stage") != stage:
        client.update_api_mapping(DomainName=domain_name, ApiMappingId=mapping_id, **wanted)
    return mapping_id


def require_own_root(
    client: ApiGatewayV2Client, domain_name: str, api_id: str
) -> Optional[Mapping[str, Any]]:
    """Return the domain's mapping without a key, or None.

    Raises GatewayNotReady if it leads to another API: sockets of that one would lose their way.
    """
    mappings = aws.paginate(client, "get_api_mappings", DomainName=domain_name)
    root = next((found for found in mappings if not found.get("ApiMappingKey")), None)
    if root is not None and root.get("ApiId") != api_id:
        raise GatewayNotReady(
            f"The custom domain {domain_name} leads to another API already: {root.get('ApiId')}, "
            f"by the mapping {root.get('ApiMappingId')}. Delete that mapping in AWS, or give this "
            "gateway another domain_name."
        )
    return root


def _corrected(found: Any, wanted: Mapping[str, str]) -> Optional[dict[str, str]]:
    """Return the configuration that a domain should have, or None if it has it."""
    existing = (found.get("DomainNameConfigurations") or [{}])[0]
    seen = {"IpAddressType": "ipv4", **existing}
    # AWS has policies that are stricter than ours. Somebody has chosen such a one.
    names = ["CertificateArn", "IpAddressType"]
    names += ["SecurityPolicy"] if seen.get("SecurityPolicy") == "TLS_1_0" else []
    changed = {
        name: wanted[name] for name in names if wanted.get(name) and seen.get(name) != wanted[name]
    }
    # A mock need not say what the certificate is.
    if "CertificateArn" not in existing:
        changed.pop("CertificateArn", None)
    if not changed:
        return None
    kept = {name: existing[name] for name in WRITABLE if name in existing}
    return {**kept, **changed}
