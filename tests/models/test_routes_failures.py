"""Routes of a live gateway that cannot be deployed at once: the row says so, and a retry works."""

from __future__ import annotations

import pytest
from django.utils import timezone

from django_aws_api_gateway_websockets.models import ApiGateway
from tests.factories import fresh, make_live_gateway, make_route

pytestmark = pytest.mark.django_db

URL = "https://chat.example.com/join"
OTHER_URL = "https://chat.example.com/enter"


@pytest.fixture
def gateway(control_plane):
    return make_live_gateway()


def change(route, **columns):
    for name, value in columns.items():
        setattr(route, name, value)
    route.save()


CHANGES = {
    "a new URL": ({"integration_url": OTHER_URL}, ["CreateIntegration", "UpdateRoute"]),
    "a new key": ({"route_key": "enter"}, ["CreateRoute", "DeleteRoute"]),
}
FAILURES = [
    (name, operation, after)
    for name, (_, operations) in CHANGES.items()
    for operation in [*operations, "CreateDeployment"]
    for after in (False, True)
] + [
    ("a new URL", "DeleteIntegration", False),
    ("a new URL", "DeleteIntegration", True),
    ("a new URL", "GetRoutes", False),
    ("a new URL", "GetIntegrations", False),
]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_failed_change_says_so_and_saving_again_finishes_it(
    local_gateway, control_plane, gateway, route, commit, caplog, failure
):
    name, operation, after = failure
    columns, _ = CHANGES[name]
    local_gateway.inject(operation, after=after)
    with commit():
        change(route, **columns)
    assert not route.deployed
    assert not fresh(route).deployed
    assert operation in fresh(gateway).last_error
    assert f"Route not deployed route_key={route.route_key}" in caplog.text
    with commit():
        route.save()
    assert control_plane.additional_routes(gateway) == {route.route_key: route.integration_url}
    assert fresh(route).deployed
    assert fresh(gateway).last_error is None


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", ["CreateIntegration", "CreateRoute", "CreateDeployment"])
def test_a_new_route_that_failed_is_finished_by_another_process(
    local_gateway, control_plane, gateway, commit, operation, after
):
    local_gateway.inject(operation, after=after)
    with commit():
        route = make_route(gateway, route_key="join", integration_url=URL)
    assert not fresh(route).deployed
    with commit():
        fresh(route).save()
    assert control_plane.additional_routes(gateway) == {"join": URL}
    assert fresh(route).deployed


def test_a_failed_removal_is_logged_and_shown_on_the_gateway(
    local_gateway, gateway, route, commit, caplog
):
    local_gateway.inject("DeleteRoute")
    with commit():
        route.delete()
    assert "Route not removed route_key=join: " in caplog.text
    assert "DeleteRoute" in fresh(gateway).last_error
    assert fresh(gateway).status == "failed"


def test_a_route_of_a_gateway_that_is_being_provisioned_is_not_deployed(
    local_gateway, gateway, commit, caplog
):
    ApiGateway.objects.filter(pk=gateway.pk).update(provisioning_since=timezone.now())
    with commit():
        route = make_route(gateway)
    assert "is being provisioned by another process" in caplog.text
    assert not fresh(route).deployed


def test_a_key_that_one_route_gives_up_to_another_stays_in_aws(
    local_gateway, control_plane, gateway, route, commit
):
    local_gateway.inject("CreateRoute")
    with commit():
        change(route, route_key="enter")
    with commit():
        make_route(gateway, route_key="join", integration_url=OTHER_URL)
        route.save()
    assert control_plane.additional_routes(gateway) == {"join": OTHER_URL, "enter": URL}
