"""Names of the releases 2.x to 4.x that mean nothing here: each is an error that names another."""

from __future__ import annotations

import pytest
from django.urls import path

from django_aws_api_gateway_websockets.checks import check_views
from django_aws_api_gateway_websockets.conf import DEFAULTS
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.checks.messages import problems

# Django checks the database's own settings too.
pytestmark = pytest.mark.django_db

ATTRIBUTES = {
    "USE_WS_TOKEN": 'authentication = "ticket" and allow_anonymous = False',
    "ALLOWED_HANDLERS": "allowed_handlers",
    "ADDITIONAL_ALLOWED_HANDLERS": "allowed_handlers",
    "BASE_HANDLERS": "allowed_handlers",
    "RATE_LIMIT_ENABLED": 'connect_rate, which is a number and s, m, h or d: "20/m"',
    "RATE_LIMIT_MAX_ATTEMPTS": "connect_rate",
    "RATE_LIMIT_WINDOW_MINUTES": "connect_rate",
    "RATE_LIMIT_OF_SOME_RELEASE": "connect_rate",
    "ALLOW_UNLISTED_CHANNELS": "can_join_channel()",
    "CHANNEL_NAME_PATTERN": "can_join_channel()",
    "MAX_CHANNEL_NAME_LENGTH": "max_channel_name_length",
    "MAX_BODY_SIZE": "max_body_size",
    "CHECK_PERMISSIONS_ON_CONNECT": "hold for $connect, too",
    "CHECK_CONNECT_USERAGENT": "check_useragent = True",
    "SEND_EXCEPTION_MAIL": "LOGGING",
    "EXCEPTION_MAIL_INTERVAL": "LOGGING",
}

METHODS = {
    "_gateway_secret_valid": "_has_source_proof()",
    "_passes_permission_checks": "_has_permissions()",
    "has_any_permission": "_has_permissions()",
    "has_all_permission": "_has_permissions()",
    "_login_still_holds": "_has_permissions()",
    "get_channel_permission": "can_join_channel()",
    "_is_valid_channel_name": "can_join_channel()",
    "_validate_connection_id": "_expected_headers()",
    "_expected_gateway_useragent": "_expected_useragent()",
    "_get_current_class_methods": "allowed_handlers",
    "_automatic_handlers": "allowed_handlers",
    "invalid_gateway_secret": "_return_bad_request()",
    "handler_selection_key_missing": "route_selection_key_missing()",
}

HELPERS = {"_get_client_ip": "_rate_key()", "_exception_mail_is_due": "LOGGING"}

KEYS = {
    "gateway_secret": '"source_secret"',
    "token_expiry_seconds": '"ticket_lifetime"',
    "token_rate_limit_per_minute": '"ticket_rate"',
    "rate_limit_max_attempts": '"connect_rate"',
    "rate_limit_window_minutes": '"connect_rate"',
    "push_changes_to_aws": "upgradeApiGateway",
}


def answer(self, *args):
    return True


def view_with(*bases, **attributes):
    return type("ChatView", (*bases, WebSocketView), attributes)


# Attributes


@pytest.mark.parametrize("value", [None, False, True, [], "x"], ids=repr)
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_that_means_nothing_here_is_an_error_that_names_its_successor(
    mount, name, value
):
    mount(view_with(**{name: value}))
    ((number, problem),) = problems(deploy=True).items()
    assert (number, problem.is_serious()) == ("E024", True)
    assert problem.msg == f"ChatView has {name}, which means nothing in this release."
    assert ATTRIBUTES[name] in problem.hint


def test_an_attribute_that_is_a_property_is_found_and_not_asked(mount):
    def fail(view):
        raise LookupError

    mount(view_with(USE_WS_TOKEN=property(fail)))
    assert list(problems()) == ["E024"]


@pytest.mark.parametrize("order", ["before", "after", "above"])
def test_an_attribute_of_a_mixin_is_an_error_that_names_the_mixin(mount, order):
    mixin = type("SecureMixin", (), {"USE_WS_TOKEN": True})
    mount(
        {
            "before": view_with(mixin),
            "after": type("ChatView", (WebSocketView, mixin), {}),
            "above": view_with(type("SiteMixin", (mixin,), {})),
        }[order]
    )
    assert problems()["E024"].msg.startswith("ChatView, by SecureMixin, has USE_WS_TOKEN, which")


def test_what_as_view_is_given_is_an_error_as_well(mount):
    mount(view_with(MAX_BODY_SIZE=1), MAX_BODY_SIZE=2)
    assert list(problems()) == ["E024"]


def test_a_view_that_is_mounted_twice_is_named_once(settings):
    view = view_with(USE_WS_TOKEN=True, MAX_BODY_SIZE=1, has_any_permission=answer)
    settings.ROOT_URLCONF = tuple(
        path(f"{number}/<slug:route>", view.as_view()) for number in range(2)
    )
    numbers = [message.id.rpartition(".")[2] for message in check_views(None)]
    assert sorted(numbers) == ["E024", "E024", "E025"]


@pytest.mark.parametrize(
    "name", ["use_ws_token", "RATE_LIMIT", "MY_RATE_LIMIT_X", "HANDLERS", "MAX_BODY_SIZES"]
)
def test_a_name_of_the_views_own_is_fine(mount, name):
    mount(view_with(**{name: 1}))
    assert problems(deploy=True) == {}


# Methods


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_is_not_called_here_is_an_error_that_names_its_successor(mount, name):
    mount(view_with(**{name: answer}))
    ((number, problem),) = problems(deploy=True).items()
    assert (number, problem.is_serious()) == ("E025", True)
    assert problem.msg == f"ChatView has {name}(), which this release does not call."
    assert METHODS[name] in problem.hint


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_it_is_found_whatever_it_is(mount, kind):
    mount(view_with(_login_still_holds=kind(answer)))
    assert list(problems()) == ["E025"]


def test_a_method_of_a_mixin_is_found_as_well(mount):
    mount(view_with(type("TeamMixin", (), {"has_any_permission": answer})))
    assert "by TeamMixin, has has_any_permission()" in problems()["E025"].msg


@pytest.mark.parametrize("name", HELPERS)
def test_a_method_that_locked_nothing_is_a_warning(mount, name):
    mount(view_with(**{name: answer}))
    ((number, problem),) = problems(deploy=True).items()
    assert (number, problem.is_serious()) == ("W013", False)
    assert HELPERS[name] in problem.hint


def test_the_view_itself_has_none_of_these_names(mount):
    """A successor that is called like its predecessor would be an error in each view."""
    mount(view_with())
    assert problems(deploy=True) == {}


# Keys of WEBSOCKETS


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_means_nothing_here_is_an_error_that_names_its_successor(settings, key):
    settings.WEBSOCKETS = {key: 1}
    ((number, problem),) = problems(deploy=True).items()
    assert number == "E005"
    assert problem.msg == f"WEBSOCKETS has the unknown key {key!r}."
    assert KEYS[key] in problem.hint


def test_no_successor_of_a_key_is_unknown():
    successors = {successor.strip('"') for successor in KEYS.values()}
    assert successors - set(DEFAULTS) == {"upgradeApiGateway"}
