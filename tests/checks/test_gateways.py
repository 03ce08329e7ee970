"""Gateways as `check --deploy` sees them: which are named, and which hint is given."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.urls import path

from django_aws_api_gateway_websockets.checks import check_gateways
from django_aws_api_gateway_websockets.security import proof
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.checks.messages import problems
from tests.factories import make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db


def make_proving_gateway(**columns):
    """A gateway that sends the proof of the current secret."""
    gateway = make_created_gateway(**columns)
    gateway.source_proof = proof.fingerprint(proof.value_for(gateway))
    gateway.save()
    return gateway


def test_a_gateway_that_proves_its_source_is_fine():
    make_proving_gateway()
    assert problems(deploy=True) == {}


def test_a_gateway_of_an_older_release_is_named_with_the_command_that_upgrades_it(edge, settings):
    gateway = make_created_gateway(api_name="Chat")
    assert problems() == {}
    problem = problems(deploy=True)["W004"]
    assert "the gateway Chat" in problem.msg
    command = f"upgradeApiGateway --pk {gateway.pk}"
    assert f"manage.py {command}." in problem.hint
    call_command(*command.split())
    settings.AWS_GATEWAY_ENDPOINT_URL = None
    assert problems(deploy=True) == {}


def test_an_api_of_somebodys_own_is_named_unless_there_is_a_secret(settings):
    make_gateway(api_name="By hand", api_id="byhand")
    problem = problems(deploy=True)["W004"]
    assert "the gateway By hand" in problem.msg
    assert 'Set WEBSOCKETS["source_secret"] and map it' in problem.hint
    settings.WEBSOCKETS = {"source_secret": "kP3-uWZ_q1xN7vRt.J9sLd0aEyBhCf2g"}
    assert problems(deploy=True) == {}


def test_a_gateway_that_proves_its_source_by_the_old_header_is_to_be_upgraded(settings):
    gateway = make_created_gateway(api_name="Chat")
    secret = "kP3-uWZ_q1xN7vRt.J9sLd0aEyBhCf2g"
    settings.WEBSOCKETS = {"source_secret": secret, "require_old_header": True}
    ((number, problem),) = problems(deploy=True).items()
    assert number == "W014"
    assert "The gateway Chat is one of 4.1.0" in problem.msg
    assert f"upgradeApiGateway --pk {gateway.pk}." in problem.hint
    make_proving_gateway()
    gateway.delete()
    assert problems(deploy=True) == {}


def test_a_gateway_that_is_not_created_needs_nothing():
    make_gateway(target_base_endpoint="http://web:8000/ws/")
    assert problems(deploy=True) == {}


def test_a_gateway_with_the_proof_of_an_old_key_is_named_while_that_counts(settings):
    make_proving_gateway(api_name="Chat")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert "gateway Chat" in problems(deploy=True)["W005"].msg
    settings.SECRET_KEY_FALLBACKS = []
    problem = problems(deploy=True)["E018"]
    assert "SECRET_KEY_FALLBACKS" in problem.hint


def test_secrets_of_ones_own_are_compared_likewise(settings):
    new, old = "kP3-uWZ_q1xN7vRt.J9sLd0aEyBhCf2g", "g2fChByEa0dLs9J.tRv7Nx1q_ZWu-3Pk"
    settings.WEBSOCKETS = {"source_secret": old}
    make_proving_gateway()
    settings.WEBSOCKETS = {"source_secret": [new, old]}
    assert list(problems(deploy=True)) == ["W005"]
    settings.WEBSOCKETS = {"source_secret": new}
    assert list(problems(deploy=True)) == ["E018"]


def test_what_is_posted_over_http_is_named():
    gateway = make_proving_gateway(target_base_endpoint="http://www.example.com/ws/")
    assert "http://www.example.com/ws/" in problems(deploy=True)["W008"].msg
    gateway.target_base_endpoint = "https://www.example.com/ws/"
    gateway.save()
    make_proving_route(gateway, "http://elsewhere.example.com/join")
    assert "http://elsewhere.example.com/join" in problems(deploy=True)["W008"].msg


def make_proving_route(gateway, url):
    gateway.api_created = False  # Otherwise saving the route would deploy it.
    make_route(gateway, integration_url=url)


def test_a_view_whose_api_has_no_row_is_named_unless_there_is_a_secret(mount, settings):
    class LoneView(WebSocketView):
        aws_api_gateway_id = "lone"

    mount(LoneView)
    assert "serves the API lone" in problems(deploy=True)["W006"].msg
    settings.WEBSOCKETS = {"source_secret": "kP3-uWZ_q1xN7vRt.J9sLd0aEyBhCf2g"}
    assert problems(deploy=True) == {}
    settings.WEBSOCKETS = {}
    make_proving_gateway(api_id="lone")
    assert problems(deploy=True) == {}


def test_a_database_that_cannot_be_asked_is_a_warning():
    def fail(execute, sql, *arguments):
        raise DatabaseError("no such table")

    with connection.execute_wrapper(fail):
        problem = problems(deploy=True)["W011"]
    assert "no such table" in problem.msg


@pytest.mark.parametrize("fallbacks", [[None], [""], None, 7])
def test_keys_that_are_none_are_found_without_a_traceback(settings, fallbacks):
    make_proving_gateway()
    settings.SECRET_KEY_FALLBACKS = fallbacks
    assert set(numbers(check_gateways(None))) <= {"W011"}


def test_a_site_without_a_database_is_a_warning(settings):
    def fail(execute, sql, *arguments):
        raise ImproperlyConfigured("settings.DATABASES is improperly configured")

    with connection.execute_wrapper(fail):
        assert numbers(check_gateways(None)) == ["W011"]


def numbers(messages):
    return [message.id.rpartition(".")[2] for message in messages]


def test_settings_that_cannot_be_read_are_their_own_checks_business(settings):
    settings.WEBSOCKETS = None
    make_created_gateway()
    assert list(problems(deploy=True)) == ["E004"]


def test_a_domain_name_that_no_custom_domain_backs_is_named():
    gateway = make_proving_gateway(api_name="Chat", domain_name="ws.example.com")
    ((number, problem),) = problems(deploy=True).items()
    assert number == "W036"
    assert "'ws.example.com'" in problem.msg
    assert f"createCustomDomain --pk {gateway.pk}" in problem.hint
    gateway.custom_domain_created = True
    gateway.save()
    assert problems(deploy=True) == {}


@pytest.mark.parametrize(
    ("pattern", "target", "is_named"),
    [
        (path("ws/<slug:route>", WebSocketView.as_view()), "https://example.com/ws/", False),
        (path("ws/<route>/", WebSocketView.as_view()), "https://example.com/ws/", True),
        (path("<route>/x/", WebSocketView.as_view()), "https://example.com/ws/", False),
        (path("en-us/ws/<route>", WebSocketView.as_view()), "https://example.com/ws/", True),
        (
            path("en-us/ws/<route>", WebSocketView.as_view()),
            "https://example.com/en-us/ws/",
            False,
        ),
        # A proxy may rewrite the path, and another site may serve it.
        (path("ws/<slug:route>", WebSocketView.as_view()), "https://example.com/api/ws/", False),
    ],
)
def test_a_target_that_answers_with_a_redirect_is_named(settings, pattern, target, is_named):
    settings.ROOT_URLCONF = (pattern,)
    make_proving_gateway(target_base_endpoint=target)
    assert ("W037" in problems(deploy=True)) is is_named


def test_an_endpoint_of_an_api_that_no_gateway_has_is_named(settings):
    make_proving_gateway(api_id="known")
    chosen = {"known": "https://ws.example.com/a", "typo": "https://ws.example.com/b"}
    settings.WEBSOCKETS = {"endpoints": chosen}
    ((number, problem),) = problems(deploy=True).items()
    assert number == "W016"
    assert "the API typo," in problem.msg
