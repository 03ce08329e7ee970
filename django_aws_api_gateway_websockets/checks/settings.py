"""Checks of the settings, and of more of them with ``check --deploy``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Iterator

from botocore.exceptions import ProfileNotFound
from django.conf import settings
from django.core.checks import CheckMessage

from .. import aws, sending
from ..conf import CLIENT_LIMITS, DEFAULTS, conf
from ..exceptions import ConfigurationError, RegionMissing
from ..models.broadcasts import task_backend
from ..security import proof
from ..security.integrations import is_host_pattern
from ..security.rates import Rate
from .endpoints import (
    check_endpoint,
    check_endpoint_is_aws,
    check_endpoints,
    check_environment_endpoint,
    check_host_variants,
)
from .messages import check_message
from .successors import KEYS

IN_SETTINGS = "settings.html#websockets"
IN_SECURITY = "security.html#own-secret"

AWS_SETTINGS = (
    "AWS_GATEWAY_REGION_NAME",
    "AWS_REGION_NAME",
    "AWS_GATEWAY_ENDPOINT_URL",
    "AWS_IAM_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)

#: The positive whole numbers in WEBSOCKETS: the check's number, and where the docs explain it.
WHOLE_NUMBERS = {
    "max_in_flight": ("E007", IN_SETTINGS),
    "task_lease": ("E022", IN_SETTINGS),
    "ticket_lifetime": ("E011", "security.html#tickets"),
}

AN_HOUR = 3600

#: The fewest characters of a secret, and the fewest different ones among them.
SECRET_LENGTH, SECRET_VARIETY = 32, 5


def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check every setting that the package reads."""
    # A setting that is not text cannot be checked any further.
    of_aws = list(_check_texts()) or [*_check_aws(), *check_endpoint()]
    of_ours = list(_check_websockets())
    if not of_ours:
        of_ours = [*_check_replaced_transport()]
        of_aws += [] if of_aws else check_host_variants()
    return [*of_aws, *of_ours]


def check_deployed_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check what is right on a developer's machine, but not on a deployed site."""
    if not settings_are_valid():
        return []
    return [
        *check_endpoint_is_aws(),
        *check_environment_endpoint(),
        *_check_secrets_are_strong(),
        *_check_ticket_is_brief(),
    ]


def settings_are_valid() -> bool:
    """True if the settings can be read, which the checks of views and gateways need to do."""
    return not any(_check_texts()) and not any(_check_websockets())


def check_rate(rate: Any, name: str) -> Iterator[CheckMessage]:
    """Check a rate of the settings or of a view."""
    try:
        if rate:
            Rate.parse(rate)
    except ConfigurationError as error:
        yield check_message("E012", f"{name} is not a rate.", str(error), "security.html#rates")


def _check_texts() -> Iterator[CheckMessage]:
    for name in AWS_SETTINGS:
        if not isinstance(getattr(settings, name, None) or "", str):
            hint = "Give text, or leave it out."
            yield check_message("E019", f"{name} is not text.", hint, "settings.html#region")


def _check_aws() -> Iterator[CheckMessage]:
    has_half_a_pair = bool(conf.access_key_id) != bool(conf.secret_access_key)
    if has_half_a_pair and not conf.iam_profile:
        yield check_message(
            "W012",
            "One half of the AWS key pair is missing: boto3 looks for credentials elsewhere.",
            "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither of them.",
            "settings.html#credentials",
        )
    try:
        aws.current_session()
        aws.default_region()
    except RegionMissing:
        yield check_message(
            "W001",
            "No AWS region is known.",
            "Set AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME.",
            "settings.html#region",
        )
    except ProfileNotFound as error:
        hint = "Correct AWS_IAM_PROFILE, or leave it out."
        yield check_message("E002", f"{error}.", hint, "settings.html#credentials")


def _check_websockets() -> Iterator[CheckMessage]:
    chosen = getattr(settings, "WEBSOCKETS", {})
    if not isinstance(chosen, dict):
        yield check_message("E004", "WEBSOCKETS is not a dict.", "Make it one.", IN_SETTINGS)
        return
    yield from _check_keys(chosen)
    values = {**DEFAULTS, **chosen}
    for name, (number, anchor) in WHOLE_NUMBERS.items():
        yield from _check_whole_number(name, values[name], number, anchor)
    for name in ("max_send_rate", "send_timeout"):
        yield from _check_number(name, values[name])
    for name in ("connect_rate", "message_rate", "ticket_rate"):
        yield from check_rate(values[name], f'WEBSOCKETS["{name}"]')
    yield from _check_rate_cache(values["rate_cache"])
    yield from _check_source_secret(values["source_secret"])
    yield from _check_old_header(values)
    yield from _check_integration_hosts(values["allowed_integration_hosts"])
    yield from check_endpoints(values["endpoints"])
    yield from _check_client_limits(values["client_limits"])
    yield from _check_transport()
    yield from _check_task_backend()


def _check_keys(chosen: dict[Any, Any]) -> Iterator[CheckMessage]:
    for key in sorted(map(str, set(chosen) - set(DEFAULTS))):
        close = get_close_matches(key, DEFAULTS, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(DEFAULTS)}."
        hint = KEYS.get(key, hint)
        yield check_message("E005", f"WEBSOCKETS has the unknown key {key!r}.", hint, IN_SETTINGS)


