"""Successors of what the releases 2.x to 4.x had: a name that means nothing here is an error.

Most of these names locked something there. A project that moves here must not find it open.
"""

from __future__ import annotations

import re
from typing import Iterator

from django.core.checks import CheckMessage

from .messages import check_message

IN_VIEWS = "settings.html#view"

CONNECT_RATE = 'Write {0}, which is a number and s, m, h or d: "20/m" is 20 times a minute.'
HANDLERS = "List the handlers in allowed_handlers."
CHANNELS = "Decide in can_join_channel()."
PERMISSIONS = "Decide in _has_permissions()."
MAILS = "Django mails exceptions as LOGGING says, by its handler AdminEmailHandler."

#: The keys of WEBSOCKETS: what to write instead.
KEYS = {
    "gateway_secret": (
        'It is called "source_secret" here. Add "require_old_header": True until '
        "upgradeApiGateway --all has run, if the gateways send the secret already."
    ),
    "token_expiry_seconds": 'It is called "ticket_lifetime" here.',
    "token_rate_limit_per_minute": 'Write "ticket_rate": "20/m" for 20 tickets a minute.',
    "rate_limit_max_attempts": CONNECT_RATE.format('"connect_rate"'),
    "rate_limit_window_minutes": CONNECT_RATE.format('"connect_rate"'),
    "push_changes_to_aws": (
        "Remove it: only additional routes are sent to AWS when they are saved. The command "
        "upgradeApiGateway sends the rest."
    ),
}

#: The attributes of a view, as regular expressions: what to write instead.
ATTRIBUTES = {
    "USE_WS_TOKEN": (
        'Write authentication = "ticket" and allow_anonymous = False where it was True, '
        'authentication = "cookie" where it was False.'
    ),
    "ALLOWED_HANDLERS|ADDITIONAL_ALLOWED_HANDLERS|BASE_HANDLERS": HANDLERS,
    "RATE_LIMIT_.*": CONNECT_RATE.format("connect_rate"),
    "ALLOW_UNLISTED_CHANNELS": CHANNELS,
    "CHANNEL_NAME_PATTERN": CHANNELS,
    "MAX_CHANNEL_NAME_LENGTH": "It is called max_channel_name_length here.",
    "MAX_BODY_SIZE": "It is called max_body_size here.",
    "CHECK_PERMISSIONS_ON_CONNECT": (
        "Remove it: permissions_required and all_permissions_required hold for $connect, too."
    ),
    "CHECK_CONNECT_USERAGENT": "Write check_useragent = True, which checks every event.",
    "SEND_EXCEPTION_MAIL|EXCEPTION_MAIL_INTERVAL": MAILS,
}

#: The methods that a view could override: what to override instead.
METHODS = {
    "_gateway_secret_valid": "Override _has_source_proof().",
    "_passes_permission_checks": PERMISSIONS,
    "has_any_permission": PERMISSIONS,
    "has_all_permission": PERMISSIONS,
    "_login_still_holds": PERMISSIONS,
    "get_channel_permission": CHANNELS,
    "_is_valid_channel_name": CHANNELS,
    "_validate_connection_id": "Decide in _expected_headers().",
    "_expected_gateway_useragent": "Override _expected_useragent().",
    "_get_current_class_methods": HANDLERS,
    "_automatic_handlers": HANDLERS,
    "invalid_gateway_secret": "Override _return_bad_request().",
    "handler_selection_key_missing": "Override route_selection_key_missing().",
}

#: Methods that locked nothing, and whose names a view may have for a purpose of its own.
HELPERS = {
    "_get_client_ip": "Rates are counted by what _rate_key() returns.",
    "_exception_mail_is_due": MAILS,
}


def check_names(view: type) -> Iterator[CheckMessage]:
    """Check which names of the later releases a view or its bases define."""
    for name in dir(view):
        place = _place(view, name)
        for pattern, successor in ATTRIBUTES.items():
            if re.fullmatch(pattern, name):
                text = f"{place} has {name}, which means nothing in this release."
                yield check_message("E024", text, successor, IN_VIEWS)
        if name in METHODS:
            text = f"{place} has {name}(), which this release does not call."
            yield check_message("E025", text, METHODS[name], IN_VIEWS)
        if name in HELPERS:
            text = f"{place} has {name}(), which only its own code can call here."
            yield check_message("W013", text, HELPERS[name], IN_VIEWS)


def _place(view: type, name: str) -> str:
    """Return the view's name, and that of the base which defines the attribute."""
    owner = next((klass for klass in view.__mro__ if name in vars(klass)), view)
    return view.__name__ if owner is view else f"{view.__name__}, by {owner.__name__},"
