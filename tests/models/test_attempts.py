"""Attempts at provisioning: one at a time, with the outcome on the gateway's row."""

from __future__ import annotations

import pickle
import threading
from contextlib import contextmanager
from datetime import timedelta
from queue import Queue

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from django.db import connection, connections
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import (
    AwsCallFailed,
    GatewayNotReady,
    ProvisioningInProgress,
)
from django_aws_api_gateway_websockets.models import ApiGateway
from tests.edge import DEADLINE
from tests.factories import fresh, make_created_gateway, make_gateway

pytestmark = pytest.mark.django_db

CREATE_API = "POST /v2/apis$"


def started_ago(gateway, **time):
    """Make an attempt that began so long ago, and whose process has died."""
    began = timezone.now() - timedelta(**time)
    ApiGateway.objects.filter(pk=gateway.pk).update(provisioning_since=began)


# The outcome


def test_a_failure_is_raised_and_recorded_with_its_reason(edge):
    edge.when("POST /v2/apis/.*/stages", 400, error_type="BadRequestException", times=1)
    gateway = make_gateway()
    with pytest.raises(AwsCallFailed, match="BadRequestException") as failure:
        gateway.create_gateway()
    assert failure.value.__cause__ is not None
    for seen in (gateway, fresh(gateway)):
        assert seen.last_error == str(failure.value)
        assert (seen.status, seen.api_created, seen.provisioning_since) == ("failed", False, None)


def test_a_failure_is_still_botocores_error(edge):
    """Callers of 1.1.1 catch ClientError, or the one of the operation, and look into it."""
    edge.when("POST /v2/apis/.*/stages", 409, error_type="ConflictException", times=1)
    gateway = make_gateway()
    with pytest.raises(ClientError) as failure:
        gateway.create_gateway()
    assert failure.value.response["Error"]["Code"] == "ConflictException"
    assert failure.value.operation_name == "CreateStage"
    assert isinstance(failure.value, AwsCallFailed)
    assert type(failure.value.__cause__) in type(failure.value).__mro__
    copy = pickle.loads(pickle.dumps(failure.value))  # noqa: S301
    assert (type(copy), str(copy)) == (AwsCallFailed, str(failure.value))


def test_an_aws_that_is_not_there_is_still_botocores_error(edge):
    edge.when(CREATE_API, reset=True)
    with pytest.raises(BotoCoreError) as failure:
        make_gateway().create_gateway()
    assert isinstance(failure.value, AwsCallFailed)
    assert "endpoint_url" in failure.value.kwargs or "error" in failure.value.kwargs


def test_a_success_takes_the_reason_of_the_failure_away(edge):
    edge.when(CREATE_API, 400, error_type="BadRequestException", times=1)
    gateway = make_gateway()
    with pytest.raises(AwsCallFailed):
        gateway.create_gateway()
    gateway.create_gateway()
    for seen in (gateway, fresh(gateway)):
        assert (seen.last_error, seen.status, seen.api_created) == (None, "created", True)


def test_an_aws_that_breaks_the_connection_is_an_aws_call_that_failed(edge):
    edge.when(CREATE_API, reset=True)
    gateway = make_gateway()
    with pytest.raises(AwsCallFailed, match="Connection was closed"):
        gateway.create_gateway()
    assert "Connection was closed" in fresh(gateway).last_error
    assert edge.lines.count("POST /v2/apis") == 1


def test_missing_credentials_are_an_aws_call_that_failed(settings):
    settings.AWS_IAM_PROFILE = "nobody has this one"
    gateway = make_gateway()
    with pytest.raises(AwsCallFailed, match="nobody has this one"):
        gateway.create_gateway()
    assert "nobody has this one" in fresh(gateway).last_error


class GatewayWithABug(ApiGateway):
    """A site's own gateway, with a step that it overrides."""

    class Meta:
        proxy = True
        app_label = "tests"

    def _create_api(self, client):
        raise NotImplementedError


def test_the_error_of_an_overridden_step_is_recorded_even_if_it_has_no_text(edge):
    gateway = GatewayWithABug.objects.get(pk=make_gateway().pk)
    with pytest.raises(NotImplementedError):
        gateway.create_gateway()
    assert fresh(gateway).last_error == "NotImplementedError()"
    assert fresh(gateway).status == "failed"


def test_an_unsaved_gateway_is_not_ready(edge):
    gateway = ApiGateway(api_name="new", target_base_endpoint="https://example.com/ws/")
    with pytest.raises(GatewayNotReady, match=r"Save the gateway before provisioning it\."):
        gateway.create_gateway()
    assert edge.requests == []


# The claim


MADE_API = {"apiId": "a1b2c3d4e5", "apiEndpoint": "wss://x"}


