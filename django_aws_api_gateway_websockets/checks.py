"""System checks: what can be misconfigured, found before a request finds it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Iterator, Sequence

from botocore.exceptions import ProfileNotFound
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.exceptions import ValidationError
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from . import aws
from .conf import DEFAULTS, conf
from .exceptions import ConfigurationError, RegionMissing
from .fields import validate_endpoint

DOCS = "https://django-aws-api-gateway-websockets.readthedocs.io/en/latest/settings.html"


def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check every setting that the package reads."""
    return [*_check_aws(), *_check_endpoint(), *_check_websockets()]


def check_url_patterns(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that each pattern of a WebSocketView tells it the route."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    return [
        _problem(
            Error,
            "E006",
            f"The URL pattern {str(pattern.pattern)!r} gives its WebSocketView no route.",
            'Write path("ws/<slug:route>", ...), or pass {"route": "default"} to path().',
            "route",
        )
        for pattern in _without_route(get_resolver().url_patterns)
    ]


def _check_aws() -> Iterator[CheckMessage]:
    try:
        aws.current_session()
        aws.default_region()
    except RegionMissing:
        yield _problem(
            Caution,
            "W001",
            "No AWS region is known.",
            "Set AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME.",
            "region",
        )
    except ProfileNotFound as error:
        yield _problem(
            Error, "E002", f"{error}.", "Correct AWS_IAM_PROFILE, or leave it out.", "credentials"
        )
    except ConfigurationError as error:
        yield _problem(
            Error,
            "E001",
            "One half of the AWS key pair is missing.",
            str(error),
            "credentials",
        )


def _check_endpoint() -> Iterator[CheckMessage]:
    try:
        validate_endpoint(conf.endpoint_url or "http://unset")
    except ValidationError:
        yield _problem(
            Error,
            "E003",
            "AWS_GATEWAY_ENDPOINT_URL is not an http or https URL.",
            'A local gateway has "http://127.0.0.1:9001".',
            "endpoint",
        )


def _check_websockets() -> Iterator[CheckMessage]:
    chosen = getattr(settings, "WEBSOCKETS", {})
    if not isinstance(chosen, dict):
        yield _problem(Error, "E004", "WEBSOCKETS is not a dict.", "Make it one.", "websockets")
        return
    for key in sorted(map(str, set(chosen) - set(DEFAULTS))):
        close = get_close_matches(key, DEFAULTS, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(DEFAULTS)}."
        yield _problem(
            Error, "E005", f"WEBSOCKETS has the unknown key {key!r}.", hint, "websockets"
        )
    yield from _check_values(chosen)


def _check_values(chosen: dict[str, Any]) -> Iterator[CheckMessage]:
    workers = chosen.get("max_workers", 1)
    if not isinstance(workers, int) or workers < 1:
        yield _problem(
            Error,
            "E007",
            'WEBSOCKETS["max_workers"] is not a positive whole number.',
            f"The default is {DEFAULTS['max_workers']}.",
            "websockets",
        )
    try:
        import_string(conf.transport)
    except ImportError as error:
        yield _problem(
            Error,
            "E008",
            f'WEBSOCKETS["transport"] cannot be imported: {error}.',
            "Give the dotted path of a class.",
            "websockets",
        )


def _without_route(patterns: Sequence[Any]) -> Iterator[URLPattern]:
    """The patterns of WebSocketViews that get no ``route``, neither here nor from an include()."""
    from .views import WebSocketView  # imports models, which checks may not at start-up

    for pattern in patterns:
        is_include = isinstance(pattern, URLResolver)
        constants = pattern.default_kwargs if is_include else pattern.default_args
        if "route" in constants or "route" in pattern.pattern.regex.groupindex:
            continue
        if is_include:
            yield from _without_route(pattern.url_patterns)
            continue
        view = getattr(pattern.callback, "view_class", None)
        if isinstance(view, type) and issubclass(view, WebSocketView):
            yield pattern


def _problem(kind: Any, number: str, text: str, hint: str, anchor: str) -> CheckMessage:
    message: CheckMessage = kind(
        text,
        hint=f"{hint} See {DOCS}#{anchor}",
        id=f"django_aws_api_gateway_websockets.{number}",
    )
    return message
