"""Routes that another process holds up, or that no row has: what is told, and made up for."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.urls import reverse
from django.utils import timezone

from django_aws_api_gateway_websockets.exceptions import AwsCallFailed
from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    ApiGatewayAdditionalRoute,
    get_boto3_client,
)
from tests.control_plane import while_asked
from tests.factories import fresh, make_gateway, make_live_gateway, make_route
from tests.models.test_attempts import Replica

pytestmark = pytest.mark.django_db

URL = "https://www.example.com/ws/join"


@pytest.fixture
def gateway(control_plane):
    return make_live_gateway()


@contextmanager
def claimed(gateway):
    """Somebody else is at work, or has been killed just now."""
    ApiGateway.objects.filter(pk=gateway.pk).update(provisioning_since=timezone.now())
    yield
    ApiGateway.objects.filter(pk=gateway.pk).update(provisioning_since=None)


# Routes


def test_a_route_that_is_saved_meanwhile_is_told_and_made_up_for(
    control_plane, gateway, commit, caplog
):
    with claimed(gateway), commit():
        route = make_route(gateway, route_key="join", integration_url=URL)
    for told in (caplog.text, fresh(gateway).last_error):
        assert "Route not deployed route_key=join: " in told
        assert "is being provisioned by another process" in told
    assert "Run upgradeApiGateway afterwards." in fresh(gateway).last_error
    assert not fresh(route).deployed
    assert fresh(gateway).status == "failed"
    fresh(gateway).upgrade_gateway()
    assert control_plane.additional_routes(gateway) == {"join": URL}
    assert fresh(route).deployed
    assert fresh(gateway).last_error is None


def delete(route):
    route.delete()


def rename(route):
    route.route_key = "enter"
    route.save()


@pytest.mark.parametrize(("change", "left"), [(delete, {}), (rename, {"enter": URL})])
def test_a_route_that_is_deleted_or_renamed_meanwhile_is_made_up_for(
    control_plane, gateway, route, commit, caplog, change, left
):
    with claimed(gateway), commit():
        change(route)
    assert "route_key=" in fresh(gateway).last_error
    assert control_plane.routes(gateway.api_id)["join"] == URL
    upgraded = fresh(gateway)
    upgraded.upgrade_gateway()
    assert control_plane.additional_routes(gateway) == left
    notice = "The route join has been deleted in AWS: no row has it any more."
    assert upgraded.notices == (notice,)
    assert notice in caplog.text
    assert fresh(gateway).last_error is None


def test_several_changes_are_all_told_and_each_once(gateway, route, commit):
    with claimed(gateway):
        for _ in range(2):
            with commit():
                rename(route)
        with commit():
            make_route(gateway, route_key="leave")
    lines = fresh(gateway).last_error.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "Route not deployed route_key=enter",
        "Route not deployed route_key=leave",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["add", "delete"])
def test_the_admin_tells_it(admin_client, gateway, what):
    route = make_route(gateway, route_key="join", integration_url=URL)
    name = "admin:django_aws_api_gateway_websockets_apigatewayadditionalroute"
    with claimed(gateway):
        if what == "add":
            row = {"name": "x", "route_key": "x", "integration_url": URL}
            url, data = reverse(f"{name}_add"), {"api_gateway": gateway.pk, **row}
        else:
            url, data = reverse(f"{name}_delete", args=[route.pk]), {"post": "yes"}
        response = admin_client.post(url, data, follow=True)
    told = [(found.level_tag, str(found)) for found in response.context["messages"]]
    assert [level for level, _ in told] == ["success", "error"]
    assert "is being provisioned by another process" in told[1][1]
    assert "Run upgradeApiGateway afterwards." in told[1][1]


@pytest.mark.django_db(transaction=True)
def test_what_is_told_during_an_attempt_outlives_its_success(local_gateway, gateway):
    """The attempt has read the rows already, so it does not deploy this one."""

    def save_a_route(operation):
        if operation == "CreateDeployment" and not gateway.additional_routes.exists():
            make_route(fresh(gateway), route_key="late")

    ApiGateway.objects.update(target_base_endpoint="https://new.example.com/ws/")
    with while_asked(save_a_route):
        fresh(gateway).upgrade_gateway()
    assert fresh(gateway).last_error.startswith("Route not deployed route_key=late: ")
    assert not gateway.additional_routes.get().deployed
    fresh(gateway).upgrade_gateway()
    assert gateway.additional_routes.get().deployed
    assert fresh(gateway).last_error is None


@pytest.mark.django_db(transaction=True)
def test_a_route_that_is_changed_during_an_upgrade_does_not_count_as_deployed(
    local_gateway, gateway
):
    local_gateway.inject("CreateRoute")
    route = make_route(gateway, route_key="join", integration_url=URL)

    def change_the_route(operation):
        if operation == "CreateDeployment":
            changed = fresh(route)
            changed.integration_url = "https://www.example.com/ws/other"
            changed.save()

    with while_asked(change_the_route):
        fresh(gateway).upgrade_gateway()
    assert not fresh(route).deployed


def test_only_what_makes_up_for_it_takes_the_reminder_away(gateway, route, commit):
    with claimed(gateway):
        with commit():
            late = make_route(gateway, route_key="late")
        with commit():
            delete(route)
    with commit():
        make_route(gateway, route_key="another")
    reminders = [line.partition(": ")[0] for line in fresh(gateway).last_error.splitlines()]
    assert reminders == ["Route not deployed route_key=late", "Route not removed route_key=join"]
    with commit():
        fresh(late).save()
    assert fresh(late).deployed
    assert fresh(gateway).last_error.startswith("Route not removed route_key=join: ")
    fresh(gateway).upgrade_gateway()
    assert fresh(gateway).last_error is None


def test_a_custom_domain_takes_no_reminder_away(gateway, route, commit):
    ApiGateway.objects.update(domain_name="ws.example.com", certificate_arn="arn:aws:acm:x")
    with claimed(gateway), commit():
        delete(route)
    fresh(gateway).create_custom_domain()
    assert fresh(gateway).last_error.startswith("Route not removed route_key=join: ")


# What no row knows


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_what_a_queryset_has_changed_is_brought_to_aws(control_plane, gateway, route, verb):
    rows = ApiGatewayAdditionalRoute.objects.all()
    if verb == "update":
        rows.update(route_key="enter")
    else:
        rows.delete()
    told = gateway.upgrade_gateway(dry_run=True)
    assert any(call.startswith("delete_route RouteKey=join RouteId=") for call in told)
    gateway.upgrade_gateway()
    left = {"enter": URL} if verb == "update" else {}
    assert control_plane.additional_routes(gateway) == left


def test_a_changed_default_key_leaves_no_route_of_the_former_one(control_plane, gateway):
    ApiGateway.objects.update(route_key="other")
    fresh(gateway).upgrade_gateway()
    assert set(control_plane.routes(gateway.api_id)) == {
        "$connect",
        "$disconnect",
        "other",
        "ping",
    }
    assert control_plane.orphans(gateway.api_id) == set()


@pytest.mark.parametrize(
    "mapped",
    [
        {},
        {"integration.request.header.connectionId": "context.connectionId"},
        {
            "integration.request.header.connectionId": "context.connectionId",
            "integration.request.header.X-Websocket-Secret": "'mine'",
        },
    ],
)
def test_a_route_that_somebody_has_made_by_hand_stays(control_plane, gateway, mapped):
    """Even one that posts to the view, which needs the connection's id and the secret."""
    client, api = get_boto3_client(), {"ApiId": gateway.api_id}
    url = f"{gateway.target_base_endpoint}default"
    made = client.create_integration(
        **api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=url,
        RequestParameters=mapped,
    )
    target = f"integrations/{made['IntegrationId']}"
    client.create_route(**api, RouteKey="mine", Target=target)
    gateway.upgrade_gateway()
    assert control_plane.routes(gateway.api_id)["mine"] == url
    assert gateway.notices == ()