@pytest.fixture
def operator():
    """``operator(gateway, refusals)``: a started thread in which somebody creates the gateway.

    Threads of an in-memory database share one connection, as Django's live server has it.
    """
    shared = connections["default"] if connection.vendor == "sqlite" else None
    threads = []
    connection.inc_thread_sharing()

    def work(gateway, refusals):
        if shared:
            connections["default"] = shared
        try:
            fresh(gateway).create_gateway()
        except ProvisioningInProgress as refusal:
            refusals.put(refusal)
        finally:
            if not shared:
                connection.close()

    def start(gateway, refusals=None):
        threads.append(threading.Thread(target=work, args=(gateway, refusals)))
        threads[-1].start()
        return threads[-1]

    yield start
    connection.dec_thread_sharing()
    assert not any(thread.is_alive() for thread in threads)


@contextmanager
def waiting_for_aws(edge, operator, gateway):
    """Another operator, whose CreateApi is not answered before the end of the block."""
    held = edge.when(CREATE_API, 201, body=MADE_API, hold=True, times=1)
    thread = operator(gateway)
    assert held.arrived.wait(DEADLINE)
    try:
        yield
    finally:
        held.release.set()
        thread.join(DEADLINE)


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_the_second_is_told_to_wait_and_one_api_is_made(edge, operator):
    gateway = make_gateway(api_name="Chat")
    with waiting_for_aws(edge, operator, gateway):
        assert fresh(gateway).status == "in progress"
        with pytest.raises(ProvisioningInProgress) as refusal:
            gateway.create_gateway()
    assert str(refusal.value) == (
        "Chat is being provisioned by another process. If that one has died, "
        "try again 15 minutes after it began."
    )
    assert edge.lines.count("POST /v2/apis") == 1
    assert (fresh(gateway).status, fresh(gateway).last_error) == ("created", None)


@pytest.mark.django_db(transaction=True)
def test_what_somebody_edits_during_an_attempt_is_kept(edge, operator):
    gateway = make_gateway()
    with waiting_for_aws(edge, operator, gateway):
        ApiGateway.objects.filter(pk=gateway.pk).update(default_channel_name="lobby")
    assert fresh(gateway).default_channel_name == "lobby"
    assert fresh(gateway).api_created


@pytest.mark.django_db(transaction=True)
def test_of_many_operators_at_once_one_makes_the_api(edge, operator):
    if connection.vendor == "sqlite":
        pytest.skip("Threads of an in-memory database share one connection")
    gateway, refusals = make_gateway(), Queue()
    held = edge.when(CREATE_API, 201, body=MADE_API, hold=True)
    threads = [operator(gateway, refusals) for _ in range(5)]
    for _ in range(4):
        refusals.get(timeout=DEADLINE)
    assert held.arrived.wait(DEADLINE)
    held.release.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert edge.lines.count("POST /v2/apis") == 1
    assert refusals.empty()
    assert fresh(gateway).api_created


def test_an_operator_who_comes_second_with_an_old_page_finds_it_done(edge):
    gateway = make_gateway()
    stale = fresh(gateway)
    gateway.create_gateway()
    asked = len(edge.requests)
    stale.create_gateway()
    assert len(edge.requests) == asked
    assert (stale.api_created, stale.api_id) == (True, gateway.api_id)


def test_a_claim_of_a_process_that_died_lapses(edge):
    gateway = make_gateway()
    started_ago(gateway, minutes=16)
    gateway = fresh(gateway)
    assert gateway.status == "not created"
    gateway.create_gateway()
    assert gateway.status == "created"


def test_a_claim_of_a_minute_ago_holds(edge):
    gateway = make_gateway()
    started_ago(gateway, minutes=14)
    with pytest.raises(ProvisioningInProgress):
        gateway.create_gateway()
    assert edge.requests == []


def test_the_token_of_the_first_attempt_is_kept(edge):
    edge.when(CREATE_API, 500, error_type="InternalServerException", times=1)
    gateway = make_gateway()
    with pytest.raises(AwsCallFailed):
        gateway.create_gateway()
    token = fresh(gateway).creation_token
    gateway.create_gateway()
    bodies = [request.json for request in edge.requests if request.line == "POST /v2/apis"]
    assert [body["version"] for body in bodies] == [token, token]
    assert len(token) == 32


class Replica:
    """Notes which models are read: a replica may not have what was just written."""

    reads: list = []

    def db_for_read(self, model, **hints):
        self.reads.append(model)
        return "default"


def test_what_another_attempt_made_is_read_where_writes_go(edge, settings):
    gateway = make_created_gateway(domain_name="ws.example.com", certificate_arn="arn:aws:acm:x")
    settings.DATABASE_ROUTERS = [f"{__name__}.Replica"]
    Replica.reads.clear()
    gateway.create_custom_domain()
    assert gateway.custom_domain_created
    assert ApiGateway not in Replica.reads
