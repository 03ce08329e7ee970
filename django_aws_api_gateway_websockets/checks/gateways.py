"""Checks of the gateways in the database.

They run with ``check --deploy`` only: other checks may run before there is a database.
"""

from __future__ import annotations

from typing import Any, Iterator
from urllib.parse import urlsplit

from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.urls import Resolver404, resolve
from django.utils.translation import get_language

from ..conf import conf
from ..models import ApiGateway
from ..security import proof
from ..views import WebSocketView
from .messages import check_message
from .settings import settings_are_valid
from .views import mounted_views

MAP_IT = 'Set WEBSOCKETS["source_secret"] and map it into the integrations.'
UPGRADE = "Run manage.py upgradeApiGateway --pk {0.pk}"


def check_gateways(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check which proof the deployed gateways send, and to which URLs."""
    if not settings_are_valid():
        return []
    try:
        gateways = list(
            ApiGateway.objects.exclude(api_id="")
            .prefetch_related("additional_routes")
            .order_by("pk")
        )
        found = [message for gateway in gateways for message in _check_gateway(gateway)]
        return [*found, *_check_views_without_a_row(gateways), *_check_endpoints(gateways)]
    except (DatabaseError, ImproperlyConfigured) as error:
        return [
            check_message(
                "W011",
                f"The gateways could not be checked: {error}",
                "Run migrate, then this again.",
                "security.html#source-proof",
            )
        ]


def _check_gateway(gateway: ApiGateway) -> Iterator[CheckMessage]:
    yield from _check_proof(gateway)
    yield from _check_domain(gateway)
    yield from _check_target(gateway)
    urls = [gateway.target_base_endpoint or ""]
    urls += [route.integration_url for route in gateway.additional_routes.all()]
    for url in urls:
        if not url.lower().startswith("https://"):
            yield check_message(
                "W008",
                f"The gateway {gateway} posts to {url!r}: what it sends, its proof included, can "
                "be read on the way.",
                "Let it post to https://.",
                "security.html#left-to-you",
            )


def _check_proof(gateway: ApiGateway) -> Iterator[CheckMessage]:
    if gateway.api_created and not gateway.must_prove_source and conf.require_old_header:
        yield check_message(
            "W014",
            f"The gateway {gateway} is one of 4.1.0: it sends the source secret by the old header "
            "and no address of the client.",
            f"{UPGRADE.format(gateway)}.",
            "security.html#old-header",
        )
    elif not gateway.must_prove_source:
        yield check_message(
            "W004",
            f"Events of the gateway {gateway} prove nothing: this release has not deployed it, "
            "and anybody who knows its API's id can forge them.",
            f"{UPGRADE.format(gateway)}." if gateway.api_created else MAP_IT,
            "security.html#source-proof",
        )
    if gateway.source_proof is None:
        return
    age = proof.generation_of(gateway)
    if age is None:
        yield check_message(
            "E018",
            f"The gateway {gateway} sends a proof that no known secret makes: each event of it "
            "is refused.",
            f"{UPGRADE.format(gateway)}; or put the old key back, into SECRET_KEY_FALLBACKS or "
            'WEBSOCKETS["source_secret"].',
            "security.html#source-proof",
        )
    elif age:
        yield check_message(
            "W005",
            f"The gateway {gateway} sends the proof of an old secret, or its earlier form.",
            f"{UPGRADE.format(gateway)}, before you remove that secret.",
            "security.html#source-proof",
        )


def _check_domain(gateway: ApiGateway) -> Iterator[CheckMessage]:
    if gateway.domain_name and not gateway.custom_domain_created:
        yield check_message(
            "W036",
            f"The gateway {gateway} has the domain_name {gateway.domain_name!r}, for which no "
            "custom domain has been created here. Whoever owns that name is taken for the site.",
            f"Run manage.py createCustomDomain --pk {gateway.pk}, or empty the field.",
            "security.html#origins",
        )


def _check_target(gateway: ApiGateway) -> Iterator[CheckMessage]:
    path = urlsplit(f"{gateway.target_base_endpoint}connect").path
    elsewhere = [f"{path}/", f"/{get_language()}{path}"]
    if not _is_mounted(path) and any(map(_is_mounted, elsewhere)):
        yield check_message(
            "W037",
            f"The gateway {gateway} posts to {path}, where no WebSocketView is mounted. One is "
            "behind a redirect, of a slash or a language, which nobody follows.",
            "Correct target_base_endpoint, or the URL pattern.",
            "with-other-packages.html#redirects",
        )


def _is_mounted(path: str) -> bool:
    try:
        view = getattr(resolve(path).func, "view_class", None)
    except Resolver404:
        return False
    return isinstance(view, type) and issubclass(view, WebSocketView)


def _check_views_without_a_row(gateways: list[ApiGateway]) -> Iterator[CheckMessage]:
    if proof.has_custom_secret():
        return
    known = {gateway.api_id for gateway in gateways}
    for found in mounted_views():
        api_id = found.get("aws_api_gateway_id")
        if api_id and str(api_id) not in known:
            yield check_message(
                "W006",
                f"{found} serves the API {api_id}, which no gateway in the database has: nothing "
                "proves its events.",
                MAP_IT,
                "security.html#own-secret",
            )


def _check_endpoints(gateways: list[ApiGateway]) -> Iterator[CheckMessage]:
    known = {gateway.api_id for gateway in gateways}
    for api_id in sorted(conf.endpoints.keys() - known):
        yield check_message(
            "W016",
            f'WEBSOCKETS["endpoints"] names the API {api_id}, which no gateway in the database '
            "has.",
            "Write the gateway's API id, or leave it out.",
            "settings.html#endpoint",
        )