def test_a_route_of_another_row_with_the_same_api_stays(control_plane, gateway, route):
    twin = make_gateway(api_id=gateway.api_id, api_created=True, route_key="other")
    twin.upgrade_gateway()
    gateway.upgrade_gateway()
    keys = {"$connect", "$disconnect", "$default", "join", "other", "ping"}
    assert set(control_plane.routes(gateway.api_id)) == keys


def test_a_row_that_is_deleted_between_two_runs_of_a_creation_leaves_no_route(
    local_gateway, control_plane
):
    gateway = make_gateway()
    row = make_route(gateway, route_key="join", integration_url=URL)
    local_gateway.inject("CreateDeployment")
    with pytest.raises(AwsCallFailed):
        gateway.create_gateway()
    assert "join" in control_plane.routes(gateway.api_id)
    row.delete()
    gateway.create_gateway()
    assert control_plane.additional_routes(gateway) == {}


def test_a_route_of_an_old_secret_that_no_row_has_is_deleted_as_well(
    control_plane, gateway, route, settings
):
    ApiGatewayAdditionalRoute.objects.all().delete()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    gateway.upgrade_gateway()
    assert control_plane.additional_routes(gateway) == {}


@pytest.mark.parametrize("verb", ["upgrade", "dry run", "save", "delete"])
def test_what_aws_is_made_to_be_is_read_where_writes_go(gateway, route, commit, settings, verb):
    """A replica that lags behind may lack a route, and AWS would lose it."""
    settings.DATABASE_ROUTERS = ["tests.models.test_attempts.Replica"]
    Replica.reads.clear()
    if verb in ("upgrade", "dry run"):
        gateway.upgrade_gateway(dry_run=verb == "dry run")
    else:
        with commit():
            rename(route) if verb == "save" else delete(route)
    assert ApiGatewayAdditionalRoute not in Replica.reads
