"""Additional routes of a live gateway: what a saved, changed or deleted row does in AWS."""

from __future__ import annotations

import pytest
from django.db import transaction

from django_aws_api_gateway_websockets.models import ApiGatewayAdditionalRoute
from tests.factories import fresh, make_gateway, make_live_gateway, make_route

pytestmark = pytest.mark.django_db

URL = "https://chat.example.com/join"
OTHER_URL = "https://chat.example.com/enter"


@pytest.fixture
def gateway(control_plane):
    return make_live_gateway()


# Saving


def test_a_new_route_is_deployed_when_the_transaction_commits(
    local_gateway, control_plane, gateway, commit
):
    deployment_id, asked = gateway.deployment_id, len(local_gateway.requests)
    with commit():
        made = make_route(gateway, route_key="join", integration_url=URL)
        assert len(local_gateway.requests) == asked
        assert not made.deployed
    assert made.deployed
    assert fresh(made).deployed
    assert control_plane.additional_routes(gateway) == {"join": URL}
    assert fresh(gateway).deployment_id != deployment_id


@pytest.mark.django_db(transaction=True)
def test_a_route_outside_a_transaction_is_deployed_at_once(control_plane, gateway):
    make_route(gateway, route_key="join", integration_url=URL)
    assert control_plane.additional_routes(gateway) == {"join": URL}


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_rolls_back_asks_nothing_of_aws(local_gateway, control_plane, gateway):
    kept = make_route(gateway, route_key="join", integration_url=URL)
    asked = len(local_gateway.requests)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_route(gateway)
        fresh(kept).delete()
        raise ZeroDivisionError
    assert len(local_gateway.requests) == asked
    assert control_plane.additional_routes(gateway) == {"join": URL}


def test_a_route_of_a_gateway_that_is_not_created_asks_nothing_of_aws(local_gateway, commit):
    with commit():
        route = make_route(make_gateway())
        route.route_key = "other"
        route.save()
        route.delete()
    assert list(local_gateway.requests) == []


def test_a_route_that_is_saved_unchanged_asks_nothing_of_aws(local_gateway, route, commit):
    asked = len(local_gateway.requests)
    with commit():
        route.name = "Another name"
        route.save()
    assert len(local_gateway.requests) == asked
    assert fresh(route).deployed


def test_a_renamed_route_replaces_the_former_one(control_plane, gateway, route, commit):
    with commit():
        route.route_key = "enter"
        route.save()
    assert control_plane.additional_routes(gateway) == {"enter": URL}
    assert fresh(route).deployed


def test_a_route_that_is_renamed_twice_leaves_nothing_behind(control_plane, gateway, commit):
    with commit():
        route = make_route(gateway, route_key="join", integration_url=URL)
    for key in ("enter", "come in"):
        with commit():
            route.route_key = key
            route.save()
    assert control_plane.additional_routes(gateway) == {"come in": URL}


def test_a_route_with_another_url_is_pointed_there(control_plane, gateway, route, commit):
    with commit():
        route.integration_url = OTHER_URL
        route.save()
    assert control_plane.additional_routes(gateway) == {"join": OTHER_URL}
    assert fresh(route).deployed


def test_update_or_create_deploys_what_it_changed(control_plane, gateway, route, commit):
    with commit():
        ApiGatewayAdditionalRoute.objects.update_or_create(
            api_gateway=gateway, route_key="join", defaults={"integration_url": OTHER_URL}
        )
    assert control_plane.additional_routes(gateway) == {"join": OTHER_URL}


def test_a_route_that_moves_to_another_gateway_moves_in_aws(control_plane, gateway, route, commit):
    other = make_live_gateway()
    with commit():
        route.api_gateway = other
        route.save()
    assert control_plane.additional_routes(gateway) == {}
    assert control_plane.additional_routes(other) == {"join": URL}
    assert fresh(route).deployed


def test_a_route_that_moves_to_a_gateway_that_is_not_created_leaves_aws(
    control_plane, gateway, route, commit
):
    with commit():
        route.api_gateway = make_gateway()
        route.save()
    assert control_plane.additional_routes(gateway) == {}
    assert not fresh(route).deployed


# Deleting


def test_a_deleted_route_goes_from_aws_when_the_transaction_commits(
    local_gateway, control_plane, gateway, route, commit
):
    asked = len(local_gateway.requests)
    with commit():
        route.delete()
        assert len(local_gateway.requests) == asked
    assert control_plane.additional_routes(gateway) == {}


def test_a_deleted_route_is_removed_by_the_key_that_aws_knows(
    control_plane, gateway, route, commit
):
    route.route_key = "typed, but not saved"
    with commit():
        route.delete()
    assert control_plane.additional_routes(gateway) == {}


def test_a_gateway_that_is_deleted_with_its_route_asks_nothing_of_aws(
    local_gateway, gateway, route, commit
):
    asked = len(local_gateway.requests)
    with commit():
        gateway.delete()
    assert len(local_gateway.requests) == asked


@pytest.mark.django_db(transaction=True)
def test_a_route_that_is_deleted_outside_a_transaction_goes_from_aws(control_plane, gateway):
    make_route(gateway, route_key="join", integration_url=URL).delete()
    assert control_plane.additional_routes(gateway) == {}


def test_a_route_that_is_deleted_and_made_again_stays_in_aws(
    control_plane, gateway, route, commit
):
    with commit():
        route.delete()
        make_route(gateway, route_key="join", integration_url=OTHER_URL)
    assert control_plane.additional_routes(gateway) == {"join": OTHER_URL}


def test_deleting_a_row_with_the_key_of_the_default_route_keeps_that_route(
    control_plane, gateway, commit
):
    with commit():
        route = make_route(gateway, route_key="$default")
    with commit():
        route.delete()
    assert control_plane.additional_routes(gateway) == {}