def _check_whole_number(name: str, value: Any, number: str, anchor: str) -> Iterator[CheckMessage]:
    is_positive = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if not (is_positive or value is DEFAULTS[name] is None):
        text = f'WEBSOCKETS["{name}"] is not a positive whole number.'
        yield check_message(number, text, f"The default is {DEFAULTS[name]}.", anchor)


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _check_number(name: str, value: Any) -> Iterator[CheckMessage]:
    if not (_is_positive(value) or value is DEFAULTS[name] is None):
        text = f'WEBSOCKETS["{name}"] is not a positive number.'
        yield check_message("E020", text, f"The default is {DEFAULTS[name]}.", IN_SETTINGS)


def _check_client_limits(limits: Any) -> Iterator[CheckMessage]:
    is_dict = isinstance(limits or {}, dict)
    if not is_dict or not all(
        name in CLIENT_LIMITS and _is_positive(value) for name, value in (limits or {}).items()
    ):
        yield check_message(
            "E028",
            'WEBSOCKETS["client_limits"] is not a dict of limits and positive numbers.',
            f"Give some of {', '.join(CLIENT_LIMITS)}, or leave it out.",
            IN_SETTINGS,
        )


def _check_rate_cache(alias: Any) -> Iterator[CheckMessage]:
    if str(alias) not in settings.CACHES:
        yield check_message(
            "E013",
            f'WEBSOCKETS["rate_cache"] is {alias!r}, which CACHES does not have.',
            f"CACHES has {', '.join(settings.CACHES)}.",
            "security.html#rates",
        )


def _check_transport() -> Iterator[CheckMessage]:
    try:
        sending.transport()
    except ConfigurationError as error:
        names = ", ".join(map(repr, ("auto", *sending.TRANSPORTS)))
        hint = f"Give {names}, or the dotted path of a class of your own."
        yield check_message("E008", str(error), hint, IN_SETTINGS)


def _check_replaced_transport() -> Iterator[CheckMessage]:
    if conf.transport in sending.REPLACED:
        yield check_message(
            "W015",
            f'WEBSOCKETS["transport"] is {conf.transport!r}, which "sockets" has replaced.',
            'Leave it out, or write "auto". The extra "fast" and pycurl are not needed any more.',
            IN_SETTINGS,
        )


def _check_task_backend() -> Iterator[CheckMessage]:
    try:
        if conf.task_backend is not None:
            task_backend()
    except ConfigurationError as error:
        hint = (
            'Install the package of "celery" or "django", or give the dotted path of a class, '
            "or leave it out."
        )
        yield check_message("E021", str(error), hint, IN_SETTINGS)


def _check_source_secret(chosen: Any) -> Iterator[CheckMessage]:
    secrets = [chosen] if isinstance(chosen, str) and chosen else chosen or ()
    if not isinstance(secrets, (list, tuple)) or not all(isinstance(s, str) for s in secrets):
        yield check_message(
            "E009",
            'WEBSOCKETS["source_secret"] is neither text nor a list of texts.',
            "Give one secret, or several with the newest first.",
            IN_SECURITY,
        )
    elif not all(map(proof.is_mappable, secrets)):
        yield check_message(
            "E010",
            'A secret of WEBSOCKETS["source_secret"] cannot be mapped.',
            f"It must be 1 to {proof.MAX_LENGTH} printable ASCII characters without spaces, "
            "quotes and backslashes.",
            IN_SECURITY,
        )


def _check_old_header(values: dict[str, Any]) -> Iterator[CheckMessage]:
    required, anchor = values["require_old_header"], "security.html#old-header"
    if not isinstance(required, bool):
        text = 'WEBSOCKETS["require_old_header"] is neither True nor False.'
        yield check_message("E026", text, "Give True or False.", anchor)
    elif required and not values["source_secret"]:
        yield check_message(
            "E026",
            'WEBSOCKETS["require_old_header"] is set without a source_secret: no event of a '
            "gateway that has not been upgraded could prove anything.",
            'Set WEBSOCKETS["source_secret"] to the secret that the gateways send.',
            anchor,
        )


def _check_integration_hosts(hosts: Any) -> Iterator[CheckMessage]:
    if not isinstance(hosts or (), (list, tuple)) or not all(
        isinstance(host, str) and is_host_pattern(host) for host in hosts or ()
    ):
        yield check_message(
            "E023",
            'WEBSOCKETS["allowed_integration_hosts"] is not a list of hosts.',
            'Write them as in ALLOWED_HOSTS: "www.example.com", or ".example.com" for a domain '
            "with its sub-domains. No scheme, port or path.",
            IN_SETTINGS,
        )


def _check_secrets_are_strong() -> Iterator[CheckMessage]:
    for secret in conf.source_secret:
        if len(str(secret)) < SECRET_LENGTH or len(set(str(secret))) < SECRET_VARIETY:
            yield check_message(
                "W010",
                f'A secret of WEBSOCKETS["source_secret"] has less than {SECRET_LENGTH} '
                f"characters, or less than {SECRET_VARIETY} different ones.",
                "Take secrets.token_urlsafe(32).",
                IN_SECURITY,
            )
            return


def _check_ticket_is_brief() -> Iterator[CheckMessage]:
    if conf.ticket_lifetime > AN_HOUR:
        yield check_message(
            "W002",
            'WEBSOCKETS["ticket_lifetime"] is longer than an hour.',
            "A page asks for a ticket just before it opens a socket: 60 seconds will do.",
            "security.html#tickets",
        )
